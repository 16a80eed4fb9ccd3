"""The command line of benches: ``python -m harness.benchmarks NAME``."""

from __future__ import annotations

import argparse
import importlib
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import harness.benchmarks
from harness.benchmarks.support.reporting import FOLDER, Report, page, write


@dataclass(frozen=True)
class Options:
    """How a bench is run.

    Attributes:
        runs: how often each case runs.
        small: sizes for a quick try; nothing is written.
        resume: cases that an earlier run kept are not run again, where a bench keeps them.
        kept: nothing is run: the page is written from the cases that earlier runs kept, where a bench keeps them.
        book: accounts of each simulated lender, for benches over worlds; None for a bench's own size.
        seconds: of each phase, for benches of phases; None for a bench's own length.
    """

    runs: int = 3
    small: bool = False
    resume: bool = False
    kept: bool = False
    book: int | None = None
    seconds: float | None = None


def benches() -> dict[str, str]:
    """Return the modules of the benches by name: those in the folders of harness.benchmarks, but for support."""
    root = Path(harness.benchmarks.__path__[0])
    found = (path for path in root.glob("*/*.py") if path.parent.name != "support" and path.stem != "__init__")
    return {path.stem: f"harness.benchmarks.{path.parent.name}.{path.stem}" for path in sorted(found, key=lambda path: path.stem)}


def run_bench(module: ModuleType, options: Options, folder: Path = FOLDER) -> None:
    """Run ``module.bench(options)``, print its page, and write it unless the run is a quick try.

    The first line of the module's docstring is the page's title, the rest its introduction.
    """
    spec = module.__spec__.name if module.__spec__ else module.__name__
    name = spec.rpartition(".")[2]
    title, _, introduction = (module.__doc__ or name).partition("\n")
    bench: Callable[[Options], Report] = module.bench
    report = bench(options)
    command = f"python -m harness.benchmarks {name} --book {options.book}" if options.book else f"make bench BENCH={name}"
    text = page(name, title.rstrip("."), introduction.strip(), command, report)
    print(text)
    if not options.small:
        write(name, text, report, command, folder)


def options_from(arguments: list[str]) -> tuple[Options, list[str]]:
    """Return the options and the names of benches on a command line."""
    parser = argparse.ArgumentParser(prog="python -m harness.benchmarks", description="Run benches and write their pages.")
    parser.add_argument("names", nargs="*", help="benches to run; all by default")
    parser.add_argument("--runs", type=int, default=3, help="runs of each case")
    parser.add_argument("--small", action="store_true", help="small sizes, nothing written")
    parser.add_argument("--resume", action="store_true", help="go on with a long bench that was cut off")
    parser.add_argument(
        "--kept", action="store_true", help="write the page from what a long bench has kept so far, and run nothing"
    )
    parser.add_argument("--book", type=int, help="accounts of each simulated lender, where a bench draws lenders")
    parser.add_argument("--seconds", type=float, help="seconds of each phase, where a bench has phases")
    given = parser.parse_args(arguments)
    return Options(given.runs, given.small, given.resume, given.kept, given.book, given.seconds), given.names


def main(module: ModuleType) -> None:
    """Run one bench from the command line."""
    run_bench(module, options_from(sys.argv[1:])[0])


def main_all() -> None:
    """Run the named benches, or all, one after the other."""
    options, names = options_from(sys.argv[1:])
    found = benches()
    unknown = set(names) - set(found)
    if unknown:
        sys.exit(f"no such bench: {', '.join(sorted(unknown))}; there are {', '.join(found)}")
    for name in names or found:
        run_bench(importlib.import_module(found[name]), options)
