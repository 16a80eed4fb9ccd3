"""One server of the world, to be killed: python -m harness.leases.server FOLDER URL PORT STARTED [PLANT]."""

from __future__ import annotations

import logging
import sys
import threading
from pathlib import Path

import structlog

from collections_opt.service.server.build import ServerOptions, build_server
from collections_opt.service.server.services import all_services
from harness.leases.plants import PLANTS
from harness.leases.world import open_world


def main() -> None:
    """Serve until killed."""
    folder, url, port, started, *plant = sys.argv[1:]
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    if plant and plant[0]:
        PLANTS[plant[0]].put()
    workspace = open_world(Path(folder), url, float(started))
    workspace.day.openings.open_worked()
    built = build_server(all_services(workspace), ServerOptions(port=int(port), insecure_loopback=True))
    built.start()
    print("serving", flush=True)
    threading.Event().wait()


if __name__ == "__main__":
    main()
