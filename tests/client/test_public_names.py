"""The public names of the package and its client: each is what its module holds, and none is loaded before it is asked for."""

from __future__ import annotations

import ast
import importlib
import subprocess
import sys
from pathlib import Path

import pytest

import collections_opt
import collections_opt.client


@pytest.mark.parametrize("package", [collections_opt, collections_opt.client], ids=lambda package: package.__name__)
def test_every_name_is_where_type_checkers_look(package):
    tree = ast.parse(Path(package.__file__).read_text("utf-8"))
    guarded = next(node for node in tree.body if isinstance(node, ast.If))
    told = {alias.name: node.module for node in guarded.body for alias in node.names}
    assert set(told) == set(package.__all__) == set(dir(package))
    for name, module in told.items():
        assert getattr(package, name) is getattr(importlib.import_module(module), name)
    with pytest.raises(AttributeError, match="no attribute 'nobody'"):
        package.nobody  # noqa: B018 - looked up, which is the test


def test_who_connects_does_not_load_what_compares():
    code = "import sys, collections_opt.client.client; print('collections_opt.client.capacity' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "False\n"
