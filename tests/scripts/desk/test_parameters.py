"""Value parameters from the terminal: saved by one person, approved by another, shown, exported and saved again."""

import json

import pytest

from tests.support.scripts.processes import ROOT, call, server

COMMANDS = ("save", "approve", "list", "show", "in-force", "export")
EXAMPLE = ROOT / "examples/parameters.toml"
SAVE = ("--file", EXAMPLE, "--set-id", "example", "--effective-from", "2026-01-01")


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help_with_an_example(command):
    shown = call("parameters.py", command, "--help")
    assert shown.returncode == 0
    assert f"Example: python scripts/parameters.py {command}" in " ".join(shown.stdout.split()).replace("│ ", "")


@pytest.fixture(scope="module")
def reach(tmp_path_factory):
    with server(tmp_path_factory.mktemp("parameters")) as flags:
        yield flags


def done(reach, *arguments, code=0):
    shown = call("parameters.py", *arguments, *reach)
    assert shown.returncode == code, shown.stderr
    return shown.stdout if code == 0 else shown.stderr


def test_a_file_becomes_a_set_in_force_and_comes_back_as_the_same_file(reach, tmp_path):
    assert "nothing was saved" in done(reach, "save", *SAVE, "--check", "--actor", "ann")
    assert "Saved as example/1" in done(reach, "save", *SAVE, "--portfolio", "book-*", "--actor", "ann")
    wanted = ("--portfolio", "book-1", "--as-of", "2026-11-24", "--product", "PERSONAL_LOAN")
    assert "VALUES_MISSING" in done(reach, "in-force", *wanted, code=2)
    one = ("--set-id", "example", "--version", "1")
    assert "PERMISSION_DENIED" in done(reach, "approve", *one, "--actor", "ann", code=2)
    assert "example/1 was approved by ben" in done(reach, "approve", *one, "--actor", "ben")
    assert "example/1" in done(reach, "in-force", *wanted)
    found = json.loads(done(reach, "in-force", *wanted, "--product", "CREDIT_CARD", "--json"))
    assert {c["product"]: (c["set_id"], c["version"]) for c in found["choices"]} == {
        "PERSONAL_LOAN": ("example", 1),
        "CREDIT_CARD": ("example", 1),
    }
    listed = done(reach, "list")
    assert "book-*" in listed
    assert "shipped-values/1" in listed
    out = tmp_path / "again.toml"
    done(reach, "export", "--set-id", "example", "--out", out)
    again = ("--file", out, *SAVE[2:], "--portfolio", "book-*", "--actor", "ann", "--json")
    assert "--follows 1" in out.read_text()
    assert "ALREADY_EXISTS" in done(reach, "save", *again, code=2)
    saved = json.loads(done(reach, "save", *again, "--follows", "1"))["state"]
    assert "ETAG_MISMATCH" in done(reach, "save", *again, "--follows", "1", code=2)
    assert saved["version"] == 2
    versions = json.loads(done(reach, "list", "--set-id", "example", "--json"))
    assert [each["state"]["version"] for each in versions] == [2, 1]
    assert versions[0]["state"]["digest"] == versions[1]["state"]["digest"]
    shown = done(reach, "show", "--set-id", "example", "--version", "1")
    for said in ("saved by ann", "approved by ben", "ASSUMED", "Made up for the example", "stay value, bucket 6", "0.360"):
        assert said in " ".join(shown.split())


def test_values_out_of_order_are_refused_with_product_and_bucket(reach, tmp_path):
    file = tmp_path / "late.toml"
    file.write_text(EXAMPLE.read_text().replace("[0.78, 0.75,", "[0.99, 0.75,"))
    told = done(reach, "save", "--file", file, *SAVE[2:], "--actor", "ann", code=2)
    assert "product PERSONAL_LOAN, bucket 0" in " ".join(told.split())


def test_a_server_started_with_a_file_keeps_it_in_place_of_the_shipped_values(tmp_path):
    wanted = ("--as-of", "2026-11-24", "--product", "PERSONAL_LOAN", "--json", "--insecure-loopback")
    for _ in range(2):
        with server(tmp_path, "--insecure-loopback", "--parameters", EXAMPLE) as flags:
            (choice,) = json.loads(done(flags, "in-force", *wanted))["choices"][1:]
            told = (choice["product"], choice["set_id"], choice["version"], choice["approval_mode"])
            assert told == ("PERSONAL_LOAN", "shipped-values", 2, "APPROVAL_MODE_SELF_APPROVED")
