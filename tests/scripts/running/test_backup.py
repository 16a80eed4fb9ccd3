"""Backup and restore as an operator runs them: while a server serves, keys apart, verified, later records told."""

import json

import pytest

from tests.support.books.evidence_worlds import MODELS, book, opened
from tests.support.scripts.processes import call, server


@pytest.fixture
def data(tmp_path):
    workspace = opened(tmp_path / "data")
    workspace.books.import_portfolio("p1", book(20))
    workspace.close()
    return tmp_path / "data"


def test_a_served_ledger_is_backed_up_and_lives_again_elsewhere(data, tmp_path):
    backups, keys, again = tmp_path / "backups", tmp_path / "safe", tmp_path / "again"
    with server(data):
        made = call("backup.py", "--data", data, "--to", backups, "--keys-to", keys, "--json")
        assert made.returncode == 0, made.stderr
    assert not list(backups.rglob("*.key"))
    among = call("backup.py", "--data", data, "--to", backups, "--keys-to", backups / "keys")
    assert (among.returncode, "lies among the backups" in among.stderr) == (2, True)
    done = call("restore.py", "--from", backups, "--data", again, "--keys-from", keys)
    assert done.returncode == 0, done.stderr
    assert f"{json.loads(made.stdout)['log_size']} log entries, verified" in done.stdout
    shown = call("verify.py", "log", "--data", again, "--models", MODELS)
    assert shown.returncode == 0, shown.stdout
    assert "kept elsewhere" in shown.stdout


def test_what_a_backup_cannot_hold_is_told_and_a_person_decides(data, tmp_path):
    backups, outside, again = tmp_path / "backups", tmp_path / "outside", tmp_path / "again"
    assert call("backup.py", "--data", data, "--to", backups).returncode == 0
    with server(data, "--insecure-loopback", "--checkpoints-at", outside):
        pass
    workspace = opened(data)
    workspace.books.import_portfolio("p2", book(20, seed=2))
    workspace.close()
    with server(data, "--insecure-loopback", "--checkpoints-at", outside):
        pass
    reach = ("--data", again, "--keys", data / "keys", "--checkpoints-at", outside)
    done = call("restore.py", "--from", backups, *reach)
    assert done.returncode == 0, done.stderr
    assert "its tail was cut off" in done.stdout
    shown = call("settle_fork.py", *reach)
    assert (shown.returncode, "it takes no writes" in shown.stdout) == (1, True)
    assert "reason: is empty" in call("settle_fork.py", *reach, "--accept").stderr
    settled = call("settle_fork.py", *reach, "--accept", "--actor", "ann", "--reason", "disk lost")
    assert settled.returncode == 0, settled.stderr
    assert call("settle_fork.py", *reach).returncode == 0


def test_keys_are_shown_and_changed_and_evidence_of_before_holds(data):
    before = json.loads(call("keys.py", "show", "--data", data, "--json").stdout)
    assert len(before[0]["fingerprint"].split()) == 16
    for how in ("rotate-signing", "rotate-master"):
        assert call("keys.py", how, "--data", data, "--actor", "ann").returncode == 0
    after = json.loads(call("keys.py", "show", "--data", data, "--json").stdout)
    assert after[1:] == before
    checkpoint = max((data / "checkpoints").glob("*.txt"))
    shown = call("verify.py", "log", "--data", data, "--models", MODELS, "--checkpoint", checkpoint)
    assert shown.returncode == 0, shown.stdout + shown.stderr
    assert "kept checkpoint 1" in shown.stdout


def test_a_password_among_the_arguments_is_refused_and_never_repeated(data, tmp_path):
    url = "postgresql+psycopg://owner:hunter2@127.0.0.1:1/ledger"
    refused = call("backup.py", "--data", data, "--to", tmp_path / "b", "--database-url", url)
    assert refused.returncode == 2
    assert "holds a password" in refused.stderr
    file = tmp_path / "url"
    file.write_text(url)
    unreachable = call("backup.py", "--data", data, "--to", tmp_path / "b", "--database-url-file", file)
    assert unreachable.returncode == 2
    assert "STORAGE_UNAVAILABLE" in unreachable.stderr
    assert "hunter2" not in refused.stderr + unreachable.stderr
