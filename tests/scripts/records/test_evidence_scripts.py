"""Evidence as people ask for it: verify, explain at a date, replay, export, erase; exit codes that a job can rely on."""

import json
import subprocess
import sys
import zipfile

import pytest

from tests.support.books.evidence_worlds import MODELS, book, opened, ranked
from tests.support.ledger.ledgers import without_triggers
from tests.support.scripts.processes import call, server


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    folder = tmp_path_factory.mktemp("evidence")
    workspace = opened(folder)
    workspace.books.import_portfolio("p1", book(40))
    ranked(workspace)
    workspace.close()
    return folder


def ask(data, name, *arguments):
    return call(name, *arguments, "--data", data, "--models", MODELS)


def test_log_and_ranking_hold_in_words_and_for_machines(data):
    shown = ask(data, "verify.py", "log")
    assert shown.returncode == 0, shown.stderr
    assert shown.stdout.startswith("The log of all records: INTEGRITY. Nothing that is stored was altered")
    shown = ask(data, "verify.py", "ranking")
    assert shown.returncode == 0, shown.stderr
    assert "every figure follows from the recorded inputs" in shown.stdout
    assert shown.stdout.count("  holds   ") == 8
    shown = ask(data, "verify.py", "ranking", "--json")
    assert json.loads(shown.stdout)["verdict"]["strength"] == "EVIDENCE_STRENGTH_CERTIFICATE"
    shown = ask(data, "replay.py")
    assert shown.returncode == 0, shown.stderr
    assert "BIT_IDENTICAL" in shown.stdout


def test_the_answer_at_a_date_and_the_archive_are_checked_without_this_software(data, tmp_path):
    with server(data) as address:
        proof, archive = tmp_path / "proof.json", tmp_path / "evidence.zip"
        shown = call("explain.py", *address, "--account", "AC-00007", "--at", "2026-11-24", "--proof", proof)
        assert shown.returncode == 0, shown.stderr
        assert "Decided by rk-" in shown.stdout
        shown = call("export_evidence.py", *address, "--out", archive)
        assert shown.returncode == 0, shown.stderr
        key = json.loads(call("verify.py", *address, "log", "--json").stdout)["verifier_key"]
    verifier = tmp_path / "verify_evidence.py"
    with zipfile.ZipFile(archive) as content:
        verifier.write_bytes(content.read("verify_evidence.py"))
    for file in (proof, archive):
        command = [sys.executable, "-I", "-S", str(verifier), str(file), "--key", key]
        assert subprocess.run(command, capture_output=True, check=False, cwd=tmp_path).returncode == 0
        altered = bytearray(file.read_bytes())
        altered[len(altered) // 2] ^= 1
        file.write_bytes(altered)
        told = subprocess.run(command, capture_output=True, check=False, text=True, encoding="utf-8")
        assert told.returncode == 1
        assert told.stdout.startswith("DOES NOT HOLD")
    nobody = ask(data, "explain.py", "--account", "nobody", "--at", "2026-11-24")
    assert nobody.returncode == 2
    assert "NOT_FOUND" in nobody.stderr


def test_a_persons_pack_is_checked_without_this_software_and_an_altered_one_refused(data, tmp_path):
    pack, verifier = tmp_path / "person.zip", tmp_path / "verify_evidence.py"
    days = ["--from", "2026-11-01", "--to", "2026-11-30"]
    shown = ask(data, "person_pack.py", "--account", "AC-00007", *days, "--out", pack)
    assert shown.returncode == 0, shown.stderr
    with zipfile.ZipFile(pack) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    verifier.write_bytes(files["verify_evidence.py"])
    content = json.loads(files["pack.json"])
    assert content["decisions"][0]["answer"]["account_id"] == "AC-00007"
    assert content["decisions"][0]["explanation"]["sentence"].encode() in files["person.html"].replace(b"&#39;", b"'")
    assert {fact["name"] for fact in content["decisions"][0]["facts"]} >= {"balance_minor_units", "days_past_due"}

    def checked():
        command = [sys.executable, "-I", "-S", str(verifier), str(pack)]
        return subprocess.run(command, capture_output=True, check=False, text=True, encoding="utf-8").stdout

    assert checked().startswith("HOLDS")
    content["decisions"][0]["explanation"]["disposition"] = "DISPOSITION_HELD_OUT"
    with zipfile.ZipFile(pack, "w") as archive:
        for name, held in {**files, "pack.json": json.dumps(content).encode()}.items():
            archive.writestr(name, held)
    assert checked().startswith("DOES NOT HOLD")
    refused = ask(data, "person_pack.py", "--account", "nobody", *days)
    assert refused.returncode == 2
    assert "NOT_FOUND" in refused.stderr
    told = ask(data, "portfolio_pack.py", *days, "--out", tmp_path / "book.zip", "--json")
    assert json.loads(told.stdout)["pack"]["ranking_count"] == 1


def test_holds_and_retention_refuse_and_an_erasure_is_told(data):
    refused = [f"AC-{i:05d}" for i in range(40)]
    shown = ask(data, "holds.py", "place", "--account", refused[3], "--hold-id", "case-7", "--reason", "court")
    assert shown.returncode == 0, shown.stderr
    kept = ask(data, "erase.py", "accounts", "--account", refused[3], "--reason", "request")
    assert kept.returncode == 2
    assert "case-7" in kept.stderr
    (listed,) = json.loads(ask(data, "holds.py", "list", "--json").stdout)
    assert (listed["hold_id"], listed["account_count"], listed["reason"]) == ("case-7", 1, "court")
    told = ask(data, "retention.py", "--account", refused[3]).stdout
    assert "3 years" in told
    assert "case-7" in told
    assert ask(data, "holds.py", "release", "--hold-id", "case-7", "--reason", "settled").returncode == 0
    answers = {a: ask(data, "erase.py", "accounts", "--account", a, "--reason", "request", "--dry-run") for a in refused[:4]}
    assert {answer.returncode for answer in answers.values()} <= {0, 2}
    free = next(account for account, answer in answers.items() if answer.returncode == 0)
    shown = ask(data, "erase.py", "accounts", "--account", free, "--reason", "request", "--json")
    told = ask(data, "verify.py", "log").stdout
    assert f"The log holds {json.loads(shown.stdout)['log_position'] + 1} entries" in " ".join(told.split())
    assert ask(data, "explain.py", "--account", free, "--at", "2026-11-24").returncode == 2
    assert ask(data, "verify.py", "log").returncode == 0


def test_lapsed_accounts_are_counted_before_they_are_erased(data):
    common = ("erase.py", "lapsed", "--reason", "retention", "--dry-run")
    shown = ask(data, *common, "--before", "2026-11-20", "--json")
    assert shown.returncode == 0, shown.stderr
    assert (json.loads(shown.stdout)["erased_count"], json.loads(shown.stdout)["log_position"]) == (0, None)
    shown = ask(data, *common)
    assert shown.returncode == 2
    assert "before" in shown.stderr


def test_an_edit_has_exit_code_1_and_says_what(data):
    with without_triggers(f"sqlite:///{data / 'ledger.db'}") as engine, engine.begin() as connection:
        connection.exec_driver_sql("UPDATE ranking_entries SET surplus_minor = surplus_minor + 1 WHERE priority = 1")
    shown = ask(data, "verify.py", "ranking")
    assert shown.returncode == 1
    assert "does NOT hold" in shown.stdout
    assert "BROKEN  record: its worklists differ" in shown.stdout
