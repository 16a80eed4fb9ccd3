"""The Containerfile holds what it promises, read as text: no daemon builds it here."""

from __future__ import annotations

import json
import re

from tests.support.scripts.processes import ROOT, call, server

TEXT = (ROOT / "Containerfile").read_text()
LINES = re.sub(r"\\\n\s*", " ", re.sub(r"(?m)^#.*\n", "", TEXT)).splitlines()


def of(instruction):
    return [line.removeprefix(instruction).strip() for line in LINES if line.startswith(f"{instruction} ")]


def command(text):
    return json.loads(text[text.index("[") :])


def test_the_server_runs_without_rights():
    assert of("USER") == ["10001"]
    last = max(i for i, line in enumerate(LINES) if line.startswith("USER "))
    assert not any(line.startswith("RUN ") for line in LINES[last:])
    assert "useradd --uid 10001" in TEXT


def test_dependencies_are_locked_and_hashed():
    installs = [line for line in of("RUN") if "pip install" in line]
    assert len(installs) == 1
    assert "--require-hashes -r /build/runtime.txt" in installs[0]


def test_everything_copied_exists_and_is_let_through():
    kept = {line.removeprefix("!") for line in (ROOT / ".containerignore").read_text().splitlines() if line.startswith("!")}
    copied = {line.split()[0] for line in of("COPY") if not line.startswith("--from")}
    assert copied
    assert copied <= kept
    assert all((ROOT / path).exists() for path in kept)
    assert (ROOT / "Containerfile.dockerignore").read_text() == (ROOT / ".containerignore").read_text()


def test_it_serves_tls_and_never_plaintext():
    served = [*command(of("ENTRYPOINT")[0]), *command(of("CMD")[0])]
    assert "--tls-key" in served
    assert "--insecure-loopback" not in TEXT
    options = call("serve.py", "--help").stdout
    assert all(flag in options for flag in served if flag.startswith("--"))


def test_the_probe_says_whether_a_server_serves(tmp_path):
    probe = command(of("HEALTHCHECK")[0])
    assert probe[1] == "scripts/health.py"
    options = call("health.py", "--help").stdout
    assert all(flag in options for flag in probe if flag.startswith("--"))
    with server(tmp_path / "data") as (_, address, plain):
        healthy = call("health.py", "--address", address, plain)
        unknown = call("health.py", "--address", address, plain, "--service", "no.such.Service")
    assert (healthy.returncode, healthy.stdout.strip()) == (0, "SERVING")
    assert unknown.returncode == 1
    gone = call("health.py", "--address", address, plain, "--timeout-seconds", "2")
    assert (gone.returncode, "not reached" in gone.stderr) == (1, True)
