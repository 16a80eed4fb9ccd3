"""Challengers on matured rankings: draws tell what dropping accounts would cost, nothing tells more than bounds without them."""

import json
import uuid
from dataclasses import replace

import numpy as np
import pytest

from collections_opt.application.models.shadow import said
from collections_opt.application.outcomes import challengers
from collections_opt.application.outcomes.challengers import Happened, challengers_of
from collections_opt.application.rankings.command import RankingCommand
from collections_opt.application.records.monitor_facts import MonitorFacts
from collections_opt.cli.monitoring.monitor import month_of
from collections_opt.core.errors import CollectionsError, Reason
from collections_opt.core.experiments.arms import Arm
from collections_opt.core.experiments.design import ArmKind
from collections_opt.core.models.lifecycle import ModelAction, ModelKind
from collections_opt.core.outcomes.matured import MaturedOutcomes
from collections_opt.core.outcomes.terms import Outcome
from collections_opt.core.problem.assignment import UNASSIGNED, ignore_progress
from collections_opt.core.ranking.ordering import Ordering
from collections_opt.core.value.decided import decided_chances
from collections_opt.ledger.records import OutcomeKind, OutcomeRecord
from collections_opt.reports.monitors import monitors_html
from collections_opt.service.converters.monitors import write_monitor
from tests.support.books.evidence_worlds import NOW, PLAN, values
from tests.support.experiments.trials import DAY, design, owned, started
from tests.support.models.served import (
    approve,
    contact_model,
    effect_model,
    recovery_model,
    world_of_models,
    write_contacts,
    write_effects,
    write_recoveries,
)

ROOMY = replace(PLAN, plan_id="roomy", queues=(replace(PLAN.queues[0], agents=80.0), PLAN.queues[1]))
"""Calls for everybody, and letters for few: who is not called is dropped."""
COUNT, SHARE, DRAWS = 1_200, 0.4, 120
USELESS, REACH, BACK = "effect/useless-1", "contact/reach-1", "recovery/back-1"


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    """Return two opened rankings with challengers of three kinds, the first without an experiment and the second with one."""
    with world_of_models(tmp_path_factory.mktemp("challenged"), [NOW]) as (workspace, models):
        workspace.books.save_plan(ROOMY, None)
        workspace.books.import_portfolio("owned", owned(COUNT))
        write_effects(models, effect_model("useless-1", -0.9))
        write_contacts(models, contact_model("reach-1"))
        write_recoveries(models, recovery_model("back-1"))
        for name in (USELESS, REACH, BACK):
            kind, _, version = name.partition("/")
            approve(workspace, models, version, ModelKind(kind), ModelAction.CHALLENGE)
        plain = opened(workspace)
        started(workspace, made=design(SHARE))
        yield plain, opened(workspace)


def opened(workspace):
    command = RankingCommand(str(uuid.uuid4()), "owned", ROOMY.plan_id, 1, Ordering.EXPECTED_VALUE, values(), "greedy", 7)
    return workspace.recorded.opened(workspace.rank(command, ignore_progress))


def predicted(ranking):
    entries = ranking.entries
    effects = ranking.learned.effects_of(ranking.portfolio, ranking.plan)
    return decided_chances(
        ranking.outcomes().probability, effects, ranking.plan, ranking.parameters, entries.queue, entries.attempts
    )


def happened(ranking, chances, seed, left=0.0):
    """Return outcomes drawn from what was predicted of the list decided: contact does what the plan's effects say."""
    rng = np.random.default_rng(seed)
    count = ranking.entries.queue.size
    cure, default = chances.decided[:, 0], chances.decided[:, 1]
    draw = rng.random(count)
    outcome = np.where(draw < default, Outcome.DEFAULTED, np.where(draw < default + cure, Outcome.CURED, Outcome.STAYED))
    outcome = np.where(rng.random(count) < left, Outcome.SOLD, outcome).astype(np.uint8)
    nothing, contacts = np.zeros(count, np.int64), (ranking.entries.queue != UNASSIGNED).astype(np.int32)
    reached = (rng.random(count) < chances.rpc_rate).astype(np.uint8)
    days = np.full(count, 10, np.int32)
    found = (outcome, np.zeros(count, np.uint8), days, days + 20, nothing, np.zeros(count, np.uint8))
    cash = rng.integers(0, 50_000, count)
    return MaturedOutcomes(ranking.entries.account_id, *found, cash, contacts, reached)


def judged(ranking, chances, seed, left=0.0):
    found = happened(ranking, chances, seed, left)
    return challengers_of(Happened(ranking, chances, found, None if left == 0 else (~found.is_censored).astype(float)))


def drawn_and_dropped(ranking):
    """Return the accounts that the useless challenger would drop and of whom an experiment drew who is left alone."""
    entries = ranking.entries
    meant = (entries.arm != Arm.NONE) & (entries.intended_queue != UNASSIGNED)
    return meant & (ranking.challengers[USELESS]["meant_queue"] == UNASSIGNED)


def test_each_kind_is_judged_on_the_accounts_that_tell_of_it(world):
    ranking, _ = world
    found = judged(ranking, predicted(ranking), 1)
    worked = int((ranking.entries.queue != UNASSIGNED).sum())
    assert (found[USELESS].judged_on, found[USELESS].account_count) == ("WORKED", worked)
    assert (found[REACH].judged_on, found[REACH].account_count) == ("TRIED", worked)
    assert (found[BACK].judged_on, found[BACK].account_count, found[BACK].loss_nano) == ("NOTHING", 0, ())
    for name in (USELESS, REACH):
        one = found[name]
        assert one.loss.value > 0  # what happened was drawn from what decided
        assert one.realised_nano[1] < one.predicted_nano < one.realised_nano[2]
    assert found[REACH].loss.low > 0


def test_without_a_draw_nobody_says_what_dropping_costs_and_bounds_hold_the_truth(world):
    ranking, _ = world
    chances = predicted(ranking)
    money = judged(ranking, chances, 1)[USELESS].money
    assert money.dropped_count > 50
    assert (money.drawn_count, money.contact_worth_minor, money.dropped_worth_minor) == (0, (), ())
    assert "no experiment drew" in money.why_unknown
    # As both see it: what decided loses by the other list, and the challenger gains by it.
    assert money.gain_by_model_minor < 0 < money.gain_by_challenger_minor
    least, most = money.gain_bounds_minor
    dropped = (ranking.entries.queue != UNASSIGNED) & (ranking.challengers[USELESS]["meant_queue"] == UNASSIGNED)
    truth = -float((ranking.entries.increment_minor + chances.cost)[dropped].sum())
    assert least < truth < most
    assert money.dropped_count == int(dropped.sum())


def test_a_draw_tells_what_contact_brought_and_what_dropping_would_have_cost(world):
    _, ranking = world
    chances = predicted(ranking)
    entries = ranking.entries
    drawn = (entries.arm != Arm.NONE) & (entries.intended_queue != UNASSIGNED)
    dropped = drawn_and_dropped(ranking)
    truths = float(entries.increment_minor[drawn].mean()), float(entries.increment_minor[dropped].sum())
    covered = np.zeros(2)
    for seed in range(DRAWS):
        money = judged(ranking, chances, seed)[USELESS].money
        told = money.contact_worth_minor, money.dropped_worth_minor
        covered += [low <= truth <= high for truth, (_, low, high) in zip(truths, told, strict=True)]
    assert (covered >= 0.9 * DRAWS).all(), covered
    assert money.drawn_count == int(drawn.sum())
    assert money.dropped_drawn_count == int(dropped.sum())
    assert money.why_unknown == ""
    assert money.contact_worth_by_challenger_minor < truths[0] < 1.2 * money.contact_worth_by_model_minor


@pytest.mark.parametrize("kind", [ArmKind.RANDOM_QUEUE, ArmKind.TWO_PLANS])
def test_a_draw_that_leaves_nobody_alone_tells_nothing_of_contact(world, monkeypatch, kind):
    _, ranking = world
    monkeypatch.setattr(challengers, "of_kind", lambda opened, asked: np.full(opened.entries.queue.size, asked is kind))
    money = judged(ranking, predicted(ranking), 1)[USELESS].money
    assert (money.drawn_count, money.contact_worth_minor, money.dropped_worth_minor) == (0, (), ())
    assert "no experiment drew" in money.why_unknown


def test_a_reading_that_takes_the_arms_for_equally_likely_is_found_out(world, monkeypatch):
    """A planted bug: chances of one half in place of the drawn share."""
    _, ranking = world
    chances = predicted(ranking)
    made = challengers.LoggedActions
    monkeypatch.setattr(
        challengers, "LoggedActions", lambda action, chance, *rest: made(action, np.full(chance.size, 0.5), *rest)
    )
    found = judged(ranking, chances, 3)[USELESS].money
    assert found.contact_worth_minor == ()


def test_who_left_sight_widens_bounds_and_tells_nothing_else(world):
    _, ranking = world
    chances = predicted(ranking)
    whole, part = (judged(ranking, chances, 5, left)[USELESS] for left in (0.0, 0.3))
    assert part.account_count < whole.account_count
    assert part.money.gain_bounds_minor[0] < whole.money.gain_bounds_minor[0]
    assert part.money.gain_bounds_minor[1] > whole.money.gain_bounds_minor[1]
    assert part.money.dropped_count == whole.money.dropped_count


def test_rows_that_are_not_those_of_the_ranking_are_refused(world):
    ranking, _ = world
    stored = ranking.stored
    turned = replace(stored, entries=replace(stored.entries, account_id=stored.entries.account_id[::-1]))
    with pytest.raises(CollectionsError) as refused:
        said(ranking.facts.shadow[0], turned, ranking._ledger.objects, ranking._sealed)
    assert refused.value.reason is Reason.INTEGRITY_FAILURE


def test_what_is_recorded_is_what_pages_and_callers_are_told(world):
    plain, drawn = world
    months = []
    for ranking in (plain, drawn):
        found = judged(ranking, predicted(ranking), 1)
        facts = MonitorFacts(1, "rk", "owned", DAY, 30, "roomy", "outcome/a", "plan", "", 0, {}, (), found)
        record = OutcomeRecord(1, OutcomeKind.MONITOR, "owned", "rk", "", json.dumps(facts.to_payload()), "")
        assert MonitorFacts.of(record) == facts
        months.append(month_of(write_monitor(facts)))
    page = monitors_html(months, "")
    assert "not known: no experiment drew any of them" in page
    assert "not observed" in page
    line = next(one for one in months[1].challengers if one.challenger == USELESS)
    assert line.money.dropped_drawn_count > 0
    assert line.money.dropped_worth.low < line.money.dropped_worth.value < line.money.dropped_worth.high
    assert f"{line.money.dropped_worth.value:+,.0f} (" in page
