"""``collections-opt`` from a wheel, away from the repository: what it needs is in it, and the base install is the client."""

import ast
import os
import subprocess
import sys
import venv
from pathlib import Path

import pytest

from collections_opt.cli.main import ROOMS, commands
from collections_opt.datasets.shipped import shipped

ROOT = Path(__file__).parents[2]
LIBRARIES = Path(pytest.__file__).parents[1]
CLIENT_ALONE = """
import sys
looked_for_by_grpc = {"grpc_health", "grpc_reflection", "grpc_tools"}  # it takes them where they are
allowed = {"collections_opt", "numpy", "grpc", "google", "grpc_status", "typing_extensions", *looked_for_by_grpc}
import collections_opt.client.client, collections_opt.client.rankings, collections_opt.client.portfolios
loaded = {name.split(".")[0] for name, module in sys.modules.items() if "site-packages" in str(getattr(module, "__file__", ""))}
print(sorted(name for name in loaded - allowed if not name.startswith("_")))
"""

OF_THE_CLIENT = (
    "worklist",
    "explain",
    "overview",
    "verify",
    "replay",
    "export-evidence",
    "erase",
    "holds",
    "retention",
    "check-contact",
)
WITHOUT_SERVER = """
import re, sys
from importlib.metadata import distribution
from pathlib import Path
from packaging.requirements import Requirement
import tomllib
extra = tomllib.loads(Path(sys.argv[1]).read_text())["project"]["optional-dependencies"]["server"]
for given in extra:
    name = Requirement(given).name
    for path in distribution(name).files or []:
        if path.suffix in {".py", ".so"} and "-" not in path.parts[0]:
            sys.modules[path.parts[0].split(".")[0]] = None
sys.argv = ["collections-opt", sys.argv[2], "--help"]
from collections_opt.cli.main import main
main()
"""


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """Return a call of an environment that holds the wheel and, by path, the locked libraries; not the repository."""
    folder = tmp_path_factory.mktemp("installed")
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    wheel = next(folder.glob("*.whl"))
    venv.create(folder / "env")
    python = folder / "env/bin/python"
    install = [sys.executable, "-m", "pip", "--python", str(python), "install", "-q", "--no-deps", wheel]
    subprocess.run(install, check=True, capture_output=True, cwd=folder)

    def call(*arguments):
        # Libraries by path: a .pth file that would lead to the repository is not read there.
        environment = {**os.environ, "PYTHONPATH": str(LIBRARIES)}
        command = [str(python.parent / arguments[0]), *map(str, arguments[1:])]
        return subprocess.run(command, capture_output=True, text=True, check=False, cwd=folder, env=environment, timeout=300)

    return call


def test_what_the_package_ships_is_in_the_wheel(installed):
    shown = installed("python", "-c", "import collections_opt as c; "
                      "from collections_opt.application.records.provenance import runtime; "
                      "print(c.__file__, runtime().lock_digest, runtime().code_version)")  # fmt: skip
    assert shown.returncode == 0, shown.stderr
    where, lock, version = shown.stdout.split()
    assert str(ROOT) not in where
    from collections_opt.application.records.provenance import runtime  # noqa: PLC0415 - the checkout's own

    assert (lock, version) == (runtime().lock_digest, runtime().code_version)


def test_a_day_of_work_away_from_the_repository(installed, tmp_path):
    data = tmp_path / "book"
    data.mkdir()
    ranked = installed("collections-opt", "rank", "--data", data, "--json")
    assert ranked.returncode == 0, ranked.stderr
    listed = installed("collections-opt", "worklist", "--data", data, "--queue", "early-calls", "--size", "3", "--csv")
    assert listed.returncode == 0, listed.stderr
    assert len(listed.stdout.splitlines()) == 4
    assert installed("collections-opt", "verify", "ranking", "--data", data).returncode == 0


def test_help_names_the_command_and_a_slip_is_told(installed):
    shown = installed("collections-opt", "worklist", "--help")
    assert "Example: collections-opt worklist --data var/demo" in " ".join(shown.stdout.split())
    assert "scripts/" not in shown.stdout
    listed = installed("python", "-m", "collections_opt", "--help").stdout
    assert all(f"  {name} " in listed for name in commands())
    slip = installed("collections-opt", "ranc")
    assert (slip.returncode, "Did you mean rank?" in slip.stderr) == (2, True)


def test_the_client_needs_no_library_of_the_server(installed):
    shown = installed("python", "-c", CLIENT_ALONE)
    assert shown.stdout.strip() == "[]", shown.stdout + shown.stderr


@pytest.mark.parametrize("name", [*OF_THE_CLIENT, "rank", "serve", "console"])
def test_a_command_works_with_the_client_alone_or_says_what_to_install(name):
    command = [sys.executable, "-c", WITHOUT_SERVER, str(ROOT / "pyproject.toml"), name]
    shown = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=120)
    if name in OF_THE_CLIENT:
        assert (shown.returncode, "Usage" in shown.stdout) == (0, True), shown.stderr
    else:
        assert shown.returncode == 2, shown.stderr
        extra = "console" if name == "console" else "server"
        assert f"pip install 'collections-opt[{extra}]'" in shown.stderr
        assert "Traceback" not in shown.stderr


def test_the_readme_names_the_commands_of_the_client():
    words = " ".join((ROOT / "README.md").read_text("utf-8").split())
    assert ", ".join(f"`{name}`" for name in OF_THE_CLIENT) in words


def test_every_script_that_people_run_is_a_command():
    names = {path.stem for path in (ROOT / "scripts").glob("*.py")}
    assert {path.stem for path in commands().values()} == names - {"generate_proto"}
    for path in commands().values():
        script = (ROOT / "scripts" / path.name).read_text("utf-8")
        assert f"from collections_opt.cli.{path.parent.name}.{path.stem} import command" in script
        assert ast.get_docstring(ast.parse(script)) == ast.get_docstring(ast.parse(path.read_text("utf-8")))


def test_every_command_is_in_a_room():
    cli = ROOT / "collections_opt/cli"
    assert {path.name for path in cli.iterdir() if path.is_dir() and path.name != "__pycache__"} == {*ROOMS, "common"}
    assert shipped("models") == ROOT / "models"
