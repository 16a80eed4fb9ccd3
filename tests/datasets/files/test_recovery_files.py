"""Recoveries from CSV and Parquet: what is written comes back; a fault is told at its column and row."""

import numpy as np
import pandas as pd
import pytest

from collections_opt.core.accounts.column_names import told_money
from collections_opt.core.errors import CollectionsError, Reason
from collections_opt.datasets.files.recovery_files import COLUMNS, read_sourced_recoveries, recoveries_table
from collections_opt.datasets.simulated_lender import SimulatedLender
from collections_opt.datasets.simulated_lender.recoveries import recovered_accounts

ROW = {
    "account_id": "a",
    "charged_off_on": "2025-01-31",
    "exposure_at_default_minor": "1000",
    "net_recovered_minor": "-20",
    "recovered_until": "2026-01-31",
}


def written(path, **changes):
    pd.DataFrame([ROW, {**ROW, "account_id": "b", **changes}]).to_csv(path, index=False)
    return path


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_what_is_written_comes_back(tmp_path, ending):
    recovered = recovered_accounts(SimulatedLender(3, 20_000).month(1))
    assert recovered.row_count > 20
    table, path = recoveries_table(recovered), tmp_path / f"one.{ending}"
    table.to_csv(path, index=False) if ending == "csv" else table.to_parquet(path)
    read, _ = read_sourced_recoveries(path)
    for name in recovered.__dataclass_fields__:
        np.testing.assert_array_equal(getattr(read, name), getattr(recovered, name))


def test_dates_of_parquet_are_read_as_such(tmp_path):
    table = pd.DataFrame([{**ROW, "exposure_at_default_minor": 1_000, "net_recovered_minor": 0}])
    for name in ("charged_off_on", "recovered_until"):
        table[name] = pd.to_datetime(table[name])
    table.to_parquet(tmp_path / "one.parquet")
    assert read_sourced_recoveries(tmp_path / "one.parquet")[0].workout_days.tolist() == [365]


@pytest.mark.parametrize(
    ("changes", "field", "said"),
    [
        ({"recovered_until": "soon"}, "recovered_until[1]", "not a date"),
        ({"exposure_at_default_minor": "1.5"}, "exposure_at_default_minor[1]", "whole number"),
        ({"net_recovered_minor": ""}, "net_recovered_minor[1]", "whole number"),
        ({"net_recovered_minor": "much"}, "net_recovered_minor[1]", "not a number"),
        ({"account_id": "a"}, "account_id[1]", "at fault"),
        ({"exposure_at_default_minor": "0"}, "exposure_at_default_minor[1]", "at fault"),
    ],
)
def test_a_fault_is_told_at_its_column_and_row(tmp_path, changes, field, said):
    with pytest.raises(CollectionsError, match=said) as refused:
        read_sourced_recoveries(written(tmp_path / "one.csv", **changes))
    assert refused.value.violations[0].field == field


def test_a_missing_file_and_missing_columns_are_named(tmp_path):
    with pytest.raises(CollectionsError) as refused:
        read_sourced_recoveries(tmp_path / "none.csv")
    assert refused.value.reason is Reason.NOT_FOUND
    (tmp_path / "one.csv").write_text("account_id\na\n")
    with pytest.raises(CollectionsError) as refused:
        read_sourced_recoveries(tmp_path / "one.csv")
    assert [v.field for v in refused.value.violations] == [told_money(name) for name in COLUMNS[1:]]
