"""Which ranking is in force: made to be worked, of the desk, the day and the portfolio, and never simply the newest."""

import uuid
from dataclasses import replace
from datetime import date

import pytest

from collections_opt.application.rankings.command import RankingCommand
from collections_opt.application.rankings.in_force import ranking_in_force, require_workable
from collections_opt.application.settings import dump
from collections_opt.core.errors import CollectionsError, Reason
from collections_opt.core.problem.assignment import ignore_progress
from collections_opt.core.ranking.ordering import Ordering
from collections_opt.core.ranking.purpose import RankingPurpose, purpose_of
from tests.support.books.evidence_worlds import PLAN, book, opened, values

THURSDAY, FRIDAY = date(2026, 11, 26), date(2026, 11, 27)
BALANCE = Ordering.BALANCE
WORK, ANALYSIS = RankingPurpose.WORK, RankingPurpose.ANALYSIS


@pytest.fixture(scope="module")
def workspace(tmp_path_factory):
    made = opened(tmp_path_factory.mktemp("in-force"))
    made.books.save_plan(replace(PLAN, plan_id="night"), None)
    for name, day in (("cards-26", THURSDAY), ("cards-27", FRIDAY), ("loans-27", FRIDAY)):
        made.books.import_portfolio(name, book(12, as_of=day))
    yield made
    made.close()


@pytest.fixture(scope="module")
def made(workspace):
    """Return rankings by name, in the order in which they were recorded."""

    def rank(portfolio_id, ordering=Ordering.EXPECTED_VALUE, purpose=None, plan_id="desk"):
        command = RankingCommand(str(uuid.uuid4()), portfolio_id, plan_id, None, ordering, values(), purpose=purpose)
        return workspace.rank(command, ignore_progress)

    return {
        "friday": rank("cards-27"),
        "thursday": rank("cards-26"),
        "night": rank("cards-27", BALANCE, WORK, "night"),
        "tried": rank("cards-27", purpose=ANALYSIS),
        "raw": rank("cards-27", BALANCE),
        "again": rank("cards-26"),
        "raw loans": rank("loans-27", BALANCE),
    }


@pytest.mark.parametrize(
    ("plan_id", "day", "portfolio_id", "name"),
    [
        ("desk", None, "", "friday"),
        ("desk", FRIDAY, "", "friday"),
        ("desk", FRIDAY, "cards-27", "friday"),
        ("desk", THURSDAY, "", "again"),
        ("", THURSDAY, "", "again"),
        ("night", None, "", "night"),
    ],
)
def test_it_is_the_newest_made_to_be_worked_of_desk_day_and_portfolio(workspace, made, plan_id, day, portfolio_id, name):
    assert ranking_in_force(workspace.ledger, plan_id, day, portfolio_id).ranking_id == made[name].ranking_id


@pytest.mark.parametrize(
    ("asked", "reason", "fields"),
    [
        (("", FRIDAY, ""), Reason.INVALID_ARGUMENT, ["capacity_plan_id"]),
        (("nowhere", None, ""), Reason.NOT_FOUND, ["capacity_plan_id"]),
        (("desk", FRIDAY, "loans-27"), Reason.NOT_FOUND, ["capacity_plan_id", "as_of_date", "portfolio_id"]),
        (("", date(2026, 1, 1), ""), Reason.NOT_FOUND, ["as_of_date"]),
    ],
)
def test_what_is_not_one_ranking_is_refused_by_what_would_name_it(workspace, made, asked, reason, fields):
    with pytest.raises(CollectionsError) as caught:
        ranking_in_force(workspace.ledger, *asked)
    assert (caught.value.reason, [violation.field for violation in caught.value.violations]) == (reason, fields)


def test_two_portfolios_of_one_desk_and_day_have_to_be_told_apart(workspace, made):
    command = RankingCommand(str(uuid.uuid4()), "loans-27", "desk", None, Ordering.EXPECTED_VALUE, values(), purpose=WORK)
    loans = workspace.rank(command, ignore_progress)
    with pytest.raises(CollectionsError) as caught:
        ranking_in_force(workspace.ledger, "desk", FRIDAY)
    assert caught.value.violations[0].field == "portfolio_id"
    assert ranking_in_force(workspace.ledger, "desk", FRIDAY, "loans-27").ranking_id == loans.ranking_id
    assert ranking_in_force(workspace.ledger, "desk", FRIDAY, "cards-27").ranking_id == made["friday"].ranking_id


def test_a_purpose_is_recorded_and_digested_only_where_it_is_given(made):
    assert [name for name, record in made.items() if "purpose" in record.record] == ["night", "tried"]
    plain = RankingCommand(str(uuid.UUID(int=0, version=4)), "p", "desk", 1, Ordering.EXPECTED_VALUE, values())
    assert '"purpose"' not in dump(plain)
    assert plain.payload_digest != replace(plain, purpose=WORK).payload_digest


def test_nobody_is_given_accounts_of_an_analysis(made):
    for name, record in made.items():
        if name in ("tried", "raw", "raw loans"):
            with pytest.raises(CollectionsError) as caught:
                require_workable(record)
            assert caught.value.reason is Reason.RANKING_NOT_IN_FORCE
        else:
            require_workable(record)


def test_without_a_purpose_expected_value_is_for_work_and_any_other_order_for_analysis():
    assert purpose_of(None, Ordering.EXPECTED_VALUE) is WORK
    assert purpose_of(None, BALANCE) is ANALYSIS
    assert purpose_of(WORK, BALANCE) is WORK
