"""Recoveries learned from the ledger: of its own rankings, defaults and payments; nothing known later, and served as learned."""

import shutil
import uuid
from contextlib import closing
from datetime import UTC, datetime, time, timedelta
from pathlib import Path

import numpy as np
import pytest

from collections_opt.application.rankings.jobs import State
from collections_opt.application.training import recovered
from collections_opt.application.training.jobs import TrainingJobs
from collections_opt.application.training.learners import TrainingRequest
from collections_opt.application.training.matured import matured_rankings
from collections_opt.application.training.recovered import ledger_recoveries
from collections_opt.application.training.recovery import recovery_rows
from collections_opt.application.workspace import open_workspace
from collections_opt.core.actors import Actor
from collections_opt.core.day.events import Event, EventKind
from collections_opt.core.models.lifecycle import ModelKind, ModelState
from collections_opt.core.outcomes.terms import Outcome
from collections_opt.scoring.recovery.artifacts import load_recovery
from tests.support.day.day_worlds import MODELS, Clock
from tests.support.day.matured_months import LATE, TERMS, month, ranked, save_desk, tell

ANN = Actor("ann", "PLATFORM")
A_YEAR_ON = LATE + timedelta(days=200)
"""365 days and those of grace after the last default."""


def pay(workspace, matured):
    """Pay after each default, by the row: of every third account nothing, of some all, of the others a part in two payments."""
    for one in matured:
        events = []
        for row in np.flatnonzero(one.found.outcome == Outcome.DEFAULTED).tolist():
            owed, name = int(one.opened.portfolio.column("balance_minor")[row]), one.found.account_id[row].decode()
            shares = () if row % 3 == 0 else (1.0,) if row % 10 == 1 else (0.1, 0.1 + row % 7 / 20)
            for number, share in enumerate(shares):
                at = datetime.combine(one.day, time(12), UTC) + timedelta(days=int(one.found.day[row]) + 20 * (1 + number))
                amount = {"amount_minor": max(int(share * owed), 1)}
                events.append(Event(f"{one.portfolio_id}-{name}-{number}", EventKind.PAYMENT, at, name, **amount))
        for first in range(0, len(events), 1_000):
            workspace.day.events.record(events[first : first + 1_000], ANN)


def opened_months(folder, url=""):
    """Open a workspace with three matured months, and models of its own."""
    shutil.copytree(MODELS, folder / "models")
    opened = open_workspace(Path(folder), folder / "models", Clock(LATE), url)
    save_desk(opened, agents=4.0)
    for number in (1, 2, 3):
        ranked(opened, number, month(number))
        tell(opened, number, lambda default: default + 0.05)
    opened.monitors.mature([], TERMS)
    return opened


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def workspace(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp("recovered")
    if request.param == "sqlite":
        with closing(opened_months(folder)) as opened:
            yield opened
        return
    with request.getfixturevalue("postgres_databases").taken() as url, closing(opened_months(folder, url)) as opened:
        yield opened


@pytest.fixture(scope="module")
def matured(workspace):
    return matured_rankings(workspace, ())


def ended(jobs, training):
    for _ in jobs._jobs.watch(training.training_id, 300.0):
        pass
    return jobs.get(training.training_id)


def trained(workspace, version, at=A_YEAR_ON, ranking_ids=()):
    jobs = TrainingJobs(workspace, lambda: at)
    asked = TrainingRequest(ModelKind.RECOVERY, version, ranking_ids)
    return ended(jobs, jobs.start(str(uuid.uuid4()), asked)).status


def test_without_payments_after_defaults_nothing_is_learned_and_the_missing_rows_are_told(workspace, matured):
    status = trained(workspace, "none-1")
    assert status.state is State.FAILED
    assert "and 0 that gave something to fit: 0 and 50 are missing" in status.error.message
    pay(workspace, matured)


def test_rankings_whose_workouts_have_not_passed_are_left_out_and_refused_by_name(workspace, matured):
    message = trained(workspace, "young-1", LATE).error.message
    assert "0 matured ranking(s) have defaults of 365 days ago: 3 missing. The next has on 2027-02-02." in message
    first = datetime(2027, 2, 2, 12, tzinfo=UTC)
    assert "1 matured ranking(s)" in trained(workspace, "young-2", first).error.message
    named = trained(workspace, "young-3", first, (matured[1].ranking_id,)).error.message
    assert f"{matured[1].ranking_id}: what came back of its defaults is known on 2027-03-04" in named


def test_a_training_is_a_draft_that_says_from_what_and_serves_what_was_learned(workspace, matured):
    status = trained(workspace, "ledger-1")
    assert status.state is State.SUCCEEDED, status.error
    view = workspace.models.model(ModelKind.RECOVERY, "ledger-1")
    assert view.standing.state is ModelState.DRAFT
    held = view.manifest.training
    assert held["rankings"] == [one.ranking_id for one in matured]
    assert (held["workout_days"], held["discount_rate"]) == (365, matured[-1].opened.parameters.discount_rate)
    assert held["event_sequence"] == workspace.day.events.log.last_sequence()
    assert held["fitted_count"] > 100 < held["judged_count"]
    artifact = load_recovery(workspace.models.root, "ledger-1")
    assert "within 365 days after the default" in artifact.card
    found = ledger_recoveries(workspace, matured, A_YEAR_ON, False).recoveries
    for one, (portfolio_id, accounts) in zip(matured, found, strict=True):
        assert portfolio_id == one.portfolio_id
        portfolio = one.opened.portfolio
        learned = artifact.model.hurdle.expected_share(recovery_rows(portfolio, accounts).features)
        at = np.isin(portfolio.column("account_id"), accounts.account_id)
        np.testing.assert_allclose(1.0 - artifact.model.losses_of(portfolio)[at], learned, rtol=0, atol=1e-6)


def test_what_was_paid_is_counted_as_by_hand(workspace, matured):
    one = matured[1]
    accounts = dict(ledger_recoveries(workspace, matured, A_YEAR_ON, False).recoveries)[one.portfolio_id]
    assert accounts.row_count > 100
    rate, days = one.opened.parameters.discount_rate, one.found.day
    names = one.found.account_id.tolist()
    defaulted = int((one.found.outcome == Outcome.DEFAULTED).sum())
    assert accounts.row_count <= defaulted
    for name in accounts.account_id[:25].tolist():
        row, back = names.index(name), 0.0
        for event in workspace.day.events.of_account(name.decode(), "", None, 100):
            since = (event.event.occurred_at.date() - one.day).days - int(days[row])
            back += event.event.amount_minor * (1 + rate) ** (-since / 365) if 0 < since <= 365 else 0.0
        assert accounts.recovered_minor[accounts.account_id == name][0] == pytest.approx(back, abs=0.51)


def test_nothing_that_happened_after_the_workout_is_known(workspace, matured):
    before = ledger_recoveries(workspace, matured, A_YEAR_ON, False)
    clock = workspace.now
    clock.at = A_YEAR_ON
    late = [
        Event(f"late-{row}", EventKind.PAYMENT, A_YEAR_ON, one.found.account_id[row].decode(), amount_minor=9_999)
        for one in matured[:1]
        for row in np.flatnonzero(one.found.outcome == Outcome.DEFAULTED).tolist()
    ]
    workspace.day.events.record(late, ANN)
    after = ledger_recoveries(workspace, matured, A_YEAR_ON, False)
    clock.at = LATE
    for (_, one), (_, other) in zip(before.recoveries[:1], after.recoveries[:1], strict=True):
        np.testing.assert_array_equal(one.recovered_minor, other.recovered_minor)
        np.testing.assert_array_equal(one.exposure_minor, other.exposure_minor)
    assert after.told["event_sequence"] == before.told["event_sequence"] + len(late)


def test_a_workout_that_does_not_end_is_seen_by_this_test(workspace, matured, monkeypatch):
    before = ledger_recoveries(workspace, matured, A_YEAR_ON, False)
    monkeypatch.setattr(recovered, "MIN_WORKOUT_DAYS", 700)
    after = ledger_recoveries(workspace, matured, A_YEAR_ON + timedelta(days=700), False)
    assert (before.recoveries[0][1].recovered_minor != after.recoveries[0][1].recovered_minor).any()


def test_a_training_that_is_stopped_leaves_no_draft(workspace):
    jobs = TrainingJobs(workspace, lambda: A_YEAR_ON)
    asked = TrainingRequest(ModelKind.RECOVERY, "stopped-1")
    training = jobs.start(str(uuid.uuid4()), asked)
    jobs.stop(training.training_id)
    assert ended(jobs, training).status.state is State.ABANDONED
    assert "stopped-1" not in {view.manifest.version for view in workspace.models.models(ModelKind.RECOVERY, "")}


def test_reading_payments_ends_where_it_is_no_longer_wanted(workspace, matured):
    def progress(stage, _done):
        raise InterruptedError(stage)

    with pytest.raises(InterruptedError, match="read what was paid"):
        ledger_recoveries(workspace, matured, A_YEAR_ON, False, progress)
