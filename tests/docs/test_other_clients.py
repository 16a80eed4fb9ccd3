"""Clients that know nothing of this project, against a real server: the README's buf curl commands, Node and Java."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import grpc_tools
import pytest

from tests.support.readme import ADDRESS, README
from tests.support.scripts.processes import ROOT, call, server

NODE = ROOT / "examples" / "node"
CURLS = re.findall(r"^\.venv/bin/buf (curl .*?)(?=\n\.venv|\n```)", README, re.MULTILINE | re.DOTALL)
BUF = shutil.which("buf", path=str(Path(sys.executable).parent)) or shutil.which("buf")


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    data = tmp_path_factory.mktemp("data")
    with server(data) as flags:
        assert call("rank.py", *flags).returncode == 0
        yield flags[1]


def curl(command, address):
    shown = subprocess.run(
        f"{BUF} {command.replace(ADDRESS, address)}",
        shell=True,
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    return shown.returncode, shown.stdout or shown.stderr


@pytest.mark.skipif(BUF is None, reason="no buf: it comes with the development requirements")
def test_the_reflection_client_finds_and_calls_the_services(address):
    assert len(CURLS) >= 3
    shown = [curl(command, address) for command in CURLS]
    assert [code for code, _ in shown] == [0] * len(shown), shown
    assert "collections_opt.api.v1.RankingService/CreateRanking" in shown[0][1]
    scored = json.loads(shown[1][1])
    assert scored["accounts"][0]["accountId"] == "a-1"
    assert {"pCure", "reasonCodes", "queues"} <= scored["accounts"][0].keys()


@pytest.mark.skipif(BUF is None, reason="no buf: it comes with the development requirements")
def test_the_reflection_client_is_told_reason_and_field(address):
    command = next(command for command in CURLS if "GetPortfolio" in command)
    code, told = curl(command.replace("uci-2005-08", "absent"), address)
    assert code != 0
    assert (json.loads(told)["code"], "portfolio_id" in told) == ("not_found", True)


def why_no_node():
    """Return why the Node example cannot run here, empty if it can; installing its packages needs their registry."""
    if shutil.which("node") is None:
        return "no node"
    return "" if (NODE / "node_modules").is_dir() else "its packages are not installed: make example-node installs and runs it"


@pytest.mark.skipif(bool(why_no_node()), reason=why_no_node() or "runs")
def test_node_imports_ranks_and_is_refused_with_a_reason(address):
    shown = subprocess.run(["node", NODE / "morning.js", address], capture_output=True, text=True, timeout=120, check=False)
    assert shown.returncode == 0, shown.stderr
    assert "3 of 3 accounts accepted" in shown.stdout
    assert "N-3: Not worked" in shown.stdout
    assert "refused: NOT_FOUND at queue_id" in shown.stdout


@pytest.mark.skipif(bool(why_no_node()), reason=why_no_node() or "runs")
def test_node_lives_a_platforms_day(address):
    shown = subprocess.run(["node", NODE / "day.js", address], capture_output=True, text=True, timeout=120, check=False)
    assert shown.returncode == 0, shown.stderr
    assert re.search(r"called D-\d: LEASE_STATE_COMPLETED", shown.stdout)
    assert "WORKED" in shown.stdout
    assert "PAID" in shown.stdout
    assert "next: " in shown.stdout


def test_python_lives_a_platforms_day(address):
    command = [sys.executable, ROOT / "examples/python/day.py", address]
    shown = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    assert shown.returncode == 0, shown.stderr
    assert re.search(r"called P-\d: LEASE_STATE_COMPLETED", shown.stdout)
    assert "WORKED" in shown.stdout
    assert re.search(r"a text to P-\d: CONTACT_VERDICT_BLOCKED, .*PAID", shown.stdout)
    assert "next: " in shown.stdout


def test_the_node_example_is_pinned_with_hashes():
    wanted = json.loads((NODE / "package.json").read_text())["dependencies"]
    locked = json.loads((NODE / "package-lock.json").read_text())["packages"]
    assert all(re.fullmatch(r"\d+\.\d+\.\d+", version) for version in wanted.values())
    assert {name: locked[f"node_modules/{name}"]["version"] for name in wanted} == wanted
    assert all(package.get("integrity", "").startswith("sha512-") for name, package in locked.items() if name)


INCLUDES = Path(grpc_tools.__file__).parent / "_proto"
JAVA = ROOT / "examples" / "java"
JARS = Path(os.environ.get("JARS", "/usr/share/java"))


def why_no_java():
    """Return why the Java example cannot run here, empty if it can."""
    missing = [name for name in ("java", "javac", "protoc", "grpc_java_plugin") if shutil.which(name) is None]
    missing += [name for name in ("grpc-netty.jar", "protobuf.jar") if not (JARS / name).exists()]
    return f"no {', '.join(missing)}: examples/java/build.sh says what it needs" if missing else ""


@pytest.mark.skipif(bool(why_no_java()), reason=why_no_java() or "runs")
def test_java_imports_ranks_and_is_refused_with_a_reason(address, tmp_path):
    built = subprocess.run(
        [JAVA / "build.sh", tmp_path / "java"],
        env={**os.environ, "INCLUDES": str(INCLUDES)},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert built.returncode == 0, built.stderr
    command = ["java", "-cp", f"{tmp_path / 'java'}:{JARS}/*", "Morning", address]
    shown = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert shown.returncode == 0, shown.stderr
    assert "3 of 3 accounts accepted" in shown.stdout
    assert "J-3: Not worked" in shown.stdout
    assert "refused: NOT_FOUND" in shown.stdout


GO = ROOT / "examples" / "go"
GOSOURCES = Path(os.environ.get("GOSOURCES", "/usr/share/gocode"))


def why_no_go():
    """Return why the Go example cannot run here, empty if it can."""
    missing = [name for name in ("go", "protoc", "protoc-gen-go", "protoc-gen-go-grpc") if shutil.which(name) is None]
    wanted = ("google.golang.org/grpc", "google.golang.org/protobuf", "google.golang.org/genproto/googleapis/type/date")
    missing += [name for name in wanted if not (GOSOURCES / "src" / name).is_dir()]
    return f"no {', '.join(missing)}: examples/go/build.sh says what it needs" if missing else ""


@pytest.mark.skipif(bool(why_no_go()), reason=why_no_go() or "runs")
def test_go_imports_ranks_and_is_refused_with_a_reason(address):
    out = ROOT / "build" / "go"  # where it always is: what Go keeps of packages goes by their path
    built = subprocess.run(
        [GO / "build.sh", out],
        env={**os.environ, "INCLUDES": str(INCLUDES), "GOCACHE": str(ROOT / "build" / "go-cache")},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert built.returncode == 0, built.stderr
    shown = subprocess.run([out / "morning", address], capture_output=True, text=True, timeout=120, check=False)
    assert shown.returncode == 0, shown.stderr
    assert "3 of 3 accounts accepted" in shown.stdout
    assert "G-3: Not worked" in shown.stdout
    assert "refused: NOT_FOUND of collections-opt/queue no-such-queue" in shown.stdout
