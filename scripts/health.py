"""Ask a server whether it serves, for probes and people: exit code 0 if it does, 1 if not or not reached.

Example:
    python scripts/health.py --address 127.0.0.1:50051 --insecure-loopback
"""

from collections_opt.cli.running.health import command

if __name__ == "__main__":
    command()
