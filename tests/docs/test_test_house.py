"""What tests and harnesses may import: a test file stands alone, and what several need is in tests/support."""

import ast
from pathlib import Path

ROOT = Path(__file__).parents[2]


def imported(text):
    """Return the dotted names that a file of Python imports, those of single names with their module before them."""
    found = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return found


def is_a_test_file(name):
    return name.startswith("tests.") and any(part.startswith("test_") or part == "conftest" for part in name.split("."))


def is_outside_support(name):
    return name.startswith("tests.") and not f"{name}.".startswith("tests.support.")


def broken(folder, forbidden):
    files = sorted((ROOT / folder).rglob("*.py"))
    assert files
    return [
        f"{path.relative_to(ROOT)} imports {name}"
        for path in files
        for name in sorted(imported(path.read_text()))
        if forbidden(name)
    ]


def test_no_test_imports_from_another_test():
    assert broken("tests", is_a_test_file) == []


def test_harnesses_and_helpers_know_no_tests():
    assert broken("harness", is_outside_support) == []
    assert broken("tests/support", is_outside_support) == []


def test_an_import_from_a_test_is_found():
    assert is_a_test_file("tests.core.test_money")
    assert not is_a_test_file("tests.support.testing")
    text = "import tests.conftest\nfrom tests.core import test_money\nfrom tests.core.test_money import BOOK"
    assert {name for name in imported(text) if is_a_test_file(name)} == {
        "tests.conftest",
        "tests.core.test_money",
        "tests.core.test_money.BOOK",
    }
