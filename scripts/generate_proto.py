"""Generate the Python code of the gRPC contract, and check that it is fresh, lints and breaks no caller.

Works offline: the image that buf reads is built by grpc_tools.protoc with the googleapis protos installed in the environment.

Example:
    python scripts/generate_proto.py
    python scripts/generate_proto.py --check --lint --breaking
"""

from __future__ import annotations

import filecmp
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Sequence
from importlib import resources
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = Path("collections_opt/api")
GENERATED = ("*_pb2.py", "*_pb2.pyi", "*_pb2_grpc.py", "*_pb2_grpc.pyi")
PLUGINS = ("python", "grpc_python", "mypy", "mypy_grpc")


def main(
    proto_dir: Annotated[Path, typer.Option(help="Folder of the contract.")] = ROOT / "proto",
    out_dir: Annotated[Path, typer.Option(help="Folder that collections_opt/api is written under.")] = ROOT,
    check: Annotated[bool, typer.Option("--check", help="Write nothing; fail if the committed code is stale.")] = False,
    lint: Annotated[bool, typer.Option("--lint", help="Fail unless buf lint passes.")] = False,
    breaking: Annotated[bool, typer.Option("--breaking", help="Fail if a caller of the baseline would break.")] = False,
    image: Annotated[Path | None, typer.Option(help="Write the contract with its comments as one descriptor set here.")] = None,
    accept_baseline: Annotated[bool, typer.Option("--accept-baseline", help="Make this contract the baseline.")] = False,
) -> None:
    """Generate collections_opt/api, unless one of the checks is asked for.

    Example: python scripts/generate_proto.py --check --lint --breaking
    """
    problems: list[str] = []
    if check:
        problems += stale_files(proto_dir, out_dir)
    if lint:
        problems += lint_problems(proto_dir)
    if breaking:
        problems += breaking_problems(proto_dir)
    if accept_baseline:
        build_image(proto_dir, proto_dir / "baseline.binpb", with_source=False)
    if image:
        build_image(proto_dir, image, with_source=True)
    if not (check or lint or breaking or accept_baseline or image):
        generate(proto_dir, out_dir)
    if problems:
        Console(stderr=True, highlight=False).print("\n".join(problems), style="red", markup=False)
        sys.exit(1)
    Console().print("The contract is in order.")


def generate(proto_dir: Path, out_dir: Path) -> None:
    """Write messages, services and their stubs; files of removed protos are deleted."""
    folder = out_dir / PACKAGE
    if folder.is_dir():
        for pattern in GENERATED:
            for old in folder.rglob(pattern):
                old.unlink()
    plugins = [f"--plugin=protoc-gen-{name}={_tool(f'protoc-gen-{name}')}" for name in ("mypy", "mypy_grpc")]
    _protoc(proto_dir, [*plugins, *(f"--{name}_out={out_dir}" for name in PLUGINS)])


def stale_files(proto_dir: Path, out_dir: Path) -> list[str]:
    """Return which committed files differ from freshly generated ones."""
    with tempfile.TemporaryDirectory() as name:
        fresh = Path(name)
        generate(proto_dir, fresh)
        expected = _generated(fresh)
        found = _generated(out_dir)
        stale = [str(p) for p in expected & found if not filecmp.cmp(fresh / p, out_dir / p, shallow=False)]
    wrong = sorted([*stale, *map(str, expected ^ found)])
    return [f"{path}: is stale; run `make proto` and commit it." for path in wrong]


def lint_problems(proto_dir: Path) -> list[str]:
    """Return what buf lint (STANDARD and COMMENTS) finds."""
    with tempfile.TemporaryDirectory() as name:
        image = Path(name) / "image.binpb"
        build_image(proto_dir, image, with_source=True)
        return _buf(["lint", str(image)])


def breaking_problems(proto_dir: Path) -> list[str]:
    """Return what would break callers generated from the baseline, by buf's FILE rules."""
    with tempfile.TemporaryDirectory() as name:
        image = Path(name) / "image.binpb"
        build_image(proto_dir, image, with_source=True)
        return _buf(["breaking", str(image), "--against", str(proto_dir / "baseline.binpb")])


def build_image(proto_dir: Path, image: Path, with_source: bool) -> None:
    """Write the contract with its imports as one descriptor set, which is what buf calls an image."""
    source = ["--include_source_info"] if with_source else []
    _protoc(proto_dir, ["--include_imports", *source, f"--descriptor_set_out={image}"])


def _protoc(proto_dir: Path, arguments: Sequence[str]) -> None:
    files = sorted(proto_dir.glob(f"{PACKAGE.as_posix()}/*/*.proto"))
    well_known = resources.files("grpc_tools") / "_proto"
    includes = [f"-I{proto_dir}", f"-I{sysconfig.get_paths()['purelib']}", f"-I{well_known}"]
    command = [sys.executable, "-m", "grpc_tools.protoc", *includes, *arguments, *map(str, files)]
    done = subprocess.run(command, check=False, capture_output=True, text=True)  # noqa: S603 - our own arguments
    if done.returncode:
        raise typer.BadParameter(f"protoc refused the contract:\n{done.stderr}")


def _buf(arguments: Sequence[str]) -> list[str]:
    command = [_tool("buf"), *arguments, "--config", str(ROOT / "buf.yaml"), "--path", PACKAGE.parts[0]]
    done = subprocess.run(command, check=False, capture_output=True, text=True)  # noqa: S603 - our own arguments
    lines = [line for line in (done.stdout + done.stderr).splitlines() if line]
    return lines or ([f"buf {arguments[0]} ended with {done.returncode}"] if done.returncode else [])


def _tool(name: str) -> str:
    return str(Path(sys.executable).parent / name)


def _generated(root: Path) -> set[Path]:
    return {path.relative_to(root) for pattern in GENERATED for path in (root / PACKAGE).rglob(pattern)}


if __name__ == "__main__":
    typer.run(main)
