"""``collections-opt COMMAND ...`` runs the command of that name, as the file of that name in ``scripts/`` does."""

from __future__ import annotations

import ast
import sys
from collections.abc import Mapping
from difflib import get_close_matches
from importlib import import_module
from pathlib import Path

from collections_opt import __version__
from collections_opt.cli import PROGRAM

USAGE = 2
"""Exit code of a call that names no command."""

ROOMS = ("morning", "desk", "learning", "training", "monitoring", "records", "running")
"""The folders beside this file that hold commands; a module with a function ``command`` is one."""

_SHORT = {"compare_orderings": "compare", "import_portfolio": "import"}
_EXTRAS = {"console": "console"}
"""What a command needs beside the client, where it is not the server."""

_HERE = Path(__file__).parent


def commands() -> Mapping[str, Path]:
    """Return the module's file of each command by the command's name."""
    found = sorted(path for room in ROOMS for path in (_HERE / room).glob("*.py") if "def command()" in path.read_text("utf-8"))
    return {_SHORT.get(path.stem, path.stem.replace("_", "-")): path for path in sorted(found, key=lambda path: path.stem)}


def main() -> None:
    """Run the command that the first argument names, with the arguments after it."""
    name, rest = (sys.argv[1] if len(sys.argv) > 1 else ""), sys.argv[2:]
    known = commands()
    if name in ("", "--help", "-h", "help"):
        print(_help(known))
        sys.exit(0 if name else USAGE)
    if name == "--version":
        print(f"{PROGRAM} {__version__}")
        return
    if name not in known:
        near = get_close_matches(name, known, 1)
        meant = f" Did you mean {near[0]}?" if near else ""
        print(f"{PROGRAM}: there is no command {name!r}.{meant} See {PROGRAM} --help.", file=sys.stderr)
        sys.exit(USAGE)
    _run(name, known[name], rest)


def _run(name: str, path: Path, arguments: list[str]) -> None:
    sys.argv[:] = [f"{PROGRAM} {name}", *arguments]
    try:
        import_module(f"collections_opt.cli.{path.parent.name}.{path.stem}").command()
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("collections_opt"):
            raise
        extra = _EXTRAS.get(name, "server")
        print(
            f"{PROGRAM} {name} needs {error.name}, which the client alone does not install. "
            f"Run: pip install '{PROGRAM}[{extra}]'",
            file=sys.stderr,
        )
        sys.exit(USAGE)


def _help(known: Mapping[str, Path]) -> str:
    widest = max(map(len, known))
    purposes = {
        name: (ast.get_docstring(ast.parse(path.read_text("utf-8"))) or "").split("\n")[0] for name, path in known.items()
    }
    return "\n".join(
        [
            f"Usage: {PROGRAM} COMMAND [OPTIONS]",
            "",
            "Decides which delinquent accounts a lender's agents should work, and can prove it.",
            "",
            *(f"  {name:<{widest}}  {purpose}" for name, purpose in purposes.items()),
            "",
            f"Each command has --help with an example: {PROGRAM} demo --help",
        ]
    )
