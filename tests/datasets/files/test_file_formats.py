"""Files as lenders have them: every format, packing, kind of column and way to write a date, read or refused with the remedy."""

import gzip
import zipfile
from dataclasses import replace
from datetime import date, datetime, timezone
from decimal import Decimal

import numpy as np
import pyarrow as pa
import pyarrow.parquet
import pytest

from collections_opt.core.accounts.admission import admit
from collections_opt.core.errors import CollectionsError, Reason
from collections_opt.datasets.files.mappings import ColumnMapping, CsvFormat, FileMapping, Layout, Reading, RowFilter
from collections_opt.datasets.files.portfolio_files import open_portfolio, read_portfolio
from tests.support.books.spreadsheets import write_xlsx

COLUMNS = {
    "account_id": ColumnMapping("id"),
    "product": ColumnMapping(constant="LOAN"),
    "balance_minor": ColumnMapping("bal", scale=100),
    "arrears_minor": ColumnMapping(constant=100),
    "days_past_due": ColumnMapping("due", reading=Reading.DAYS_SINCE),
}
MAPPING = FileMapping("test", "America/Chicago", "USD", COLUMNS, date(2026, 11, 24))
CSV = "id,bal,due\nA,10.50,2026-11-01\nB,20,2026-10-01\n"


def with_column(name: str, **changes) -> FileMapping:
    return replace(MAPPING, columns={**COLUMNS, name: replace(COLUMNS[name], **changes)})


def assert_right(path, mapping=MAPPING):
    raw = read_portfolio(path, mapping).raw
    assert raw.columns["account_id"].tolist() == ["A", "B"]
    assert raw.columns["balance_minor"].tolist() == [1050, 2000]
    assert raw.columns["days_past_due"].tolist() == [23, 54]
    assert raw.lines.tolist() == [2 + mapping.layout.skip_first_lines, 3 + mapping.layout.skip_first_lines]
    assert not raw.faults.count


def refused(path, mapping=MAPPING) -> CollectionsError:
    with pytest.raises(CollectionsError) as caught:
        read_portfolio(path, mapping)
    assert caught.value.violations[0].remedy
    return caught.value


def test_packed_text_is_read_as_it_is(tmp_path):
    (tmp_path / "a.csv.gz").write_bytes(gzip.compress(CSV.encode()))
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("book.csv", CSV)
        archive.writestr("__MACOSX/._book.csv", "x")
    (tmp_path / "a.tsv").write_text(CSV.replace(",", "\t"))
    for name in ("a.csv.gz", "a.zip", "a.tsv"):
        assert_right(tmp_path / name)
    with zipfile.ZipFile(tmp_path / "two.zip", "w") as archive:
        archive.writestr("a.csv", CSV)
        archive.writestr("b.csv", CSV)
    assert "holds 2 files" in str(refused(tmp_path / "two.zip"))


def test_a_sheet_is_read_by_its_name(tmp_path):
    path = tmp_path / "book.xlsx"
    table = [("id", "bal", "due"), ("A", 10.5, date(2026, 11, 1)), ("B", 20, date(2026, 10, 1))]
    write_xlsx(path, {"Loans": [("Report",), *table, ("Total",)], "Notes": [("x",)]})
    assert "Loans, Notes" in str(refused(path))
    assert "no sheet 'Loan'" in str(refused(path, replace(MAPPING, layout=Layout("Loan"))))
    assert_right(path, replace(MAPPING, layout=Layout("Loans", 1, 1)))


def test_numbers_of_spreadsheets_are_ids_as_long_as_no_digit_is_lost(tmp_path):
    path = tmp_path / "book.xlsx"
    rows = [(1000, 1, date(2026, 11, 1)), (1.2345678901234567e17, 1, date(2026, 11, 1))]
    write_xlsx(path, {"Loans": [("id", "bal", "due"), *rows]})
    reading = read_portfolio(path, MAPPING)
    assert reading.raw.columns["account_id"][0] == "1000"
    assert reading.counts.shortened_ids == {"id": 1}


@pytest.mark.parametrize(
    ("ids", "balance"),
    [
        (pa.array(["A", "B"], pa.large_string()), pa.array([Decimal("10.50"), Decimal("20.00")], pa.decimal128(10, 2))),
        (pa.array(["A", "B"], pa.string_view()), pa.array([10.5, 20], pa.float16())),
        (pa.array(["A", "B"]).dictionary_encode(), pa.array([10.5, 20], pa.float32())),
        (pa.array([b"A", b"B"], pa.binary()), pa.array(["10.50", "20"])),
        (pa.array(["A", "B"], pa.string()), pa.array([Decimal("10.5"), Decimal(20)], pa.decimal256(50, 1))),
    ],
)
def test_parquet_of_every_string_and_number_is_read(tmp_path, ids, balance):
    due = pa.array([date(2026, 11, 1), date(2026, 10, 1)])
    pa.parquet.write_table(pa.table({"id": ids, "bal": balance, "due": due}), tmp_path / "a.parquet")
    assert_right(tmp_path / "a.parquet")


@pytest.mark.parametrize("kind", [pa.int8(), pa.uint64(), pa.int64()])
def test_whole_numbers_are_ids_to_the_last_digit(tmp_path, kind):
    largest = 2**64 - 1 if kind == pa.uint64() else 2**63 - 1 if kind == pa.int64() else 127
    table = {"id": pa.array([largest], kind), "bal": pa.array([1]), "due": pa.array([date(2026, 11, 1)])}
    pa.parquet.write_table(pa.table(table), tmp_path / "a.parquet")
    assert read_portfolio(tmp_path / "a.parquet", MAPPING).raw.columns["account_id"].tolist() == [str(largest)]


def test_an_instant_is_a_day_in_the_lenders_zone(tmp_path):
    instant = datetime(2026, 11, 2, 3, 0, tzinfo=timezone.utc)  # noqa: UP017 - the evening before in Chicago
    due = pa.array([instant], pa.timestamp("us", tz="UTC"))
    pa.parquet.write_table(pa.table({"id": ["A"], "bal": [1], "due": due}), tmp_path / "a.parquet")
    (tmp_path / "a.csv").write_text("id,bal,due\nA,1,2026-11-02T03:00:00Z\nB,1,2026-11-02 03:00\nC,1,2026-11-01T23:30:00-05:00\n")
    assert read_portfolio(tmp_path / "a.parquet", MAPPING).raw.columns["days_past_due"].tolist() == [23]
    assert read_portfolio(tmp_path / "a.csv", MAPPING).raw.columns["days_past_due"].tolist() == [23, 22, 23]


def test_several_date_formats_and_a_date_that_two_read_differently(tmp_path):
    (tmp_path / "a.csv").write_text("id,bal,due\nA,1,11/24/2026\nB,1,24-Nov-2026\nC,1,11/10/2026\nD,1,13/13/2026\nE,1,5/5/2026\n")
    by = with_column("days_past_due", date_formats=("%m/%d/%Y", "%d/%m/%Y", "%d-%b-%Y"))
    raw = read_portfolio(tmp_path / "a.csv", by).raw
    assert raw.columns["days_past_due"][[0, 1]].tolist() == [0, 0]
    assert list(zip(raw.faults.row.tolist(), raw.faults.rule, strict=True)) == [(2, "AMBIGUOUS_DATE"), (3, "NO_SUCH_DATE")]
    assert raw.present["days_past_due"].tolist() == [True, True, False, False, True]


def test_serial_days_of_both_epochs(tmp_path):
    (tmp_path / "a.csv").write_text("id,bal,due\nA,1,46327\nB,1,46327.75\nC,1,60\nD,1,soon\n")
    raw = read_portfolio(tmp_path / "a.csv", with_column("days_past_due", date_format="EXCEL")).raw
    assert raw.columns["days_past_due"][:2].tolist() == [23, 23]
    assert raw.faults.rule == ("NO_SUCH_DATE", "NOT_A_DATE")
    (tmp_path / "b.csv").write_text("id,bal,due\nA,1,44865\n")
    raw = read_portfolio(tmp_path / "b.csv", with_column("days_past_due", date_format="EXCEL_1904")).raw
    assert raw.columns["days_past_due"].tolist() == [23]


def test_currencies_are_not_mixed(tmp_path):
    (tmp_path / "a.csv").write_text("id,bal,due,Ccy\nA,1,2026-11-01,USD\nB,1,2026-11-01,EUR\n")
    error = refused(tmp_path / "a.csv")
    assert error.reason is Reason.MIXED_CURRENCIES
    assert "'EUR'" in str(error)
    reading = read_portfolio(tmp_path / "a.csv", replace(MAPPING, keep=(RowFilter("Ccy", one_of=("USD",)),)))
    assert (reading.kept_count, reading.counts.filtered) == (1, {"Ccy": 1})
    (tmp_path / "b.csv").write_text("id,bal,due,unit\nA,1,2026-11-01,EUR\n")
    assert refused(tmp_path / "b.csv", replace(MAPPING, currency_source="unit")).reason is Reason.MIXED_CURRENCIES


def test_a_quote_that_is_not_closed_swallows_no_rows_in_silence(tmp_path):
    lines = ["id,bal,due,name", "A,1,2026-11-01,x", 'B,1,2026-11-01,"O', "C,1,2026-11-01,x", "D,1,2026-11-01,x"]
    (tmp_path / "a.csv").write_text("\n".join(lines) + "\n")
    admission = admit(read_portfolio(tmp_path / "a.csv", MAPPING).raw)
    assert admission.quarantine.rule == ("QUOTE_NOT_CLOSED",)
    assert admission.quarantine.line.tolist() == [3]
    (tmp_path / "b.csv").write_text('id,bal,due,name\nA,1,2026-11-01,"two\nlines"\nB,1,2026-11-01,x\n')
    raw = read_portfolio(tmp_path / "b.csv", MAPPING).raw
    assert (raw.columns["account_id"].tolist(), raw.lines.tolist()) == (["A", "B"], [2, 3])


def test_shortened_ids_are_counted_and_another_encoding_is_named(tmp_path):
    (tmp_path / "a.csv").write_text("id,bal,due\n1.23E+11,1,2026-11-01\n1E5X,1,2026-11-01\n")
    assert read_portfolio(tmp_path / "a.csv", MAPPING).counts.shortened_ids == {"id": 1}
    (tmp_path / "b.csv").write_bytes("id,bal,due\nMüller,1,2026-11-01\n".encode("windows-1252"))
    assert 'csv.encoding = "windows-1252"' in str(refused(tmp_path / "b.csv"))
    declared = replace(MAPPING, csv=CsvFormat(encoding="windows-1252"))
    assert read_portfolio(tmp_path / "b.csv", declared).raw.columns["account_id"].tolist() == ["Müller"]


def test_no_part_of_a_file_is_lost_between_blocks(tmp_path, monkeypatch):
    monkeypatch.setattr("collections_opt.datasets.files.opening.text.BLOCK_BYTES", 1 << 12)
    lines = [f"A-{n},{n},2026-11-01" + (",more" if n % 97 == 0 else "") for n in range(3_000)]
    (tmp_path / "a.csv").write_text("\n".join(["id,bal,due", *lines]) + "\n")
    file = open_portfolio(tmp_path / "a.csv", MAPPING)
    parts = list(file.parts)
    assert len(parts) > 5
    assert np.concatenate([part.lines for part in parts]).tolist() == list(range(2, 3_002))
    broken = [part.lines[row] for part in parts for row in part.faults.row.tolist()]
    assert broken == [2 + n for n in range(0, 3_000, 97)]
