"""Currencies without decimals and with three, from the file to the stand-alone verifier; and a desk without a minute."""

import json
import re
import subprocess
import sys
import zipfile

import pytest

from tests.support.scripts.processes import ROOT, call, server

REPORTS = ROOT / "tests" / "data" / "field_reports"
MONEY = re.compile(r"\d[\d,]*(?:\.\d+)? (?:JPY|KWD)")


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    with server(tmp_path_factory.mktemp("currencies")) as flags:
        yield flags


def ranked(address, code, folder):
    mapping = folder / f"{code}.toml"
    # The report says no jurisdiction, and an account that may be anywhere is bound by every rule.
    mapping.write_text((REPORTS / f"{code}.toml").read_text() + f'state = {{ constant = "{code[:2].upper()}" }}\n')
    for flags in (
        ("save_plan.py", "--file", REPORTS / f"{code}_plan.toml"),
        ("import_portfolio.py", "--file", REPORTS / "jpy.csv", "--mapping", mapping, "--portfolio", code),
    ):
        done = call(flags[0], *address, *flags[1:])
        assert done.returncode == 0, done.stderr
    made = call("rank.py", *address, "--portfolio", code, "--plan", f"{code}-desk", "--accept-suspect-scores")
    assert made.returncode == 0, made.stderr
    return made.stdout


def verified(archive, folder, key):
    verifier = folder / "verify_evidence.py"
    with zipfile.ZipFile(archive) as content:
        verifier.write_bytes(content.read("verify_evidence.py"))
    command = [sys.executable, "-I", "-S", str(verifier), str(archive), "--key", key]
    done = subprocess.run(command, capture_output=True, check=False, cwd=folder, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize(("code", "decimals"), [("jpy", 0), ("kwd", 3)])
def test_every_amount_has_the_decimals_of_its_currency(address, code, decimals, tmp_path):
    shown = ranked(address, code, tmp_path)
    ranking_id = re.search(r"(rk-\w+): ", shown)[1]
    worklist = call("worklist.py", *address, "--ranking", ranking_id, "--queue", "calls", "--json")
    first = json.loads(worklist.stdout)[0]
    told = call("explain.py", *address, "--ranking", ranking_id, "--account", first["account_id"]).stdout
    archive = tmp_path / "evidence.zip"
    done = call("export_evidence.py", *address, "--ranking", ranking_id, "--out", archive)
    assert done.returncode == 0, done.stderr
    key = json.loads(call("verify.py", *address, "log", "--json").stdout)["verifier_key"]
    checked = verified(archive, tmp_path, key)
    worth = f"{first['increment_minor_units'] / 10**decimals:,.{decimals}f}"
    assert worth in " ".join(told.split())
    for text in (shown, told, checked):
        amounts = MONEY.findall(" ".join(text.split()))
        assert amounts, text
        assert all(len(amount.split()[0].partition(".")[2]) in {0, decimals} for amount in amounts), amounts
