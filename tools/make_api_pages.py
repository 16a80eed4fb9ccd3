"""Write docs/api: the contract from ``proto/`` by sabledocs, the public Python names by griffe2md; ``--check`` writes nothing.

Example:
    python tools/make_api_pages.py
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from griffe import GriffeLoader, Parser
from griffe2md import render_object_docs

ROOT = Path(__file__).resolve().parent.parent
PAGES = ROOT / "docs/api"
TEMPLATES = ROOT / "tools/api_pages"
PACKAGE = "collections_opt.api.v1"
HIDDEN = ("google.api", "google.protobuf", "google.rpc", "google.type")
MODULES = {
    "client": (
        "The Python client",
        "collections_opt.client",
        "client connection portfolios rankings exports capacity capacity_plans comparison day outcomes approved listings scores",
    ),
    "core": (
        "The core in Python",
        "collections_opt.core",
        "errors accounts.schema accounts.portfolio accounts.admission desk.queues rules.tables value.parameters ranking.pipeline"
        " ranking.ranking",
    ),
}
"""The pages of Python: title, package, and its modules in the order to read them."""


def main() -> None:
    """Write the pages, or say which are stale with exit code 1."""
    fresh = {"contract.md": contract(), **python_pages()}
    if "--check" not in sys.argv[1:]:
        PAGES.mkdir(exist_ok=True)
        for name, text in fresh.items():
            (PAGES / name).write_text(text, "utf-8")
        return
    stale = [name for name, text in fresh.items() if not (PAGES / name).exists() or (PAGES / name).read_text("utf-8") != text]
    if stale:
        print(f"docs/api: {', '.join(stale)} is stale; run `make api-pages` and commit it.", file=sys.stderr)
        sys.exit(1)


def contract() -> str:
    """Return the page of the contract: services, messages and enums with the comments of their protos."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        image = folder / "image.binpb"
        _run([sys.executable, "scripts/generate_proto.py", "--image", str(image)], ROOT)
        settings = {
            "input-descriptor-file": image,
            "output-dir": folder / "out",
            "template-path": TEMPLATES,
            "module-title": "API",
        }
        lines = [f'{key} = "{value}"' for key, value in settings.items()]
        lines += ["enable-lunr-search = false", f"hidden-packages = [{', '.join(repr(each) for each in HIDDEN)}]"]
        (folder / "sabledocs.toml").write_text("\n".join(lines), "utf-8")
        _run([str(Path(sys.executable).parent / "sabledocs")], folder)
        return _tidy((folder / "out" / f"{PACKAGE}.html").read_text("utf-8"))


def python_pages() -> dict[str, str]:
    """Return the pages of Python by name, each module with its functions and classes as their docstrings tell them."""
    loader = GriffeLoader(search_paths=[str(ROOT)], docstring_parser=Parser("google"), allow_inspection=False)
    root = loader.load("collections_opt")
    pages = {}
    for name, (title, package, modules) in MODULES.items():
        shown = [render_object_docs(root[f"{package}.{module}".partition(".")[2]]) for module in modules.split()]
        head = f"# {title}\n\nModules of `{package}`. Written by `make api-pages`; do not edit.\n\n"
        pages[f"{name}.md"] = _tidy(head + "\n\n".join(shown))
    return pages


def _run(command: list[str], folder: Path) -> str:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, cwd=folder, env=environment, check=False, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{command[0]} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
    return done.stdout


def _tidy(text: str) -> str:
    """Return Markdown without trailing spaces and runs of empty lines, ended by one newline."""
    lines: list[str] = []
    for line in (each.rstrip() for each in text.splitlines()):
        if line or (lines and lines[-1]):
            lines.append(line)
    return "\n".join(lines).strip() + "\n"


if __name__ == "__main__":
    main()
