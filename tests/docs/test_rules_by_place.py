"""The table of jurisdictions in docs/rules.md says of every shipped rule what the shipped file says."""

import pathlib
import tomllib

import pytest

from collections_opt.application.settings import bundled_rules
from collections_opt.core.rules.checks import check_rule_table
from collections_opt.core.rules.tables import RuleStatus

PAGE = pathlib.Path(__file__).parents[2] / "docs" / "rules.md"
FILE = pathlib.Path(__file__).parents[2] / "collections_opt" / "datasets" / "bundled" / "settings" / "rules.toml"


def line(rule):
    """Return a rule's line in the table, from the file as it is written."""
    read = rule.get("checked_on", "")
    facts = (
        ", ".join(rule["jurisdictions"]),
        f"`{rule['rule_id']}`",
        rule["source"],
        rule["effective_from"],
        read,
        rule["status"],
    )
    return f"| {' | '.join(str(fact) for fact in facts)} |"


def test_every_rule_of_a_place_is_in_the_page_with_source_dates_and_status():
    page = PAGE.read_text().splitlines()
    rules = [rule for rule in tomllib.loads(FILE.read_text())["rules"] if rule.get("jurisdictions")]
    assert [missing for rule in rules if (missing := line(rule)) not in page] == []
    listed = [row for row in page if row.startswith("| ") and "` |" in row and row.count(" | ") == 5]
    assert len(listed) == len(rules)


@pytest.mark.parametrize("rule", bundled_rules().rules, ids=lambda rule: rule.rule_id)
def test_every_rule_has_a_source_and_a_status(rule):
    assert rule.source
    assert rule.status is not RuleStatus.UNSTATED
    if rule.jurisdictions:
        assert rule.checked_on or rule.rule_id in {"us-seven-in-seven", "us-conversation-wait", "us-nyc-three-in-seven"}


def test_fourteen_jurisdictions_have_rules_of_their_own():
    places = {place for rule in bundled_rules().rules for place in rule.jurisdictions}
    assert len(places) >= 14
    check_rule_table(bundled_rules())
