"""The house stays one that a stranger finds things in: sizes of files, functions and folders; rooms that say what they are."""

from __future__ import annotations

import ast
from collections import Counter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "collections_opt"
DATA = ("core/codes/iana_zones.py", "core/codes/iso_3166.py", "core/codes/iso_4217.py", "core/codes/iso_639.py")
"""Tables of other bodies, written by tools/make_codes.py."""
GROUPS = ("Product", "Stores", "ConsolePages", "OpenIdSignIn")
"""Options that several commands share."""

TRAVELS_ALONE = "application/evidence/standalone/verify_evidence.py"
MAX_LINES, MAX_FUNCTION_LINES, MAX_PARAMETERS, MAX_SIBLINGS = 350, 60, 8, 16


def modules() -> list[Path]:
    return [
        path for path in PACKAGE.rglob("*.py") if not path.is_relative_to(PACKAGE / "api") and "__pycache__" not in path.parts
    ]


def programs() -> list[Path]:
    """Return what is beside the package: tests, harnesses, scripts and tools."""
    return [path for room in ("tests", "harness", "scripts", "tools") for path in (ROOT / room).rglob("*.py")]


def name_of(path: Path) -> str:
    return path.relative_to(PACKAGE if path.is_relative_to(PACKAGE) else ROOT).as_posix()


def is_kernel(node: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """Return whether a function is compiled, and so takes flat arrays."""
    return any(ast.unparse(each) == "kernel" for each in node.decorator_list)


def is_command(node: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """Return whether each parameter is an option of a person, who gives it by name."""
    hints = [ast.unparse(each.annotation) if each.annotation else "" for each in (*node.args.args, *node.args.kwonlyargs)]
    hints = [hint.removeprefix("Annotated[").split(",")[0] if "Prefix(" in hint else hint for hint in hints]
    return all(hint in GROUPS or hint.endswith("Option") or "typer." in hint for hint in hints)


def faults(path: Path) -> list[str]:
    """Return what is too large in a module."""
    text, name = path.read_text("utf-8"), name_of(path)
    found = []
    if text.count("\n") > MAX_LINES and name not in (*DATA, TRAVELS_ALONE):
        found.append(f"{name}: {text.count(chr(10))} lines")
    for node in ast.walk(ast.parse(text)):
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        told = ast.get_docstring(node) is not None and len(node.body) > 1
        length = (node.end_lineno or 0) - node.body[1 if told else 0].lineno + 1
        given = [
            each.arg
            for each in (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs)
            if each.arg not in ("self", "cls")
        ]
        if length > MAX_FUNCTION_LINES:
            found.append(f"{name}: {node.name} has {length} lines")
        if len(given) > MAX_PARAMETERS and not is_kernel(node) and not (name.startswith("cli/") and is_command(node)):
            found.append(f"{name}: {node.name} has {len(given)} parameters")
    return found


def test_no_module_function_or_signature_is_too_large():
    assert [fault for path in (*modules(), *programs()) for fault in faults(path)] == []


def siblings(files: list[Path]) -> dict[str, int]:
    """Return the folders that hold more files than a person looks through, with how many."""
    counts = Counter(name_of(path.parent) for path in files if path.stem != "__init__")
    return {name: count for name, count in counts.items() if count > MAX_SIBLINGS}


def test_no_folder_holds_too_many_siblings():
    templates = list(PACKAGE.rglob("*.html"))
    assert siblings([*modules(), *programs(), *templates]).keys() <= {"ledger/migrations/versions", "scripts"}


def test_every_room_says_what_it_is():
    lacking = [name_of(path) for path in modules() if not ast.get_docstring(ast.parse(path.read_text("utf-8")))]
    assert lacking == []


def test_a_room_that_grows_too_large_would_be_noticed(tmp_path, monkeypatch):
    monkeypatch.setattr("tests.docs.test_house.PACKAGE", tmp_path)
    long = tmp_path / "long.py"
    long.write_text("def f(a, b, c, d, e, f, g, h, i):\n" + "    a = 1\n" * 400)
    assert len(faults(long)) == 3
    assert siblings([tmp_path / "room" / f"{n}.py" for n in range(17)]) == {"room": 17}


@pytest.mark.parametrize("page", ["architecture.md", "contributing.md"])
def test_the_pages_name_places_that_exist(page):
    text = (ROOT / "docs" / page).read_text("utf-8")
    named = {word for word in text.replace("`", " ").split() if word.startswith(("collections_opt/", "tests/", "scripts/"))}
    named = {word.rstrip(".,;:)").partition("<")[0].removesuffix("...") for word in named}
    assert [name for name in named if name and not (ROOT / name).exists() and not name.endswith("_")] == []
