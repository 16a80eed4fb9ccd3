"""Small files that people really had: what was read wrong, lost, or ended in a traceback is read right or told by its cell."""

import csv
import io
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from collections_opt.core.accounts.admission import admit
from collections_opt.core.accounts.matching import match_ids
from collections_opt.core.errors import CollectionsError, Reason
from collections_opt.core.shown_text import csv_cell, visible
from collections_opt.datasets.files.contact_log_files import read_contact_log
from collections_opt.datasets.files.group_files import read_groups
from collections_opt.datasets.files.mappings import FileMapping, Layout, NumberFormat, Rounding, RowFilter, Unlisted
from collections_opt.datasets.files.outcome_files import read_outcomes
from collections_opt.datasets.files.portfolio_files import read_portfolio
from collections_opt.datasets.settings_files import read_settings
from collections_opt.reports.csv_text import csv_text

REPORTS = Path(__file__).parents[2] / "data/field_reports"
ROOT = Path(__file__).parents[3]


def mapping_of(name: str) -> FileMapping:
    return read_settings(REPORTS / f"{name}.toml", FileMapping)


def read(name: str, ending: str = "csv", **changes):
    """Return a report's file as read and as admitted, by its own mapping with changes."""
    reading = read_portfolio(REPORTS / f"{name}.{ending}", replace(mapping_of(name), **changes))
    admission = admit(reading.raw)
    counts = reading.counts
    assert counts.row_count == counts.kept_count + counts.filtered_count
    assert counts.kept_count == admission.portfolio.account_count + admission.quarantine.row_count
    return reading, admission


def told(admission):
    found = admission.quarantine
    assert all(found.remedy)
    return list(zip(found.line.tolist(), found.column, found.value, found.rule, strict=True))


def by_id(admission, column: str) -> dict[str, int]:
    ids = [one.decode() for one in admission.portfolio.column("account_id").tolist()]
    return dict(zip(ids, admission.portfolio.column(column).tolist(), strict=True))


def column_with(name: str, column: str, **changes):
    columns = mapping_of(name).columns
    return {**columns, column: replace(columns[column], **changes)}


def test_dates_that_do_not_exist_are_told_and_the_one_that_does_is_54_days_ago():
    _, admission = read("a1_dates")
    assert by_id(admission, "days_past_due") == {"B": 54}
    assert told(admission) == [
        (n, "due", cell, "NO_SUCH_DATE") for n, cell in ((2, "2026-09-31"), (4, "2026-02-30"), (5, "2025-02-29"))
    ]


def test_a_conversation_is_counted_from_its_day_as_day_one():
    _, admission = read("a3_conversation")
    days = {"today": 1, "six-days-ago": 7, "seven-days-ago": 8, "eight-days-ago": 9}
    assert by_id(admission, "days_since_conversation") == days
    assert not admission.quarantine.rule


@pytest.mark.parametrize(
    ("name", "line", "column", "cell", "rule", "accepted"),
    [
        ("j2_flag_bad", 7, "bk", "maybe", "NOT_A_FLAG", 5),
        ("j3_one_bad_date", 7, "due", "00/00/0000", "NOT_A_DATE", 5),
    ],
)
def test_one_bad_cell_costs_one_row(name, line, column, cell, rule, accepted):
    _, admission = read(name)
    assert told(admission) == [(line, column, cell, rule)]
    assert admission.portfolio.account_count == accepted


def test_one_bad_number_among_a_thousand():
    reading, admission = read("j1_one_bad_number")
    assert admission.portfolio.account_count == reading.row_count - 1
    ((line, _, cell, rule),) = told(admission)
    assert rule == "NOT_A_NUMBER"
    lines = (REPORTS / "j1_one_bad_number.csv").read_text().splitlines()
    assert cell in lines[line - 1].split(",")


@pytest.mark.parametrize(
    ("name", "numbers", "balance"),
    [
        ("b5_currency_sign", NumberFormat(currency_signs=("$",)), {"A": 10_000}),
        ("b5_negative_paren", NumberFormat(parentheses=True), {"A": -10_000}),
        ("b5_thousands", NumberFormat(thousands=","), {"A": 123_456, "B": 10_000}),
    ],
)
def test_signs_are_read_where_declared_and_else_told_with_the_option(name, numbers, balance):
    _, strict = read(name)
    assert [rule for *_, rule in told(strict)] == ["NOT_A_NUMBER"]
    assert "numbers." in strict.quarantine.remedy[0]
    _, admission = read(name, numbers=numbers)
    assert by_id(admission, "balance_minor") == balance


def test_a_code_among_numbers_is_told_or_means_what_the_mapping_says_or_leaves_the_row_out():
    _, strict = read("b1_freddie_XX", "txt")
    assert {(line, cell, rule) for line, _, cell, rule in told(strict)} == {(2, "XX", "NOT_A_NUMBER")}
    columns = mapping_of("b1_freddie_XX").columns
    status = columns["days_past_due"]
    meaning = {"values": {"XX": 9}, "unlisted": Unlisted.READ}
    meant = {name: replace(one, **meaning) if status.source in one.needs else one for name, one in columns.items()}
    _, read_on = read("b1_freddie_XX", "txt", columns=meant)
    assert by_id(read_on, "days_past_due") == {"F1": 0, "F2": 270}
    out = (RowFilter(status.source, none_of=("XX", "RA")),)
    reading, left = read("b1_freddie_XX", "txt", keep=out)
    assert (left.portfolio.account_count, reading.counts.filtered[status.source]) == (1, 1)


def test_footer_lines_are_told_or_skipped_and_counted():
    _, strict = read("b2_lc_footer")
    assert [(line, rule) for line, *_, rule in told(strict)] == [(5, "RAGGED_ROW")]
    reading, admission = read("b2_lc_footer", layout=Layout(skip_last_lines=1))
    assert (reading.skipped.last_lines, reading.skipped.blank_lines) == (1, 1)
    assert admission.portfolio.account_count == reading.row_count == 2


def test_amounts_of_three_decimals_need_a_declared_rounding():
    _, strict = read("b3_hc")
    assert {(line, rule) for line, column, _, rule in told(strict) if column == "AMT_BALANCE"} == {
        (2, "NOT_WHOLE"),
        (4, "NOT_WHOLE"),
    }
    columns = column_with("b3_hc", "balance_minor", rounding=Rounding.HALF_UP)
    reading, admission = read("b3_hc", columns=columns)
    assert by_id(admission, "balance_minor") == {"HC-1803195": -42_025_019, "HC-1803197": 1_500_056}
    assert reading.counts.filtered == {"MONTHS_BALANCE": 1}
    assert {(line, rule) for line, *_, rule in told(admission)} == {(3, "REQUIRED"), (3, "OUT_OF_RANGE")}


def test_every_kind_of_parquet_string_is_read():
    _, admission = read("b6_string_view", "parquet")
    assert admission.portfolio.account_count
    assert not admission.quarantine.rule


def numbook_ids():
    mapping = read_settings(ROOT / "examples/book.toml", FileMapping)
    return admit(read_portfolio(REPORTS / "numbook.csv", mapping).raw).portfolio.column("account_id")


def test_groups_whose_ids_are_floats_are_refused_and_text_ids_match():
    with pytest.raises(CollectionsError) as refused:
        read_groups(REPORTS / "groups_float.parquet", numbook_ids())
    assert refused.value.reason is Reason.SCHEMA_MISMATCH
    assert refused.value.violations[0].field == "account_id"
    aligned = read_groups(REPORTS / "groups_ok.csv", numbook_ids())
    assert aligned.match.found == numbook_ids().size
    assert {name: int((aligned.held["sex"] == name).sum()) for name in "mf"} == {"m": 54, "f": 54}


def test_ids_in_another_unicode_form_are_the_same_ids():
    _, admission = read("nfd_book")
    ids = admission.portfolio.column("account_id")
    assert not admission.quarantine.rule
    outcomes = read_outcomes(REPORTS / "nfd_outcomes.csv")
    assert outcomes.aligned(ids).cured.size == 40
    aligned = read_groups(REPORTS / "nfd_groups.csv", ids)
    assert aligned.match.sentence("nfd_groups.csv") == "matched 40 of 40 accounts in nfd_groups.csv"
    assert set(aligned.held["sex"].tolist()) == {"m", "f"}


def test_ids_that_match_none_are_refused():
    with pytest.raises(CollectionsError, match="none of 1 accounts"):
        match_ids(np.array([b"A-1"]), np.array([b"1"]), "the file")


@pytest.mark.parametrize(
    ("name", "read_file", "words"),
    [
        ("c4_ragged.csv", lambda path: read_contact_log(path, ("calls",)), ["line 4", "RAGGED_ROW"]),
        ("c4_latin.csv", lambda path: read_contact_log(path, ("calls",)), ["line 2", "cell 1", "windows-1252"]),
        ("o2_dup.csv", read_outcomes, ["cured", "more than once"]),
    ],
)
def test_broken_side_files_are_refused_with_line_column_and_remedy(name, read_file, words):
    with pytest.raises(CollectionsError) as refused:
        read_file(REPORTS / name)
    assert all(word in str(refused.value) for word in words), str(refused.value)
    assert refused.value.violations[0].remedy


def test_a_renamed_column_is_refused_and_may_be_allowed(tmp_path):
    book = tmp_path / "book.csv"
    book.write_text((ROOT / "examples/book.csv").read_text().replace("Bankrupt", "Bankruptcy"))
    mapping = read_settings(ROOT / "examples/book.toml", FileMapping)
    with pytest.raises(CollectionsError) as refused:
        read_portfolio(book, mapping)
    assert [one.field for one in refused.value.violations] == ["bankruptcy"]
    assert "Bankruptcy" in str(refused.value)
    assert read_portfolio(book, mapping, allow_missing=True).absent_columns == ("bankruptcy",)


@pytest.mark.parametrize(
    ("text", "shown", "cell"),
    [
        ("[/red]boom", "[/red]boom", "[/red]boom"),
        ("=1+1", "=1+1", "'=1+1"),
        ("@SUM(1)", "@SUM(1)", "'@SUM(1)"),
        ("-2", "-2", "'-2"),
        ("a\x1b[31mb", "a\\x1b[31mb", "a\\x1b[31mb"),
        ("abc\u202edef", "abc\\u202edef", "abc\\u202edef"),
        ("Muñoz-0", "Muñoz-0", "Muñoz-0"),
    ],
)
def test_odd_ids_are_shown_escaped_and_neutralised(text, shown, cell):
    assert visible(text) == shown
    assert csv_cell(text) == cell
    assert next(csv.DictReader(io.StringIO(csv_text(["id", "n"], [{"id": text, "n": -2}]))))["id"] == cell
    assert csv_cell(-2) == -2
