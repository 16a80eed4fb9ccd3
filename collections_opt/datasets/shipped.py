"""Files that come with a release: beside the package in a checkout, within it where it was installed."""

from __future__ import annotations

from pathlib import Path

import collections_opt

_PACKAGE = Path(collections_opt.__file__).parent
_WITHIN = {"models": "models", "scripts": "scripts", "runtime.txt": "requirements/runtime.txt"}
"""Path in a checkout by name; the build puts each under ``collections_opt/shipped`` (``pyproject.toml``)."""


def shipped(name: str) -> Path:
    """Return where a shipped file or folder is: ``models``, ``scripts``, or ``runtime.txt``, the lock of the dependencies.

    Raises:
        KeyError: for another name.
    """
    installed = _PACKAGE / "shipped" / name
    return installed if installed.exists() else _PACKAGE.parent / _WITHIN[name]
