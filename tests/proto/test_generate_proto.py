"""The script as people and the checks call it."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def call(*arguments):
    command = [sys.executable, str(ROOT / "scripts/generate_proto.py"), *map(str, arguments)]
    return subprocess.run(command, check=False, capture_output=True, text=True, cwd=ROOT)


def test_help_names_every_check():
    shown = call("--help").stdout
    for flag in ("--check", "--lint", "--breaking", "--accept-baseline"):
        assert flag in shown


def test_it_generates_code_that_is_then_fresh_and_removes_what_has_no_proto(tmp_path):
    old = tmp_path / "collections_opt/api/v1/removed_service_pb2.py"
    old.parent.mkdir(parents=True)
    old.write_text("")
    assert call("--out-dir", tmp_path, "--check").returncode == 1
    assert call("--out-dir", tmp_path).returncode == 0
    assert not old.exists()
    assert call("--out-dir", tmp_path, "--check").returncode == 0


def test_a_contract_that_protoc_refuses_ends_with_its_words(tmp_path):
    shutil.copytree(ROOT / "proto", tmp_path / "proto")
    (tmp_path / "proto/collections_opt/api/v1/columns.proto").write_text('syntax = "proto3";\nmessage {')
    done = call("--proto-dir", tmp_path / "proto", "--lint")
    assert done.returncode != 0
    assert "columns.proto" in done.stderr


def test_a_new_contract_becomes_the_baseline_only_when_accepted(tmp_path):
    shutil.copytree(ROOT / "proto", tmp_path / "proto")
    path = tmp_path / "proto/collections_opt/api/v1/model_service.proto"
    path.write_text(path.read_text("utf-8").replace("string card = 11", "bytes card = 11"), "utf-8")
    assert call("--proto-dir", tmp_path / "proto", "--breaking").returncode == 1
    assert call("--proto-dir", tmp_path / "proto", "--accept-baseline").returncode == 0
    assert call("--proto-dir", tmp_path / "proto", "--breaking").returncode == 0
