"""The process that is fuzzed: python -m harness.fuzzing.target PLANT FOLDER [options of libFuzzer]; FOLDER holds its inputs."""

from __future__ import annotations

import contextlib
import sys
from pathlib import Path

import atheris

import collections_opt.solvers  # noqa: F401 - compiled functions cannot be instrumented: loaded before anything is

INSTRUMENTED = [f"collections_opt.{room}" for room in ("application", "core", "service", "wire")]
"""What guides the fuzzer."""

with atheris.instrument_imports(include=INSTRUMENTED):
    from harness.fuzzing.plants import PLANTS
    from harness.fuzzing.world import kept_inputs, world


def main() -> None:
    """Fuzz until the runs are made, or one ends in an error."""
    plant, folder, *options = sys.argv[1:]
    held = contextlib.ExitStack()  # the fuzzer ends the process itself
    made = held.enter_context(world())
    if plant:
        PLANTS[plant]()
    for number, one in enumerate([*made.good, *kept_inputs(made)]):
        (Path(folder) / f"seed-{number:05d}").write_bytes(one)
    atheris.Setup([sys.argv[0], folder, *options], made.run)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
