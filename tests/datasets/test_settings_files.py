"""Settings from TOML: the shipped files are read, and a mistake is named with its file, path and remedy."""

from datetime import date

import pytest

from collections_opt.core.desk.plan_checks import check_plan
from collections_opt.core.desk.queues import CapacityPlan
from collections_opt.core.errors import CollectionsError, Reason
from collections_opt.core.rules.eligibility import RuleTable
from collections_opt.core.value.payoffs import ValueParameters, check_parameters
from collections_opt.datasets.settings_files import parse_settings, read_bundled_settings, read_settings

PLAN = """
plan_id = "desk"
version = 1
effective_from = 2026-01-01
currency_code = "USD"

[[queues]]
queue_id = "a"
name = "A"
agents = 2
paid_minutes = 480
buckets = [1, 2]
effect = { right_party_contact_rate = 0.5, theta_cure = 0.4, theta_default = 0.2, evidence = "EXPERIMENT" }
"""


def test_the_shipped_settings_are_read_and_sound():
    plan = read_bundled_settings("settings/capacity_plan.toml", CapacityPlan)
    check_plan(plan)
    assert plan.effective_from == date(2005, 8, 1)
    check_parameters(read_bundled_settings("settings/value_parameters.toml", ValueParameters))
    assert read_bundled_settings("settings/rules.toml", RuleTable).rules


def test_nested_tuples_enums_and_dates_keep_their_types():
    plan = parse_settings(PLAN, CapacityPlan, "plan.toml")
    assert isinstance(plan.queues, tuple)
    assert plan.queues[0].buckets == (1, 2)
    assert plan.queues[0].agents == 2.0
    assert plan.queues[0].effect.evidence.name == "EXPERIMENT"


@pytest.mark.parametrize(
    ("old", "new", "path"),
    [
        ("agents = 2", 'agents = "2"', "queues[0].agents"),
        ("agents = 2", "agent = 2", "queues[0].agent"),
        ('"EXPERIMENT"', '"HEARSAY"', "queues[0].effect.evidence"),
        ('plan_id = "desk"', "plan_id = 7", "plan_id"),
        ("version = 1", "version = 1.5", "version"),
        ("2026-01-01", '"soon"', "effective_from"),
        ('name = "A"', "", "queues[0].name"),
        ("[1, 2]", "[1, true]", "queues[0].buckets[1]"),
    ],
)
def test_a_mistake_is_named_with_file_path_and_remedy(tmp_path, old, new, path):
    file = tmp_path / "plan.toml"
    file.write_text(PLAN.replace(old, new), encoding="utf-8")
    with pytest.raises(CollectionsError) as caught:
        read_settings(file, CapacityPlan)
    assert caught.value.reason is Reason.INVALID_ARGUMENT
    assert f"plan.toml: {path}" in [v.field for v in caught.value.violations]
    assert all(v.remedy for v in caught.value.violations)


def test_files_that_cannot_be_read(tmp_path):
    with pytest.raises(CollectionsError, match="cannot be read") as caught:
        read_settings(tmp_path / "no.toml", CapacityPlan)
    assert caught.value.reason is Reason.NOT_FOUND
    (tmp_path / "bad.toml").write_text("a = ", encoding="utf-8")
    with pytest.raises(CollectionsError, match="is not TOML"):
        read_settings(tmp_path / "bad.toml", CapacityPlan)
    (tmp_path / "latin.toml").write_bytes(b'a = "\xe9"')
    with pytest.raises(CollectionsError, match="not UTF-8"):
        read_settings(tmp_path / "latin.toml", CapacityPlan)
