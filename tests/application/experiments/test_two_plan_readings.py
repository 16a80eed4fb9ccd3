"""Two plans read: everybody, worked or not, by one ranking for both arms; missing days and idle plans are told."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from collections_opt.application.experiments.planning import PlanQuestion
from collections_opt.application.training.draws import fresh_draws
from collections_opt.core.actors import UNKNOWN
from collections_opt.core.day.events import Event, EventKind
from collections_opt.core.experiments.arms import Arm, person_keys
from collections_opt.core.experiments.design import ArmKind, Scope
from collections_opt.core.experiments.power import OutcomeSpread
from collections_opt.core.problem.assignment import UNASSIGNED
from tests.support.books.evidence_worlds import NOW, Clock
from tests.support.experiments.trials import DAY, owned
from tests.support.experiments.two_plans import COUNT, SHARE, THEIRS, begun, by_balance, of_both, ranked


def pay(workspace, records, clock):
    """Tell payments on the tenth day: 80.00 more of whom either plan works, and noise of everybody."""
    worked = np.zeros(COUNT, dtype=bool)
    for entries in of_both(workspace, records):
        worked |= entries.queue != UNASSIGNED
    noise = np.random.default_rng(3).integers(0, 3_000, COUNT)
    at = datetime(DAY.year, DAY.month, DAY.day, 15, tzinfo=UTC) + timedelta(days=10)
    amounts, names = 3_000 + noise + 8_000 * worked, of_both(workspace, records)[0].account_id.tolist()
    events = [
        Event(f"pay-{row}", EventKind.PAYMENT, at, name.decode(), amount_minor=amount)
        for row, (name, amount) in enumerate(zip(names, amounts.tolist(), strict=True))
    ]
    clock.at = NOW + timedelta(days=50)
    for start in range(0, len(events), 1_000):
        workspace.day.events.record(events[start : start + 1_000], UNKNOWN)
    return amounts


def read(tmp_path, first=True, second=True):
    """Return what is read, and the means per person that were paid, of the challenger's people and of the others."""
    clock = Clock()
    workspace = begun(tmp_path, clock=clock)
    records = [made(workspace) for wanted, made in ((first, by_balance), (second, lambda w: ranked(w, THEIRS.plan_id))) if wanted]
    planned = workspace.trials.plan(
        PlanQuestion(records[0].ranking_id, SHARE, 60, 30, Scope(("p*",)), OutcomeSpread(6_000.0), 500.0, ArmKind.TWO_PLANS)
    )
    amounts = pay(workspace, records, clock)
    keys = person_keys(workspace.recorded.portfolio("p1"))
    person, of = np.unique(keys, return_inverse=True)
    paid = np.bincount(of, weights=amounts)
    entries, mine = of_both(workspace, records)[0], np.zeros(person.size, dtype=bool)
    mine[of[entries.of_other_plan == first]] = True
    means = paid[mine].mean(), paid[~mine].mean()
    found = workspace.readings.read("plans")
    fresh = fresh_draws(workspace, [record.ranking_id for record in records])
    workspace.close()
    return found, means, person.size, planned, fresh


def test_everybody_is_read_worked_or_not_by_the_plan_that_was_drawn(tmp_path):
    found, means, people, planned, fresh = read(tmp_path)
    group, cash = found.reading.groups[0], found.cash
    assert found.matured_count == people == planned.plan.entering_count == planned.worked_count
    assert (planned.protected_count, planned.plan.cost.most_minor) == (0, 0)
    assert planned.plan.held_out_count == round(SHARE * people)
    assert group.contact_count + group.held_out_count == people
    assert abs(group.contact_count - SHARE * people) < 4 * np.sqrt(SHARE * (1 - SHARE) * people)
    assert (cash.mean_contact, cash.mean_held_out) == pytest.approx(means)
    assert cash.fixed_low < means[0] - means[1] < cash.fixed_high
    assert not found.reading.draw_doubted
    assert abs(found.reading.arms_z) < 4
    queues = found.reading.groups[1:]  # by the prices of the challenger's ranking: the other plan has none
    assert {found.queue_ids[each.queue] for each in queues} == {"calls", "letters"}
    assert sum(each.contact_count + each.held_out_count for each in queues) < people
    (day,) = found.split_days
    assert day.ranking_id
    assert day.challenger_ranking_id
    assert day.uneven == ()
    assert (found.predicted_cost_minor, found.contacted_count) == (0, 0)
    assert "plan" in found.headline
    assert not any(mask.any() for mask in fresh.values())  # no draw of whether anybody is contacted


def test_a_plan_without_rankings_leaves_nothing_to_compare(tmp_path):
    found, _, people, _, _ = read(tmp_path, second=False)
    assert (found.matured_count, found.cash) == (people, None)
    assert found.idle_plan_id == THEIRS.plan_id
    assert "cannot be compared" in found.headline


def test_a_missing_day_is_told_and_who_came_on_it_counts_by_one_ranking_for_both_arms(tmp_path):
    workspace = begun(tmp_path)
    ranked(workspace, THEIRS.plan_id)
    workspace.books.import_portfolio("p2", owned(COUNT, as_of=DAY + timedelta(days=1)))
    fewer = replace(THEIRS, version=2, effective_from=DAY + timedelta(days=1))
    fewer = replace(fewer, queues=(replace(THEIRS.queues[0], agents=0.1), THEIRS.queues[1]))
    workspace.books.save_plan(fewer, workspace.ledger.plans.get(THEIRS.plan_id, None).etag)
    by_balance(workspace, portfolio_id="p2")
    ranked(workspace, THEIRS.plan_id, "p2")
    found = workspace.readings.read("plans")
    assert [bool(day.ranking_id) for day in found.split_days] == [False, True]
    assert [[each.queue_id for each in day.uneven] for day in found.split_days] == [[], ["calls"]]
    first = next(iter(workspace.readings.entries("plans")))
    assert first.opened.facts.inputs.plan_id == THEIRS.plan_id
    assert set(first.who.arm.tolist()) == {Arm.CONTACT, Arm.OTHER_PLAN}
    workspace.close()
