"""The page of an experiment: the answer first, a picture with both arms, small groups refused in words, texts escaped."""

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest

from collections_opt.api.v1 import experiment_pb2
from collections_opt.cli.common.experiment_answers import read_findings
from collections_opt.core.desk.split import UnevenQueue
from collections_opt.core.experiments.design import ArmKind, Scope
from collections_opt.core.experiments.findings import ExperimentFindings, SplitDay
from collections_opt.core.experiments.reading import EnteredPersons, read_experiment
from collections_opt.reports.experiment.page import experiment_html
from collections_opt.reports.experiment.report import days_table, facts, findings_rows, findings_table, pairs_table
from collections_opt.service.converters.approved.experiments import write_findings
from collections_opt.wire.common import write_date
from tests.support.experiments.trials import DAY, design


def found(people=4_000, effect=3_000.0, **changes):
    generator = np.random.default_rng(1)
    held = generator.random(people) < 0.3
    prediction = generator.gamma(2.0, 10_000.0, people)
    cash = 0.5 * prediction + generator.gamma(0.5, 9_000.0, people) + np.where(held, 0.0, effect)
    cure = (generator.random(people) < 0.3).astype(np.float64)
    persons = EnteredPersons(
        np.where(held, 2, 1).astype(np.uint8),
        generator.integers(0, 2, people).astype(np.int16),
        prediction,
        {"cash": cash, "cure": cure},
    )
    reading = read_experiment(persons, design().share_nano, 5_000, queues=2)
    made = ExperimentFindings(
        "holdout <b>", design(), "USD", ("calls", "letters"), reading, people, 40, 1, 2, 120_000, 340_000, DAY + timedelta(40)
    )
    return replace(made, **changes)


def test_the_answer_comes_first_with_its_interval_and_picture():
    page = experiment_html(found())
    assert "Contact brings in more cash than leaving people alone." in page
    assert "at any look" in page
    assert page.count("<svg") == 2
    assert "holdout &lt;b&gt;" in page
    assert "<b>" not in page
    assert experiment_html(found()) == page


def test_at_its_end_the_fixed_interval_speaks():
    over = found(waiting_count=0, read_on=design().ends_on + timedelta(days=40))
    assert over.is_final
    assert "at its end" in experiment_html(over)


@pytest.mark.parametrize(("effect", "said"), [(-3_000.0, "less cash"), (0.0, "not decided")])
def test_harm_and_doubt_are_said(effect, said):
    assert said in experiment_html(found(effect=effect))


def test_small_arms_say_how_many_they_need():
    small = found(people=300)
    page = experiment_html(small)
    assert "Too few people to say" in page
    assert "<svg" not in page
    assert any("needs 200 in each arm" in cell for line in findings_table(small)[1] for cell in line)
    assert findings_rows(small)[0]["needed_count"] == 200


def test_arms_that_were_not_drawn_so_are_believed_by_nobody():
    odd = found(reading=replace(found().reading, arms_z=7.0))
    assert "no effect is to be believed" in experiment_html(odd)
    assert any("NOT AS DRAWN" in value for _, value in facts(odd))


def drawn_queues():
    """Return findings of an experiment that drew queues: calls bring 100.00 more than letters."""
    generator = np.random.default_rng(4)
    drawn = np.where(generator.random(2_000) < 0.5, generator.integers(0, 2, 2_000), -1).astype(np.int16)
    arm = np.where(drawn < 0, 1, 3).astype(np.uint8)
    cash = generator.gamma(2.0, 1_000.0, 2_000) + 10_000.0 * (drawn != 1)
    outcomes, worth = {"cash": cash}, np.ones((2_000, 2), dtype=bool)
    persons = EnteredPersons(arm, np.zeros(2_000, np.int16), np.ones(2_000), outcomes, drawn, worth)
    made = design(0.5, arm=ArmKind.RANDOM_QUEUE)
    return found(design=made, reading=read_experiment(persons, made.share_nano, 2_000, queues=2))


def test_drawn_queues_are_shown_against_each_other_and_nobody_is_said_to_be_left_alone():
    made = drawn_queues()
    page = experiment_html(made)
    assert "The queues that the rankings choose bring in more cash than queues drawn at random." in page
    assert "Queue against queue" in page
    assert "left alone" not in page
    (line,) = pairs_table(made)[1]
    assert line[:3] == ["calls", "letters", "cash"]
    assert abs(float(line[6]) - 100.0) < 3.0
    assert findings_rows(made)[-1]["other_queue_id"] == "letters"
    assert "Queue against queue" not in experiment_html(found())


def two_plans():
    """Return findings of two plans: the challenger's brings 30.00 more per person; a day without its ranking, one out of step."""
    arm = np.where(np.random.default_rng(5).random(3_000) < 0.4, 1, 4).astype(np.uint8)
    cash = np.random.default_rng(6).gamma(2.0, 3_000.0, 3_000) + 3_000.0 * (arm == 1)
    queue = np.where(np.arange(3_000) % 3 == 0, -1, 0).astype(np.int16)
    persons = EnteredPersons(arm, queue, np.ones(3_000), {"cash": cash})
    made = design(0.4, arm=ArmKind.TWO_PLANS, scope=Scope(("book*",)), plan_id="desk", challenger_plan_id="desk-b")
    days = (
        SplitDay(DAY, "rk-1", "rk-2"),
        SplitDay(DAY + timedelta(1), "rk-3", ""),
        SplitDay(DAY + timedelta(2), "rk-4", "rk-5", (UnevenQueue("calls", 700.0, 200.0),)),
    )
    reading = read_experiment(persons, 10**9 - made.share_nano, 3_000, queues=1)
    return found(design=made, reading=reading, queue_ids=("calls",), matured_count=3_000, contacted_count=0, split_days=days)


def test_two_plans_are_shown_by_name_with_the_money_of_the_whole_desk_and_nobody_is_said_to_be_left_alone():
    made = two_plans()
    page = experiment_html(made)
    assert "What another plan is worth" in page
    assert "The challenger&#39;s plan brings in more cash than the plan as it is." in page
    assert "contacted as decided" not in page
    assert "left alone" not in page.replace("worked by both or left alone", "")
    assert findings_table(made)[0][2:4] == ["desk-b", "desk"]
    told = dict(facts(made))
    assert told["whole desk"].split()[0].replace(",", "").isdigit()
    assert abs(int(told["whole desk"].split()[0].replace(",", "")) - 90_000) < 12_000
    assert told["days of both plans"].startswith("2 of 3 days")
    assert "nobody worked its people that day" in told["days of both plans"]
    assert "in proportion on 1 of them" in told["days of both plans"]
    assert "predicted cost" not in told
    assert [line[1] for line in days_table(made)[1]] == ["rk-2", "NONE", "rk-5"]
    assert "calls: 200 and 700 minutes" in page
    idle = replace(made, split_days=tuple(replace(day, challenger_ranking_id="") for day in made.split_days))
    assert idle.headline.startswith("desk-b made no ranking")


def test_findings_travel_both_ways():
    for made in (drawn_queues(), found(), two_plans()):
        state = experiment_pb2.Experiment(
            experiment_id=made.experiment_id,
            share=made.design.share,
            salt=made.design.salt,
            start_date=write_date(made.design.starts_on),
            end_date=write_date(made.design.ends_on),
            horizon_days=made.design.horizon_days,
            planned_person_count=made.design.planned_person_count,
            stop_rule=experiment_pb2.EXPERIMENT_STOP_RULE_LAST_DAY,
            arm=experiment_pb2.ExperimentArm.Value(f"EXPERIMENT_ARM_{made.design.arm}"),
            scope=experiment_pb2.ExperimentScope(portfolio_patterns=made.design.scope.portfolios),
            plan_id=made.design.plan_id,
            challenger_plan_id=made.design.challenger_plan_id,
        )
        assert read_findings(write_findings(made, state)) == made
