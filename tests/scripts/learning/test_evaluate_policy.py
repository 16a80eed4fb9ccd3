"""Orders are judged on a later month of a log than the effects were learned from, with every form of output, or refused."""

import csv
import hashlib
import io
import json

import pytest

from tests.support.books.own_history import write_history
from tests.support.scripts.processes import call


@pytest.fixture(scope="module")
def desk(tmp_path_factory):
    folder = tmp_path_factory.mktemp("lender")
    made = call("simulate_lender.py", "--data", folder, "--accounts", "160000", "--month", "0", "--month", "6")
    assert made.returncode == 0, made.stderr
    assert "SIMULATED" in made.stdout
    learned = call("train_effects.py", *month(folder, 0), "--version", "calls-1")
    assert learned.returncode == 0, learned.stderr
    return folder


def month(folder, number):
    name = f"simulated-month-{number}"
    return "--data", folder, "--plan", "simulated-desk", "--portfolio", name, "--log", folder / f"{name}.csv"


def test_every_order_is_judged_and_the_learned_effects_find_whom_contact_helps(desk, tmp_path):
    page = tmp_path / "policy.html"
    held = ("--effects", "calls-1", "--parameters", desk / "parameters.toml")
    shown = call("evaluate_policy.py", *month(desk, 6), *held, "--json", "--html", page)
    assert shown.returncode == 0, shown.stderr
    found = json.loads(shown.stdout)
    assert found["effects"] == ["effect/calls-1 over plan/simulated-desk/1"]
    assert list(found["orders"])[:2] == ["EXPECTED_VALUE", "EXPECTED_VALUE_PLANNED_EFFECTS"]
    assert len(found["orders"]) == 10
    for order in found["orders"].values():
        assert set(order["estimates"]) == {"IPS", "SNIPS", "DR"}
        assert order["gain"]["effective_count"] >= 100
        assert order["gain"]["low"] < order["gain"]["value"] < order["gain"]["high"]
        widths = [order["estimates"][name]["standard_error"] for name in ("DR", "IPS")]
        assert widths[0] < widths[1]
    assert found["curves"]["predicted effect"]["qini"]["value"] > found["curves"]["p_cure"]["qini"]["value"]
    text = page.read_text()
    assert text.count("<svg") == 2
    log = desk / "simulated-month-6.csv"
    digest = hashlib.sha256(log.read_bytes()).hexdigest()
    assert found["logs"] == [{"name": log.name, "digest": digest, "row_count": found["logs"][0]["row_count"], "simulated": True}]
    assert found["as_of_dates"] == ["2025-07-31"]
    assert found["effect_evidence"]["early-calls"] in {"EXPERIMENT", "OBSERVATIONAL"}  # by how well the levels are known
    assert text.index("SIMULATED: no person, no lender") < text.index("<h1>")
    assert digest in text
    assert not any(loads in text for loads in ('src="http', 'href="http', "@import", "<script"))


def test_a_validator_sees_the_effects_on_a_log_they_were_not_learned_from(desk, tmp_path):
    folder, plan, named, log = desk, *month(desk, 6)[3::2]
    base = (
        "--models",
        folder / "models",
        "--data",
        folder,
        "--plan",
        plan,
        "--history",
        write_history(tmp_path),
        "--out",
        tmp_path,
    )
    asked = ("--effects", "calls-1", "--portfolio", named)
    shown = call("evaluate_models.py", *base, *asked, "--log", log, "--json")
    assert shown.returncode == 0, shown.stderr
    found = json.loads(shown.stdout)["effects"]
    assert found["effects"].startswith("effect/calls-1")
    assert found["simulated"]
    assert hashlib.sha256(log.read_bytes()).hexdigest() in found["rests_on"]
    page = (tmp_path / "evaluation.html").read_text()
    assert "SIMULATED: no person, no lender" in page
    assert "Effect by segment" in page
    without = call("evaluate_models.py", *base, "--json")
    assert without.returncode == 0, without.stderr
    assert "effects" not in json.loads(without.stdout)
    assert "Not judged: no contact log was given" in (tmp_path / "evaluation.html").read_text()
    own = call("evaluate_models.py", *base, "--effects", "calls-1", "--portfolio", "simulated-month-0", "--log", log)
    assert own.returncode == 2
    assert "was learned from simulated-month-0" in " ".join(own.stderr.split())
    assert call("evaluate_models.py", *base, *asked).returncode == 2


def values_of(desk):
    """Return the flags of the lender's own values: the shipped ones know one product only."""
    return ("--parameters", desk / "parameters.toml")


def test_csv_has_a_line_per_order_and_estimate(desk):
    shown = call("evaluate_policy.py", *month(desk, 6), *values_of(desk), "--effects", "plan", "--reward", "CASH", "--csv")
    assert shown.returncode == 0, shown.stderr
    lines = list(csv.DictReader(io.StringIO(shown.stdout)))
    assert {line["estimate"] for line in lines} == {"IPS", "SNIPS", "DR", "GAIN", "BEHIND"}
    assert len({line["order"] for line in lines}) == 9
    assert all(line["refusal"] == "" for line in lines)


def test_effects_are_not_judged_on_what_they_learned_from_nor_orders_on_too_few_rows(desk, tmp_path):
    own = call("evaluate_policy.py", *month(desk, 0), "--effects", "calls-1")
    assert own.returncode == 2
    assert "was learned from simulated-month-0" in " ".join(own.stderr.split())
    lines = (desk / "simulated-month-6.csv").read_text().splitlines()
    few = tmp_path / "few.csv"
    few.write_text("\n".join(lines[:2_000]) + "\n")
    base = month(desk, 6)[:-1]
    small = call("evaluate_policy.py", *base, few, *values_of(desk))
    assert small.returncode == 2, small.stdout
    assert "100 are needed" in " ".join(small.stdout.split())
    assert "randomised rows in all" in " ".join(small.stdout.split())
    assert "SIMULATED" in small.stdout
    real = tmp_path / "real.csv"  # a lender's own log has no such column
    real.write_text("\n".join(line.rpartition(",")[0] for line in lines[:2_000]) + "\n")
    assert "SIMULATED" not in call("evaluate_policy.py", *base, real, *values_of(desk)).stdout
    none = tmp_path / "none.csv"
    names = lines[0].split(",")
    columns = [names.index("propensity"), names.index("queue_propensity")]
    chosen = [line for line in lines[1:] if not line.split(",")[columns[0]]]
    none.write_text("\n".join([lines[0], *chosen]) + "\n")
    refused = call("evaluate_policy.py", *base, none, *values_of(desk))
    assert refused.returncode == 2
    assert "no randomised row" in " ".join(refused.stderr.split())
