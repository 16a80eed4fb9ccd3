"""Which logs pass for an experiment: honest draws do, also of persons and over months; no broken one, whenever it broke."""

import numpy as np
import pytest

from collections_opt.core.errors import CollectionsError
from collections_opt.core.evaluation.contact_log import ContactLog
from collections_opt.scoring.effect.randomisation import check_draws
from collections_opt.scoring.effect.rows import LoggedContacts

MONTHS, PERSONS, SHARE = 5, 4_000, 0.2
NAMES = ("share contacted", "lateness", "contacts_1")
QUEUES = ("calls",)


def rows(columns: dict[str, np.ndarray]) -> LoggedContacts:
    """Return rows of a log with what a test of draws reads of them."""
    count = columns["contacted"].size
    zeros, nobody, nothing = np.zeros(count, dtype=np.int64), np.zeros(count, dtype=bool), np.zeros((count, 0))
    ids = np.arange(count).astype("S8")
    chance = np.where(columns["drawn"], 1.0 - SHARE, np.nan)
    one = np.where(columns["drawn"], 1.0, np.nan)
    queue, contacted = zeros.astype(np.int16), columns["contacted"]
    log = ContactLog(QUEUES, ids, queue, contacted, nobody, chance, one, zeros, zeros)
    person, period = columns["person"].astype("S8"), columns["period"]
    parts = (
        nothing.astype(np.float32),
        np.zeros((count, 2)),
        zeros.astype(float),
        person,
        period,
        zeros.astype(bool),
        ids,
        nothing,
    )
    return LoggedContacts(*parts, (), log, 0)


def lived(seed: int, broken_month: int = 0, accounts: int = 1) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Live months in which each person has one arm, and contact leaves a trace; return the rows, and their covariates.

    In a broken month the desk puts the late among those who enter into the arm of contact.
    """
    rng = np.random.default_rng(seed)
    arm, late = rng.random(PERSONS) >= SHARE, rng.normal(size=PERSONS)
    entered, found = np.zeros(PERSONS, dtype=bool), []
    for month in range(1, MONTHS + 1):
        meant = np.flatnonzero(rng.random(PERSONS) < 0.45)
        if month == broken_month:
            new = meant[~entered[meant]]
            arm[new] |= late[new] > 0.0
        columns = {
            "person": meant,
            "period": np.full(meant.size, month - 1),
            "contacted": arm[meant],
            "drawn": ~entered[meant],
            "traces": (arm & entered)[meant].astype(float),
            "late": late[meant],
        }
        found += [columns] * accounts
        entered[meant] = True
    joined = {name: np.concatenate([one[name] for one in found]) for name in found[0]}
    return joined, np.column_stack([np.ones(joined["late"].size), joined["late"], joined["traces"]])


def test_a_draw_that_holds_for_months_is_an_experiment_at_first_entry_alone():
    columns, covariates = lived(1)
    tests = check_draws(rows(columns), covariates, NAMES, QUEUES)
    assert set(tests) > {"calls", "period 1"}
    everything = rows(columns | {"drawn": np.ones(columns["drawn"].size, dtype=bool)})
    with pytest.raises(CollectionsError, match=r"differ in contacts_1.*cannot have made these contacts.*rows after the first"):
        check_draws(everything, covariates, NAMES, QUEUES)


@pytest.mark.parametrize("month", [1, 3])
def test_a_draw_that_broke_in_one_month_is_refused(month):
    columns, covariates = lived(2, broken_month=month)
    with pytest.raises(CollectionsError, match="cannot have made these contacts"):
        check_draws(rows(columns), covariates, NAMES, QUEUES)
    if month == 3:
        kept = columns["period"] != 2  # the rest is an honest draw: it was that month that broke
        others = {name: column[kept] for name, column in columns.items()}
        check_draws(rows(others), covariates[kept], NAMES, QUEUES)


def test_accounts_of_a_person_count_once():
    once, twice = (lived(3, accounts=each) for each in (1, 2))
    one, two = (check_draws(rows(columns), covariates, NAMES, QUEUES) for columns, covariates in (once, twice))
    for name, test in one.items():
        assert two[name].p_value == pytest.approx(test.p_value)


def test_honest_draws_are_hardly_ever_refused_however_many_tests_there_are():
    smallest = []
    for seed in range(150):
        columns, covariates = lived(100 + seed)
        tests = check_draws(rows(columns), covariates, NAMES, QUEUES)
        smallest.append(min(test.p_value for test in tests.values()) * len(tests))
    assert np.mean(np.array(smallest) < 0.1) < 0.18  # about one in ten, three standard errors up


def test_few_rows_of_a_period_have_no_test_of_their_own():
    columns, covariates = lived(4)
    few = columns["period"] == 4
    tests = check_draws(rows(columns | {"drawn": columns["drawn"] & ~few}), covariates, NAMES, QUEUES)
    assert "period 5" not in tests
    assert tests["period 1"].degrees == 2  # nobody has a trace yet
