"""Plans as TOML: what is exported is read as the same, and names the version that it was made from."""

from dataclasses import replace
from datetime import date, time
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from collections_opt.core.desk.day_windows import DayWindow
from collections_opt.core.desk.queues import CapacityPlan, ContactEffect, EvidenceGrade, Queue
from collections_opt.datasets.plan_files import plan_file_text, read_plan_file
from collections_opt.datasets.settings_files import read_bundled_settings

words = st.text(st.characters(blacklist_categories=("Cs", "Cc")) | st.sampled_from('"\\\x7f\n#'), max_size=12)
numbers = st.floats(0, 1e6)
shares = st.floats(0, 1)
windows = st.tuples(st.integers(0, 1_438), st.integers(1, 1_439)).map(
    lambda pair: DayWindow(time(*divmod(min(pair), 60)), time(*divmod(max(pair), 60)))
)
effects = st.builds(ContactEffect, shares, numbers, numbers, shares, st.sampled_from(EvidenceGrade))
listed = st.lists(words, max_size=3).map(tuple)
queues = st.builds(
    Queue,
    queue_id=words,
    name=words,
    agents=numbers,
    paid_minutes=numbers,
    effect=effects,
    channel=st.sampled_from(["CALL", "TEXT"]),
    shrinkage=shares,
    occupancy=shares,
    attempts=numbers,
    talk_minutes=numbers,
    variable_cost_per_minute_minor=st.integers(0, 10**9),
    skills=listed,
    specialist_only=st.booleans(),
    products=listed,
    buckets=st.lists(st.integers(0, 6), max_size=3).map(tuple),
    states=listed,
    attempts_may_shrink=st.booleans(),
    windows=st.lists(windows, max_size=2).map(tuple),
    time_zone=words,
    automated=st.booleans(),
    languages=listed,
)
plans = st.builds(
    CapacityPlan,
    plan_id=words,
    version=st.integers(0, 9),
    effective_from=st.dates(date(2000, 1, 1)),
    currency_code=words,
    queues=st.lists(queues, min_size=1, max_size=3).map(tuple),
    labels=st.dictionaries(words, words, max_size=2),
    several_contacts_per_person=st.booleans(),
    facts_at_most_days=st.dictionaries(words, st.integers(0, 99), max_size=2),
)


@settings(deadline=None, max_examples=60)
@given(plans)
def test_what_is_written_is_read_as_the_same(tmp_path_factory, plan):
    path = tmp_path_factory.getbasetemp() / "written-plan.toml"
    path.write_text(plan_file_text(plan), encoding="utf-8")
    assert read_plan_file(path) == plan


def test_shipped_and_example_plans_survive_a_round_trip(tmp_path):
    shipped = read_bundled_settings("settings/capacity_plan.toml", CapacityPlan)
    example = read_plan_file(Path(__file__).parents[2] / "examples" / "plan.toml")
    for plan in (shipped, replace(example, version=7)):
        (tmp_path / "plan.toml").write_text(plan_file_text(plan), "utf-8")
        assert read_plan_file(tmp_path / "plan.toml") == plan
    assert example.version == 0
