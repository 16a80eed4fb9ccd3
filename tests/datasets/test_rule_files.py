"""Rule tables as files: written so that they are read as they were, and every fault named by its rule."""

from datetime import date
from pathlib import Path

import pytest

from collections_opt.api.v1 import rule_table_pb2 as pb
from collections_opt.application.settings import bundled_rules
from collections_opt.core.errors import CollectionsError, Reason
from collections_opt.core.rules.checks import rule_violations
from collections_opt.core.rules.tables import RuleKind, RuleScope, RuleStatus
from collections_opt.datasets.rule_files import RuleFile, parse_rule_file, read_rule_file, rule_file_text
from collections_opt.wire.rules import read_rule_table, write_rule_table

EXAMPLE = Path(__file__).parents[2] / "examples" / "city_rules.toml"
SHIPPED = bundled_rules()
FILE = RuleFile("shipped-rules", date(1970, 1, 1), SHIPPED.version, SHIPPED.rules, follows=3)


def refused(text):
    with pytest.raises(CollectionsError) as caught:
        parse_rule_file(text, "my.toml")
    assert caught.value.reason is Reason.INVALID_ARGUMENT
    return [found.field for found in caught.value.violations]


def test_a_file_and_a_message_are_read_as_they_were_written():
    assert parse_rule_file(rule_file_text(FILE), "my.toml") == FILE
    assert read_rule_table(write_rule_table("shipped-rules", FILE.effective_from, SHIPPED)) == SHIPPED


@pytest.mark.parametrize(
    ("ours", "theirs", "kept_for_old_tables"),
    [(RuleKind, pb.RuleKind, set()), (RuleScope, pb.RuleScope, set()), (RuleStatus, pb.RuleStatus, {"UNSTATED"})],
)
def test_every_kind_scope_and_status_can_be_sent(ours, theirs, kept_for_old_tables):
    prefix = theirs.Name(0).removesuffix("UNSPECIFIED")
    sent = {name.removeprefix(prefix) for name, _ in theirs.items()} - {"UNSPECIFIED"}
    assert sent == {each.value for each in ours} - kept_for_old_tables


def test_the_example_is_in_order_and_is_a_first_version():
    held = read_rule_file(EXAMPLE)
    assert list(rule_violations(held.table)) == []
    assert (held.follows, held.effective_from) == (0, date(2027, 1, 1))


def test_faults_are_named_by_rule_and_field():
    text = rule_file_text(FILE).replace("threshold = 3\n", "treshold = 3\n", 1).replace('kind = "NOT_POSITIVE"', 'kind = "x"')
    found = refused(text)
    assert found[0] == "my.toml: rules[credit-balance].kind"
    assert found[1].startswith("my.toml: rules[us-")
    assert found[1].endswith("].treshold")
    assert refused(EXAMPLE.read_text("utf-8").replace("effective_from = 2027-01-01", "effective_from = 2027-02-30", 1))
    assert refused("strict_places = false\n" + rule_file_text(FILE)) == ["my.toml: strict_places"]


def test_a_file_that_is_not_there_is_told():
    with pytest.raises(CollectionsError, match=r"none\.toml"):
        read_rule_file(Path("none.toml"))
