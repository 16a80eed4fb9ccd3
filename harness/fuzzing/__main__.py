"""Fuzz every method with raw bytes, guided by the code that they reach (atheris), from kept inputs; then planted bugs.

    python -m harness.fuzzing --runs 100000

No message may be answered INTERNAL. What reached new code is kept in seeds.jsonl with ``--keep``: the next run begins there.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from harness.fuzzing.plants import PLANTS
from harness.fuzzing.world import keep, kept_inputs, world

LONGEST_BYTES = 4_096
SECONDS_OF_ONE = 300
"""After so long one input is taken for a call that never ends."""
PLANTED_RUNS = 20_000
SMALL_BYTES = 2_048
"""Of inputs that are kept: longer ones say little more."""


@dataclass(frozen=True)
class Fuzzed:
    """What a run came to: how many inputs it ran, how much code they reached, and what went wrong, "" for nothing."""

    runs: int
    covered: int
    failure: str


def fuzz(folder: Path, runs: int, seconds: int, seed: int, plant: str = "") -> Fuzzed:
    """Fuzz in a process of its own from the inputs of a folder, which gets those that reached more."""
    folder.mkdir(parents=True, exist_ok=True)
    options = [f"-runs={runs}", f"-max_total_time={seconds}", f"-seed={seed}", f"-max_len={LONGEST_BYTES}"]
    options += [
        f"-timeout={SECONDS_OF_ONE}",
        "-print_final_stats=1",
        f"-artifact_prefix={folder.parent}/",
        "-report_slow_units=60",
    ]
    command = [sys.executable, "-m", "harness.fuzzing.target", plant, str(folder), *options]
    done = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)
    told = done.stdout + done.stderr
    made = max((int(number) for number in re.findall(r"^#(\d+)", told, re.MULTILINE)), default=0)
    covered = max((int(number) for number in re.findall(r"cov: (\d+)", told)), default=0)
    return Fuzzed(made, covered, told[-3_000:] if done.returncode else "")


def main(
    runs: Annotated[int, typer.Option(min=1, help="Inputs to run.")] = 100_000,
    seconds: Annotated[int, typer.Option(min=1, help="Seconds after which no more are run.")] = 3_600,
    seed: Annotated[int, typer.Option(min=1, help="Seed of the fuzzer.")] = 1,
    kept: Annotated[bool, typer.Option("--keep", help="Keep what reached new code for the next run.")] = False,
) -> None:
    """Fuzz; one line of figures, and exit code 1 for an input that fails or a planted bug that is not found.

    Example: python -m harness.fuzzing --runs 100000
    """
    with tempfile.TemporaryDirectory() as name:
        found = fuzz(Path(name) / "inputs", runs, seconds, seed)
        if found.failure:
            typer.echo(found.failure, err=True)
        missed = [plant for plant in PLANTS if not fuzz(Path(name) / plant, PLANTED_RUNS, seconds, seed, plant).failure]
        count = keep_found(Path(name) / "inputs") if kept else 0
    bugs = f"{len(PLANTS) - len(missed)} of {len(PLANTS)} planted bugs found" + "".join(f", MISSED {name}" for name in missed)
    ended = "one input FAILED" if found.failure else "none failed"
    typer.echo(
        f"fuzz-bytes: {found.runs:,} inputs, {ended}; {found.covered:,} places of the code reached; {bugs}"
        + (f"; {count} inputs kept" if kept else "")
    )
    sys.exit(1 if found.failure or missed else 0)


def keep_found(folder: Path) -> int:
    """Keep the inputs of a run that no good request is; return how many are kept."""
    with world() as made:
        good = set(made.good)
        found = [path.read_bytes() for path in sorted(folder.iterdir())]
        inputs = {one for one in (*found, *kept_inputs(made)) if one and one not in good and len(one) <= SMALL_BYTES}
        keep(made, sorted(inputs))
    return len(inputs)


if __name__ == "__main__":
    typer.run(main)
