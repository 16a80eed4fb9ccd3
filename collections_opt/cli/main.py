"""``collections-opt COMMAND ...`` runs the script of that name: the same options, the same output, the same exit codes."""

from __future__ import annotations

import ast
import sys
from collections.abc import Mapping
from difflib import get_close_matches
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

from collections_opt import __version__
from collections_opt.datasets.shipped import shipped

PROGRAM = "collections-opt"
USAGE = 2
"""Exit code of a call that names no command."""

_SHORT = {"compare_orderings": "compare", "import_portfolio": "import"}
_INTERNAL = ("generate_proto",)


def commands() -> Mapping[str, Path]:
    """Return the script of each command by the command's name."""
    found = sorted(shipped("scripts").glob("*.py"))
    own = [path for path in found if not path.stem.endswith("_support") and path.stem not in _INTERNAL]
    return {_SHORT.get(path.stem, path.stem.replace("_", "-")): path for path in own}


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


def _run(name: str, script: Path, arguments: list[str]) -> None:
    sys.argv[:] = [f"{PROGRAM} {name}", *arguments]
    sys.path.insert(0, str(script.parent))
    # As runpy would, but for the program's name: it puts the path of the file there, and people called a command.
    spec = spec_from_file_location("__main__", script)
    assert spec
    assert spec.loader
    sys.modules["__main__"] = module = module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("collections_opt"):
            raise
        print(
            f"{PROGRAM} {name} needs {error.name}, which the client alone does not install. Run: pip install '{PROGRAM}[server]'",
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
