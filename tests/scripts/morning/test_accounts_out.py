"""Who enters and who leaves, from the command line: every account, in three forms."""

from __future__ import annotations

import pyarrow.csv
import pyarrow.parquet

from tests.support.scripts.processes import call


def test_compare_writes_every_account_that_differs(tmp_path):
    flags = ["--data", tmp_path / "data", "--ordering", "EXPECTED_VALUE", "--ordering", "P_CURE"]
    (tmp_path / "data").mkdir()
    tables = []
    for ending in ("csv", "parquet", "xlsx"):
        out = tmp_path / f"accounts.{ending}"
        shown = call("compare_orderings.py", *flags, "--accounts-out", out, "--json")
        assert shown.returncode == 0, shown.stderr
        assert out.stat().st_size > 1_000
        tables.append(out)
    csv, parquet = pyarrow.csv.read_csv(tables[0]), pyarrow.parquet.read_table(tables[1])
    assert csv.num_rows == parquet.num_rows > 1_000  # no cap
    assert set(csv["change"].to_pylist()) == {"enters", "leaves"}
    assert sum(parquet["cash_minor_units"].to_pylist()) > 0
    refused = call("compare_orderings.py", *flags, "--accounts-out", tmp_path / "accounts.pdf")
    assert refused.returncode == 2
    assert ".parquet" in refused.stderr
