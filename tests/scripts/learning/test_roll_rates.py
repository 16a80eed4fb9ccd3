"""Roll rates from imported months become value parameters that a ranking takes; what is not a month apart is refused."""

import json
import shutil
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import tomli_w

from collections_opt.application.settings import bundled_parameters, read_parameters
from collections_opt.application.training.roll_rate_study import study_roll_rates
from collections_opt.application.workspace import open_workspace
from collections_opt.core.accounts.admission import admit
from collections_opt.core.errors import CollectionsError
from collections_opt.core.evaluation.roll_rates import count_rates
from collections_opt.core.value.parameters import ValueGrade
from collections_opt.core.value.payoffs import ValueParameters
from collections_opt.datasets.roll_rates import late_transitions
from collections_opt.datasets.simulated_lender import SimulatedLender, desk_plan
from tests.support.scripts.processes import ROOT, call

NOW = datetime(2026, 11, 24, tzinfo=UTC)
NAMES = ("CURE", "DEFAULT", "STAY")


@pytest.fixture(scope="module")
def book(tmp_path_factory):
    folder = tmp_path_factory.mktemp("book")
    lived = SimulatedLender(3, 30_000).history((0, 1, 2, 4))
    workspace = open_workspace(folder, Path(shutil.copytree(ROOT / "models", folder / "models")), lambda: NOW)
    for month in lived:
        workspace.books.import_portfolio(f"m{month.month}", month.snapshot.raw)
        ids = month.snapshot.raw.columns["account_id"].tolist()
        pd.DataFrame({"account_id": ids, "outcome": np.array(NAMES)[month.snapshot.outcome]}).to_csv(
            folder / f"m{month.month}-outcomes.csv", index=False
        )
    workspace.books.save_plan(desk_plan(500), None)
    workspace.close()
    return folder, lived


def given_values(folder):
    """Write values of the lender's three products, of which only the stay values will be measured."""
    shipped = bundled_parameters()
    products = dict.fromkeys(("CREDIT_CARD", "PERSONAL_LOAN", "STORE_CARD"), shipped.products["CREDIT_CARD"])
    path = folder / "given.toml"
    path.write_text(tomli_w.dumps(asdict(replace(shipped, products=products))), encoding="utf-8")
    return "--parameters", path


def test_products_without_values_are_refused_before_anything_is_measured(book):
    refused = call("roll_rates.py", "--data", book[0], "--portfolio", "m0", "--portfolio", "m1")
    assert refused.returncode == 2
    assert "no values are in force for PERSONAL_LOAN" in " ".join(refused.stderr.split())


def test_the_rates_are_those_of_the_world_and_a_ranking_takes_the_parameters(book):
    folder, lived = book
    told = [flag for month in (0, 1) for flag in ("--outcomes", folder / f"m{month}-outcomes.csv")]
    months = ("--portfolio", "m0", "--portfolio", "m1", "--portfolio", "m2")
    shown = call(
        "roll_rates.py", "--data", folder, *months, *told, *given_values(folder), "--out", folder / "parameters.toml", "--json"
    )
    assert shown.returncode == 0, shown.stderr
    found = json.loads(shown.stdout)
    world = count_rates(late_transitions([month.snapshot for month in lived[:2]]))
    everyone = found["products"]["all"]
    assert everyone["account_count"] == world.account_count.tolist()
    assert np.allclose(everyone["absorb"], world.absorb)
    assert np.allclose(everyone["stay"], world.stay)
    assert found["left_unsaid_count"] == 0
    assert set(found["products"]) == {"all", "CREDIT_CARD", "PERSONAL_LOAN", "STORE_CARD"}
    written = read_parameters(folder / "parameters.toml")
    assert set(written.products) == {"CREDIT_CARD", "PERSONAL_LOAN", "STORE_CARD"}
    assert 6 in found["kept_buckets"]
    for name, values in written.products.items():
        assert list(values.stay_value) == found["parameters"]["products"][name]["stay_value"]
        assert list(values.stay_value) == sorted(values.stay_value, reverse=True)
        assert [source.grade for source in values.sources if "stay_value" in source.of] == [ValueGrade.MEASURED]
    assert all(value["low"] <= value["value"] <= value["high"] for value in everyone["stay_value"] if value)
    plan = ("--plan", "simulated-desk", "--portfolio", "m2", "--check")
    ranked = call("rank.py", "--data", folder, *plan, "--parameters", folder / "parameters.toml")
    assert ranked.returncode == 0, ranked.stderr


def test_who_left_without_a_word_is_said_and_files_that_do_not_match_are_refused(book):
    folder, _ = book
    base = ("--data", folder, "--portfolio", "m0", "--portfolio", "m1", *given_values(folder))
    assert "left the book without an outcome" in " ".join(call("roll_rates.py", *base).stdout.split())
    refused = call("roll_rates.py", *base, "--out", folder / "guessed.toml")
    assert refused.returncode == 2
    assert "nothing is written" in " ".join(refused.stderr.split())
    assert not (folder / "guessed.toml").exists()
    assert call("roll_rates.py", *base, "--out", folder / "guessed.toml", "--accept-concerns").returncode == 0
    two = [flag for month in (0, 1) for flag in ("--outcomes", folder / f"m{month}-outcomes.csv")]
    refused = call("roll_rates.py", *base, *two)
    assert refused.returncode == 2
    assert "2 files, 2 portfolios" in " ".join(refused.stderr.split())


@pytest.mark.parametrize(
    ("months", "told"), [((0, 3), "days apart; roll rates are monthly"), ((1, 0), "days apart"), ((0,), "there is one")]
)
def test_months_that_are_not_consecutive_are_refused(book, months, told):
    portfolios = [admit(book[1][month].snapshot.raw).portfolio for month in months]
    with pytest.raises(CollectionsError, match=told):
        study_roll_rates(portfolios, [None] * (len(months) - 1), ValueParameters(), "m-1", 1)


def test_too_few_accounts_are_refused(book):
    first, second = (admit(book[1][month].snapshot.raw).portfolio for month in (0, 1))
    with pytest.raises(CollectionsError, match="30 are needed"):
        study_roll_rates([first.take(slice(0, 20)), second], [None], ValueParameters(), "m-1", 1)
