"""Drafted mappings: most columns are taken for what they are, what is missing is said, and the draft reads its file."""

from dataclasses import replace
from datetime import date

import pytest

from collections_opt.core.accounts.admission import admit
from collections_opt.core.accounts.column_names import held_column
from collections_opt.datasets.files.drafting.looking import look
from collections_opt.datasets.files.drafting.writing import Given, draft
from collections_opt.datasets.files.mappings import ColumnMapping, FileMapping
from collections_opt.datasets.files.portfolio_files import read_portfolio
from collections_opt.datasets.settings_files import parse_settings
from tests.support.books.drafting_files import right_columns, samples

SAMPLES = {sample.name: sample for sample in samples()}
GIVEN = Given(date(2026, 11, 24), "America/Chicago", "USD", "PERSONAL_LOAN")


@pytest.mark.parametrize(("held_out", "least"), [(False, 0.95), (True, 0.85)])
def test_most_columns_are_taken_for_what_they_are(tmp_path, held_out, least):
    counted = [right_columns(one, one.write(tmp_path)) for one in SAMPLES.values() if one.held_out is held_out]
    right, count = sum(one[0] for one in counted), sum(one[1] for one in counted)
    print(f"{right} of {count} columns right")
    assert right / count >= least, [wrong for _, _, wrong in counted]


@pytest.mark.parametrize("name", SAMPLES)
def test_a_draft_reads_its_file_once_what_is_missing_is_given(tmp_path, name):
    path = SAMPLES[name].write(tmp_path)
    made = draft(look(path), GIVEN)
    mapping = parse_settings(made.text, FileMapping, "draft.toml")
    spare = {
        "days_past_due": ColumnMapping(constant=30),
        "balance_minor": ColumnMapping(constant=100),
        "account_id": ColumnMapping("Kontonummer"),
    }
    lacking = [held_column(one.removeprefix("columns.")) for one in made.corrections]
    reading = read_portfolio(path, replace(mapping, columns={**mapping.columns, **{one: spare[one] for one in lacking}}))
    admission = admit(reading.raw)
    assert reading.counts.row_count == reading.counts.filtered_count + admission.row_count
    assert admission.row_count == admission.portfolio.account_count + admission.quarantine.row_count
    wrong = [rule for rule in admission.quarantine.rule if rule in ("NOT_A_NUMBER", "NOT_A_DATE", "UNLISTED_CODE", "RAGGED_ROW")]
    assert not wrong
    assert admission.portfolio.account_count > 0.5 * admission.row_count


def test_what_nobody_can_tell_is_missing_and_the_draft_is_refused_until_it_is_given(tmp_path):
    made = draft(look(SAMPLES["prosper_loans.csv"].write(tmp_path)), Given())
    assert made.corrections == ("as_of_date", "time_zone", "currency_code")
    assert made.text.count("# MISSING") == 3
    assert "NOT SURE" in made.text


def test_a_file_without_header_in_another_encoding_is_looked_at(tmp_path):
    path = tmp_path / "plain.csv"
    lines = [f"{n};Müller;{n},50;2026-01-0{1 + n % 9}" for n in range(50)]
    path.write_bytes("\n".join(lines).encode("windows-1252"))
    seen = look(path)
    assert (seen.csv.encoding, seen.csv.delimiter) == ("windows-1252", ";")
    assert seen.csv.column_names == ("column_1", "column_2", "column_3", "column_4")
    assert draft(seen, GIVEN).guesses.decimal_point == ","
