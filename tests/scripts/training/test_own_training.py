"""A stranger trains on a history of their own: three months of files become a model that ranks, or a refusal names the fault."""

import json
from dataclasses import replace

import numpy as np
import pytest

from collections_opt.application.evaluation.own import evaluate_own
from collections_opt.application.training.own import own_data
from collections_opt.core.errors import CollectionsError
from collections_opt.datasets.files.training_files import read_training
from tests.support.books.own_history import write_history
from tests.support.models.folders import SHIPPED, SHIPPED_VERSION
from tests.support.scripts.processes import call

KNOWN_LATER = """
[own.line]
source = "credit_limit_minor"
kind = "NUMBER"
meaning = "Limit as it was in June."
unit = "minor units"
known_as_of = 2005-06-01

[columns]
"""


@pytest.fixture(scope="module")
def history(tmp_path_factory):
    folder = tmp_path_factory.mktemp("history")
    write_history(folder)
    return folder


def test_a_model_of_ones_own_is_trained_judged_on_the_last_period_and_ranks(history, tmp_path):
    models = tmp_path / "models"
    trained = call(
        "train_models.py", "--history", history / "training.toml", "--models-dir", models, "--version", "own-1", "--json"
    )
    assert trained.returncode == 0, trained.stderr
    assert 0.5 < json.loads(trained.stdout)["metrics"]["cure_auc"] < 1
    card = (models / "outcome/own-1/CARD.md").read_text()
    for said in ("Cards of a test.", "Not for decisions.", "Trained on 2005-05, 2005-06", "Out of time (2005-07"):
        assert said in card
    judged = call(
        "evaluate_models.py",
        *("--history", history / "training.toml", "--models", models, "--version", "own-1", "--out", tmp_path, "--json"),
    )
    assert judged.returncode == 0, judged.stderr
    found = json.loads(judged.stdout)["model"]
    assert found["judged_on"] == "2005-07"
    assert found["money"] == "the arrears of accounts that cured"
    assert found["classes"]["cure"]["auc"]["value"] == pytest.approx(json.loads(trained.stdout)["metrics"]["cure_auc"], abs=1e-6)
    page = (tmp_path / "evaluation.html").read_text()
    assert page.count("<svg") == 4
    assert not any(said in page for said in ("September", "LendingClub"))
    (tmp_path / "data").mkdir()
    ranked = call("rank.py", "--data", tmp_path / "data", "--models", models, "--json")
    assert ranked.returncode == 0, ranked.stderr
    assert json.loads(ranked.stdout)["inputs"]["model_version"] == "outcome/own-1"


@pytest.mark.parametrize(
    ("file", "old", "new", "told"),
    [
        ("training.toml", '[[periods]]\nname = "2005-05"', '[[periods]]\nnome = "2005-05"', "periods[0]"),
        ("training.toml", "2005-06-28", "2005-05-28", "order of time"),
        ("training.toml", "5.csv", "4.csv", "4.csv"),
        ("mapping.toml", "\n[columns]\n", KNOWN_LATER, "own.line.known_as_of: 2005-06-01 is after"),
        ("5-outcomes.csv", "STAY", "STAYED", "'STAYED'"),
        ("5-outcomes.csv", "outcome", "result", "outcome"),
        ("5-outcomes.csv", '"DEFAULT"', '"STAY"', "0 accounts with DEFAULT"),
    ],
)
def test_a_fault_of_a_history_is_told_where_it_is(history, tmp_path, file, old, new, told):
    for path in history.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    text = (tmp_path / file).read_text()
    assert old in text
    (tmp_path / file).write_text(text.replace(old, new))
    with pytest.raises(CollectionsError) as caught:
        own_data(*read_training(tmp_path / "training.toml"))
    assert told in str(caught.value)


def test_an_account_without_an_outcome_is_told_by_its_id(history, tmp_path):
    for path in history.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    lines = (tmp_path / "6-outcomes.csv").read_text().splitlines(keepends=True)
    (tmp_path / "6-outcomes.csv").write_text("".join(lines[:-1]))
    with pytest.raises(CollectionsError) as caught:
        own_data(*read_training(tmp_path / "training.toml"))
    assert lines[-1].split(",")[0].strip('"') in str(caught.value)


def test_the_cash_of_a_history_is_counted_by_account_and_a_period_that_was_fitted_on_is_refused(history, tmp_path):
    settings, labelled = read_training(history / "training.toml")
    later = labelled[-1]
    cash = np.arange(later.account_id.size) * 100
    shuffled = np.random.default_rng(1).permutation(later.account_id.size)
    labels = {"account_id": later.account_id[shuffled], "outcome": later.outcome[shuffled], "cash_minor": cash[shuffled]}
    paid = [*labelled[:-1], replace(later, **labels)]
    found = evaluate_own(SHIPPED, SHIPPED_VERSION, settings, paid)
    assert found.money == "the cash paid in the period"
    top = np.sort(cash)[::-1][: round(0.2 * cash.size)].sum() / cash.sum()
    assert found.gains["perfect hindsight"][0.2].value == pytest.approx(top)
    with pytest.raises(CollectionsError, match="was fitted on 2005-07 of uci_credit_card"):
        evaluate_own(SHIPPED, SHIPPED_VERSION, replace(settings, dataset="uci_credit_card"), paid)


def test_own_columns_and_groups_of_a_history_are_told_at_training(history, tmp_path):
    for path in history.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    mapping = (tmp_path / "mapping.toml").read_text()
    (tmp_path / "mapping.toml").write_text(mapping.replace("\n[columns]\n", KNOWN_LATER.replace("known_as_of = 2005-06-01", "")))
    ids = (tmp_path / "5.csv").read_text().splitlines()[1:]
    rows = "".join(f"{line.split(',')[0]},{('male', 'female')[place % 2]}\n" for place, line in enumerate(ids))
    (tmp_path / "groups.csv").write_text(f"account_id,SEX\n{rows}")
    text = (tmp_path / "training.toml").read_text()
    (tmp_path / "training.toml").write_text(
        text.replace('mapping = "mapping.toml"', 'mapping = "mapping.toml"\ngroups = "groups.csv"')
    )
    given = ("--history", tmp_path / "training.toml", "--models-dir", tmp_path / "models", "--version", "own-1")
    shown = call("train_models.py", *given)
    assert shown.returncode == 0, shown.stderr
    assert "own.line" in shown.stdout
    assert "SEX 0.0" in shown.stdout
