"""Two plans that share the work: everybody in exactly one, for ever; minutes that stand as people do; designs that cannot be."""

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collections_opt.core.desk.split import LEAST_TOLERANCE_MINUTES, shared_queues, split_plan, uneven_queues
from collections_opt.core.errors import CollectionsError
from collections_opt.core.experiments.arms import Arm, arms_of, covered, person_keys
from collections_opt.core.experiments.design import ArmKind, ExperimentDesign, Scope, check_design
from collections_opt.core.experiments.recorded import RunningExperiments
from tests.support.factories import AS_OF, admitted, plan, queue, text

SALT = "00112233445566778899aabbccddeeff"
DESIGN = ExperimentDesign(
    300_000_000,
    SALT,
    AS_OF,
    AS_OF + timedelta(days=30),
    30,
    1_000,
    Scope(("p*",)),
    arm=ArmKind.TWO_PLANS,
    plan_id="desk",
    challenger_plan_id="desk-b",
)


def book(count=600, order=None, **columns):
    customers = [f"c{i // 2}" if i % 3 else "" for i in range(count)]
    rows = np.arange(count) if order is None else order
    known = {"vulnerable": np.arange(count) % 5 == 0, "bankruptcy": np.arange(count) % 7 == 0, **columns}
    ids, names = text([f"a{i:04d}" for i in rows]), text([customers[i] for i in rows])
    return admitted(account_id=ids, customer_id=names, **{name: each[rows] for name, each in known.items()}).portfolio


def both(portfolio, portfolio_id="p1", design=DESIGN):
    return [arms_of(portfolio, portfolio_id, [design], None, name) for name in ("desk", "desk-b")]


def test_everybody_is_in_exactly_one_plan_protected_or_not_and_so_are_all_accounts_of_a_person():
    portfolio = book()
    ours, theirs = both(portfolio)
    assert (ours.experiment == 1).all()
    assert set(ours.arm.tolist()) == {Arm.CONTACT, Arm.OTHER_PLAN}
    assert (ours.kept_out ^ theirs.kept_out).all()
    assert not (ours.held_out | theirs.held_out).any()
    keys = person_keys(portfolio)
    for key in set(keys.tolist()):
        assert len(set(ours.arm[keys == key].tolist())) == 1
    assert covered(portfolio, "p1", DESIGN.scope, ArmKind.TWO_PLANS).all()
    assert not covered(portfolio, "q", DESIGN.scope, ArmKind.TWO_PLANS).any()


@given(seed=st.integers(0, 10_000), kept=st.integers(50, 600))
@settings(max_examples=25, deadline=None)
def test_no_order_of_rows_import_day_or_other_person_changes_a_plan(seed, kept):
    generator = np.random.default_rng(seed)
    whole = book()
    plan_of = dict(zip(person_keys(whole).tolist(), both(whole)[0].arm.tolist(), strict=True))
    part = book(order=generator.permutation(600)[:kept])
    again = both(part, "p1.2026-12-02")[0]  # derived under an id that the scope may not name: still shared
    assert [plan_of[key] for key in person_keys(part).tolist()] == again.arm.tolist()
    assert both(part, "elsewhere")[0].arm.tolist() == again.arm.tolist()


def test_the_challenger_gets_the_share_and_another_salt_draws_apart():
    portfolio = admitted(account_id=text([f"a{i:05d}" for i in range(20_000)])).portfolio
    theirs = both(portfolio)[1]
    share = float((theirs.arm == Arm.CONTACT).mean())
    assert abs(share - 0.3) < 4 * np.sqrt(0.3 * 0.7 / 20_000)
    other = both(portfolio, design=replace(DESIGN, salt="ff" * 16))[1]
    agreed = float(((theirs.arm == Arm.CONTACT) & (other.arm == Arm.CONTACT)).mean())
    assert abs(agreed - 0.09) < 4 * np.sqrt(0.09 / 20_000)


def test_a_third_plan_works_nobody_and_days_outside_are_not_shared():
    portfolio = book()
    assert arms_of(portfolio, "p1", [DESIGN], None, "third").kept_out.all()
    assert arms_of(portfolio, "p1", [DESIGN]).kept_out.all()  # whose ranking it is was not said
    later = replace(DESIGN, starts_on=AS_OF + timedelta(days=1))
    assert not arms_of(portfolio, "p1", [later], None, "desk").experiment.any()
    running = RunningExperiments("p1", (DESIGN,), "desk")
    assert running.other_plan_id == "desk-b"
    assert RunningExperiments("p1", (DESIGN,), "desk-b").other_plan_id == "desk"


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"plan_id": ""}, "plan_id"),
        ({"challenger_plan_id": "not an id"}, "challenger_plan_id"),
        ({"challenger_plan_id": "desk"}, "challenger_plan_id"),
        ({"scope": Scope()}, "scope.portfolio_patterns"),
        ({"scope": Scope(("p",), products=("LOAN",))}, "scope.products"),
        ({"scope": Scope(("p",), buckets=(1,))}, "scope.buckets"),
        ({"arm": ArmKind.HOLDOUT}, "plan_id"),
        ({"share_nano": 600_000_000}, "share"),
    ],
)
def test_what_cannot_be_shared_is_refused(changes, field):
    check_design(DESIGN)
    with pytest.raises(CollectionsError) as refused:
        check_design(replace(DESIGN, **changes))
    assert field in [one.field for one in refused.value.violations]


minutes = st.floats(0.0, 900.0)


@given(
    agents=st.floats(0.0, 400.0),
    paid=minutes,
    shrinkage=st.floats(0.0, 0.9),
    occupancy=st.floats(0.05, 1.0),
    committed=st.floats(0.0, 2_000.0),
    share=st.integers(1, 500_000_000),
)
@settings(max_examples=200, deadline=None)
def test_the_parts_have_whole_minutes_that_add_up(agents, paid, shrinkage, occupancy, committed, share):
    whole = plan(
        queue("q", agents=agents, paid_minutes=paid, shrinkage=shrinkage, occupancy=occupancy, committed_minutes=committed)
    )
    parts = split_plan(whole, share, "desk", "desk-b")
    seconds = [part.queues[0].capacity_seconds for part in parts]
    assert all(each % 60 == 0 for each in seconds)
    assert sum(seconds) == 60 * int(whole.queues[0].capacity_minutes + 1e-6)
    assert not uneven_queues(*parts, share / 1e9)
    assert [part.plan_id for part in parts] == ["desk", "desk-b"]
    assert [replace(part, plan_id=whole.plan_id, queues=whole.queues, version=whole.version) for part in parts] == [whole, whole]


def test_minutes_that_do_not_stand_as_people_do_are_named():
    ours = plan(queue("calls", agents=7.0, paid_minutes=400.0), queue("letters", agents=1.0, paid_minutes=3.0), queue("own"))
    theirs = plan(
        queue("calls", agents=3.0, paid_minutes=400.0),
        queue("letters", agents=1.0, paid_minutes=1.3 + LEAST_TOLERANCE_MINUTES),
        queue("other"),
    )
    assert [one.queue_id for one, _ in shared_queues(ours, theirs)] == ["calls", "letters"]
    assert uneven_queues(ours, theirs, 0.3) == ()
    (found,) = uneven_queues(ours, theirs, 0.32)
    assert (found.queue_id, found.minutes, found.challenger_minutes) == ("calls", 2_800.0, 1_200.0)
