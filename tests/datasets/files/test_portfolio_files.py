"""Files as portfolios by a mapping: the bundled mapping gives the snapshot, and every refusal names field and remedy."""

from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from collections_opt.core.accounts.admission import admit
from collections_opt.core.errors import CollectionsError, Reason
from collections_opt.datasets.credit_card import load_accounts, snapshot
from collections_opt.datasets.files.mappings import ColumnMapping, CsvFormat, FileMapping, Reading
from collections_opt.datasets.files.opening import opened, text
from collections_opt.datasets.files.portfolio_files import read_portfolio
from collections_opt.datasets.settings_files import read_bundled_settings

BUNDLED = Path(opened.__file__).parents[2] / "bundled/uci_credit_card/uci_credit_card_default.parquet"
TODAY = date(2026, 11, 24)
BASE = {
    "account_id": ColumnMapping("id"),
    "product": ColumnMapping(constant="LOAN"),
    "balance_minor": ColumnMapping("balance", scale=100),
    "arrears_minor": ColumnMapping("arrears", scale=100),
    "days_past_due": ColumnMapping("dpd"),
}
ROWS = {"id": ["a", "b"], "balance": [10.25, 1234.56], "arrears": [1.0, 2.0], "dpd": [31, 62]}


def mapping(csv: CsvFormat | None = None, **columns: ColumnMapping) -> FileMapping:
    return FileMapping("test", "America/New_York", "USD", {**BASE, **columns}, as_of_date=TODAY, csv=csv or CsvFormat())


def written(folder: Path, suffix: str, **columns) -> Path:
    frame, path = pd.DataFrame({**ROWS, **columns}), folder / f"book.{suffix}"
    if suffix == "csv":
        frame.to_csv(path, index=False)
    else:
        frame.to_parquet(path, index=False)
    return path


@pytest.fixture
def credit_card():
    return read_bundled_settings("mappings/credit_card.toml", FileMapping)


def assert_august(reading):
    expected = snapshot(load_accounts(), 8).raw
    raw = reading.raw
    assert (raw.as_of_date, raw.time_zone, raw.currency_code) == (expected.as_of_date, expected.time_zone, expected.currency_code)
    assert set(raw.columns) == set(expected.columns)
    assert not raw.present
    for name, column in expected.columns.items():
        assert raw.columns[name].dtype == column.dtype
        np.testing.assert_array_equal(raw.columns[name], column)
    assert (reading.row_count, reading.kept_count) == (30_000, 4_209)


@pytest.mark.parametrize("chunk_rows", [65_536, 997])
def test_the_bundled_mapping_gives_the_august_snapshot_in_any_chunking(credit_card, monkeypatch, chunk_rows):
    monkeypatch.setattr(opened, "CHUNK_ROWS", chunk_rows)
    reading = read_portfolio(BUNDLED, credit_card)
    assert_august(reading)
    assert {"SEX", "EDUCATION", "MARRIAGE", "AGE", "PAY_0", "PAY_2"} <= set(reading.ignored_columns)


def test_the_same_file_as_csv_gives_the_same_portfolio(credit_card, monkeypatch, tmp_path):
    monkeypatch.setattr(text, "BLOCK_BYTES", 256 * 1024)
    path = tmp_path / "accounts.csv"
    load_accounts().to_csv(path, index=False)
    assert_august(read_portfolio(path, credit_card))


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_units_codes_dates_and_missing_cells(tmp_path, suffix):
    path = written(
        tmp_path,
        suffix,
        opened=["11/25/2024", "01/02/2026"],
        since=["10/01/2026", None],
        flag=["Y", "N"],
        st=["MA", "NA"],
        calls=["3", "n/a"],
        extra=[1, 2],
    )
    reading = read_portfolio(
        path,
        mapping(
            months_on_book=ColumnMapping("opened", reading=Reading.MONTHS_SINCE, date_format="%m/%d/%Y"),
            days_to_charge_off=ColumnMapping("since", reading=Reading.DAYS_SINCE, date_format="%m/%d/%Y"),
            bankruptcy=ColumnMapping("flag", values={"Y": True, "N": False}),
            customer_id=ColumnMapping("st", prefix="US-"),
            calls_last_7_days_count=ColumnMapping("calls", missing=("n/a",)),
            loss_given_default=ColumnMapping("not_there"),
        ),
        allow_missing=True,
    )
    columns, present = reading.raw.columns, reading.raw.present
    assert columns["balance_minor"].tolist() == [1025, 123456]
    assert columns["balance_minor"].dtype == np.int64
    assert columns["months_on_book"].tolist() == [24, 10]
    assert columns["days_to_charge_off"][0] == 54
    assert present["days_to_charge_off"].tolist() == [True, False]
    assert columns["bankruptcy"].tolist() == [True, False]
    assert columns["customer_id"].tolist() == ["US-MA", "US-NA"]
    assert columns["calls_last_7_days_count"][0] == 3
    assert present["calls_last_7_days_count"].tolist() == [True, False]
    assert reading.ignored_columns == ("extra",)
    assert reading.absent_columns == ("loss_given_default",)
    assert admit(reading.raw).quarantine.row_count == 0


def test_fractions_of_a_cent_and_infinities_reach_the_door_and_spoil_no_other_row(tmp_path):
    path = written(tmp_path, "parquet", balance=[10.255, 1234.56], arrears=[np.inf, 2.0])
    admission = admit(read_portfolio(path, mapping()).raw)
    assert admission.portfolio.column("account_id").tolist() == [b"b"]
    assert admission.portfolio.column("balance_minor").tolist() == [123_456]
    assert set(admission.quarantine.rule) == {"NOT_WHOLE", "NOT_FINITE"}


def test_missing_numbers_of_one_column_are_values_of_another(tmp_path):
    path = written(tmp_path, "csv", balance=[-999.0, 5.0], contacts=[-999.0, 4.0])
    raw = read_portfolio(path, mapping(contacts_in_window_count=ColumnMapping("contacts", missing=("-999.0",)))).raw
    assert raw.columns["balance_minor"].tolist() == [-99_900, 500]
    assert raw.present["contacts_in_window_count"].tolist() == [False, True]


def test_a_decimal_comma(tmp_path):
    path = tmp_path / "book.csv"
    path.write_text("id;balance;arrears;dpd\na;10,25;1,00;31\n", encoding="utf-8")
    raw = read_portfolio(path, mapping(csv=CsvFormat(delimiter=";", decimal_point=","))).raw
    assert raw.columns["balance_minor"].tolist() == [1025]


def refused(path: Path, by: FileMapping, **arguments) -> CollectionsError:
    with pytest.raises(CollectionsError) as caught:
        read_portfolio(path, by, **arguments)
    assert all(v.remedy for v in caught.value.violations)
    return caught.value


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_a_missing_required_column_is_refused_with_its_remedy(tmp_path, suffix):
    path = written(tmp_path, suffix)
    error = refused(path, mapping(balance_minor=ColumnMapping("saldo"), arrears_minor=ColumnMapping("rueckstand")))
    assert error.reason is Reason.SCHEMA_MISMATCH
    assert [v.field for v in error.violations] == ["balance_minor", "arrears_minor"]
    assert "saldo" in str(error)


def test_a_history_with_a_hole_is_refused(tmp_path):
    error = refused(written(tmp_path, "csv"), mapping(payment_history_minor=ColumnMapping(sources=("balance", "paid_lag1"))))
    assert "paid_lag1" in str(error)


def test_ids_that_came_as_floats_are_refused(tmp_path):
    error = refused(written(tmp_path, "parquet", id=[1.0, 2.0]), mapping())
    assert error.reason is Reason.SCHEMA_MISMATCH
    assert error.violations[0].field == "account_id"


@pytest.mark.parametrize(
    ("suffix", "column", "values", "rule"),
    [
        ("csv", "balance", ["10", "ten"], "NOT_A_NUMBER"),
        ("parquet", "balance", ["10", "ten"], "NOT_A_NUMBER"),
        ("csv", "flag", ["Y", "maybe"], "UNLISTED_CODE"),
        ("csv", "opened", ["2024-01-01", "soon"], "NOT_A_DATE"),
        ("csv", "opened", ["2024-01-01", "2024-02-30"], "NO_SUCH_DATE"),
    ],
)
def test_a_cell_at_fault_costs_its_row_and_no_other(tmp_path, suffix, column, values, rule):
    path = written(tmp_path, suffix, **{"flag": ["Y", "Y"], "opened": ["2024-01-01"] * 2, column: values})
    opened_on = ColumnMapping("opened", reading=Reading.MONTHS_SINCE)
    admission = admit(
        read_portfolio(path, mapping(fraud=ColumnMapping("flag", values={"Y": True}), months_on_book=opened_on)).raw
    )
    found = admission.quarantine
    assert admission.portfolio.column("account_id").tolist() == [b"a"]
    assert (found.rule, found.column, found.value, found.line.tolist()) == ((rule,), (column,), (values[1],), [3])
    assert found.account_id == ("b",)
    assert found.remedy[0]


def test_a_column_of_another_kind_puts_every_row_at_fault(tmp_path):
    admission = admit(read_portfolio(written(tmp_path, "parquet", dpd=[True, False]), mapping()).raw)
    assert (admission.portfolio.account_count, admission.quarantine.row_count) == (0, 2)
    assert set(admission.quarantine.rule) == {"NOT_A_NUMBER"}


def test_a_repeated_header_is_refused(tmp_path):
    path = tmp_path / "book.csv"
    path.write_text("id,balance,balance,arrears,dpd\na,1,2,1,31\n", encoding="utf-8")
    assert refused(path, mapping()).violations[0].field == "balance"


def test_files_that_are_not_files(tmp_path):
    assert refused(tmp_path / "no.csv", mapping()).reason is Reason.NOT_FOUND
    for name in ("book.xlsx", "book.parquet", "book.csv"):
        path = tmp_path / name
        path.write_bytes(b"")
        assert refused(path, mapping()).reason is Reason.INVALID_ARGUMENT
    undated = replace(mapping(), as_of_date=None)
    path = written(tmp_path, "csv")
    assert refused(path, undated).violations[0].field == "as_of_date"
    assert read_portfolio(path, undated, as_of_date=TODAY).raw.as_of_date == TODAY


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        ({"balance": ColumnMapping("balance")}, "not a column of the account schema"),
        ({"state": ColumnMapping("a", constant="TW")}, "exactly one"),
        ({"state": ColumnMapping()}, "exactly one"),
        ({"status_history": ColumnMapping("dpd")}, "history takes sources"),
        ({"balance_minor": ColumnMapping(sources=("a", "b"))}, "history takes sources"),
        ({"balance_minor": ColumnMapping("d", reading=Reading.DAYS_SINCE)}, "DAYS_SINCE"),
        ({"arrears_minor": ColumnMapping("d", reading=Reading.MISSED_MINIMUM_PAYMENTS)}, "estimated"),
        ({"product": ColumnMapping(constant=5)}, "holds int"),
        ({"days_past_due": ColumnMapping(constant=True)}, "holds bool"),
    ],
)
def test_mappings_that_cannot_be_meant_are_refused(tmp_path, columns, words):
    assert words in str(refused(written(tmp_path, "csv"), mapping(**columns)))


def test_an_unmapped_required_column_is_refused(tmp_path):
    bare = replace(mapping(), columns={"account_id": ColumnMapping("id")})
    fields = {v.field for v in refused(written(tmp_path, "csv"), bare).violations}
    assert fields == {"product", "balance_minor_units", "arrears_minor_units", "days_past_due"}


def test_a_filter_that_keeps_nothing_gives_an_empty_portfolio(credit_card):
    nothing = replace(credit_card, keep=(replace(credit_card.keep[0], at_least=100),))
    reading = read_portfolio(BUNDLED, nothing)
    assert (reading.row_count, reading.kept_count) == (30_000, 0)
    assert admit(reading.raw).portfolio.account_count == 0
