"""A lender's own columns by a mapping: declared in TOML, read with the others, faults of their cells told alike."""

from dataclasses import replace

import numpy as np
import pytest

from collections_opt.core.accounts.admission import admit
from collections_opt.core.accounts.own_columns import OwnKind
from collections_opt.core.errors import CollectionsError
from collections_opt.datasets.files.mappings import FileMapping, OwnMapping, Reading
from collections_opt.datasets.files.opening import opened
from collections_opt.datasets.files.portfolio_files import read_portfolio
from collections_opt.datasets.settings_files import parse_settings, read_settings
from tests.support.scripts.processes import ROOT

EXAMPLES = ROOT / "examples"
MAPPING = """
name = "test"
time_zone = "America/New_York"
currency_code = "USD"
as_of_date = 2026-11-24

[columns]
account_id = { source = "id" }
product = { constant = "LOAN" }
balance_minor = { source = "balance", scale = 100 }
arrears_minor = { source = "arrears", scale = 100 }
days_past_due = { source = "dpd" }

[own.behaviour_score]
source = "BEH"
kind = "NUMBER"
meaning = "Behaviour score of the month before."
unit = "points"
known_as_of = 2026-10-31
expected_sign = 1
may_be_missing = true
missing = ["-1"]

[own.desk]
source = "DESK"
kind = "CATEGORY"
meaning = "Desk that opened the account."
values = { W = "web", B = "branch" }

[own.days_since_move]
source = "MOVED"
kind = "NUMBER"
meaning = "Days since the last change of address."
unit = "days"
reading = "DAYS_SINCE"
may_be_missing = true
"""
FILE = """id,balance,arrears,dpd,BEH,DESK,MOVED
a,10.25,1,31,712,W,2026-11-14
b,20.50,2,40,-1,B,
c,30,3,50,x,W,
d,40,4,60,650,?,
"""


@pytest.fixture
def mapping():
    return parse_settings(MAPPING, FileMapping, "test.toml")


def book(tmp_path, text=FILE):
    path = tmp_path / "book.csv"
    path.write_text(text)
    return path


@pytest.mark.parametrize("chunk_rows", [65_536, 1])
def test_declared_columns_are_read_with_the_others(mapping, tmp_path, monkeypatch, chunk_rows):
    monkeypatch.setattr(opened, "CHUNK_ROWS", chunk_rows)
    admission = admit(read_portfolio(book(tmp_path), mapping).raw)
    own = admission.portfolio.own
    assert {one.name: (one.unit, one.expected_sign) for one in own.declared} == {
        "behaviour_score": ("points", 1),
        "desk": ("", 0),
        "days_since_move": ("days", 0),
    }
    np.testing.assert_array_equal(own.values["behaviour_score"], [712, np.nan])
    np.testing.assert_array_equal(own.values["days_since_move"], [10, np.nan])
    assert [own.vocabulary["desk"][code] for code in own.values["desk"]] == ["web", "branch"]
    told = zip(admission.quarantine.line.tolist(), admission.quarantine.column, admission.quarantine.rule, strict=True)
    assert sorted(told) == [(4, "BEH", "NOT_A_NUMBER"), (5, "DESK", "UNLISTED_CODE")]


def refused(mapping, path, **options):
    with pytest.raises(CollectionsError) as caught:
        read_portfolio(path, mapping, **options)
    return {violation.field for violation in caught.value.violations}


def with_own(mapping, name, **changes):
    return replace(mapping, own={**mapping.own, name: replace(mapping.own[name], **changes)})


def test_a_column_known_after_the_day_of_the_file_is_refused(mapping, tmp_path):
    day = mapping.own["behaviour_score"].known_as_of
    path = book(tmp_path)
    assert read_portfolio(path, mapping, as_of_date=day).raw.own
    assert refused(mapping, path, as_of_date=day.replace(day=30)) == {"own.behaviour_score.known_as_of"}


def test_a_proxy_is_refused_by_the_name_that_the_file_gives_it(mapping, tmp_path):
    assert refused(with_own(mapping, "desk", source="Zip-Code"), book(tmp_path)) == {"own.desk.name"}


@pytest.mark.parametrize(
    ("name", "changes", "field"),
    [
        ("desk", {"source": ""}, "own.desk"),
        ("desk", {"constant": "web"}, "own.desk"),
        ("desk", {"sources": ("A", "B")}, "own.desk"),
        ("desk", {"reading": Reading.DAYS_SINCE}, "own.desk"),
        ("behaviour_score", {"reading": Reading.MISSED_MINIMUM_PAYMENTS}, "own.behaviour_score"),
        ("behaviour_score", {"scale": 0.0}, "own.behaviour_score"),
        ("behaviour_score", {"unit": ""}, "own.behaviour_score.unit"),
    ],
)
def test_a_mapping_that_could_not_be_meant_is_refused_at_its_key(mapping, tmp_path, name, changes, field):
    assert refused(with_own(mapping, name, **changes), book(tmp_path)) == {field}


def test_a_column_of_no_schema_is_told_how_to_be_declared(mapping, tmp_path):
    with pytest.raises(CollectionsError, match=r"\[own\.behaviour\]"):
        read_portfolio(
            book(tmp_path), replace(mapping, columns={**mapping.columns, "behaviour": mapping.columns["days_past_due"]})
        )


def test_a_file_may_lack_what_may_be_missing_where_that_is_allowed(mapping, tmp_path):
    lines = [line.rsplit(",", 1)[0] for line in FILE.splitlines()]
    path = book(tmp_path, "\n".join(lines))
    assert refused(mapping, path) == {"own.days_since_move"}
    reading = read_portfolio(path, mapping, allow_missing=True)
    assert reading.absent_columns == ("own.days_since_move",)
    assert [one.name for one in admit(reading.raw).portfolio.own.declared] == ["behaviour_score", "desk"]
    path = book(tmp_path, "\n".join(",".join(line.split(",")[:5]) for line in FILE.splitlines()))
    assert refused(mapping, path, allow_missing=True) == {"own.desk"}


def test_a_declaration_needs_its_kind_and_meaning():
    with pytest.raises(CollectionsError, match="meaning"):
        parse_settings(MAPPING.replace('meaning = "Desk that opened the account."', ""), FileMapping, "test.toml")
    assert OwnMapping(source="x", kind=OwnKind.NUMBER, meaning="y").declared("z").may_be_missing is False


def test_the_example_is_read_whole():
    mapping = read_settings(EXAMPLES / "own-columns.toml", FileMapping)
    admission = admit(read_portfolio(EXAMPLES / "own-columns.csv", mapping).raw)
    assert admission.quarantine.row_count == 0
    assert [one.name for one in admission.portfolio.own.declared] == ["bureau_score", "channel", "days_since_login"]
    assert np.isnan(admission.portfolio.own.values["bureau_score"]).sum() == 2
