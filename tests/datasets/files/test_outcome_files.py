"""Outcomes files: CSV and Parquet alike, and every fault told by its column."""

import pyarrow as pa
import pyarrow.parquet
import pytest

from collections_opt.core.errors import CollectionsError, Reason
from collections_opt.datasets.files.outcome_files import read_outcomes

CSV = "account_id,cash_minor,cured,rolled_worse,note\n007,1250,true,false,x\nä-1,0,false,true,\n"


def test_csv_and_parquet_read_alike_and_ids_stay_text(tmp_path):
    (tmp_path / "o.csv").write_text(CSV)
    table = {"account_id": ["007", "ä-1"], "cash_minor": [1250, 0], "cured": [True, False], "rolled_worse": [False, True]}
    pa.parquet.write_table(pa.table(table), tmp_path / "o.parquet")
    for name in ("o.csv", "o.parquet"):
        found = read_outcomes(tmp_path / name)
        assert found.account_id.tolist() == [b"007", "ä-1".encode()]
        assert (found.cash_minor.tolist(), found.cured.tolist()) == ([1250, 0], [True, False])
        assert found.rolled_worse.tolist() == [False, True]


def test_a_file_with_no_rows_holds_no_outcomes(tmp_path):
    (tmp_path / "o.csv").write_text(CSV.splitlines()[0] + "\n")
    assert read_outcomes(tmp_path / "o.csv").account_id.shape == (0,)


@pytest.mark.parametrize(
    ("name", "text", "reason", "told"),
    [
        ("o.doc", CSV, Reason.INVALID_ARGUMENT, "'.doc' files"),
        ("o.csv", CSV.replace("cured", "kured"), Reason.SCHEMA_MISMATCH, "cured: the outcomes file has no such column"),
        ("o.csv", CSV.replace("1250", "12.50"), Reason.INVALID_ARGUMENT, "line 2: '12.50' is not a whole number"),
        ("o.csv", CSV.replace("1250", ""), Reason.INVALID_ARGUMENT, "cash_minor[0]: line 2: '' is not a whole number"),
    ],
)
def test_faults_are_told_by_column(tmp_path, name, text, reason, told):
    (tmp_path / name).write_text(text)
    with pytest.raises(CollectionsError) as caught:
        read_outcomes(tmp_path / name)
    assert caught.value.reason is reason
    assert told in str(caught.value)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(CollectionsError, match=r"none\.csv"):
        read_outcomes(tmp_path / "none.csv")
