"""A lender's own history as files: three months of bundled accounts under a mapping, with outcomes."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.csv

from collections_opt.datasets.credit_card import load_accounts, snapshot

ROWS = 1_300
NAMES = ("CURE", "DEFAULT", "STAY")
MAPPING = """
name = "history"
time_zone = "Asia/Taipei"
currency_code = "TWD"
[columns]
account_id = { source = "account_id" }
product = { source = "product" }
balance_minor = { source = "balance_minor" }
arrears_minor = { source = "arrears_minor" }
credit_limit_minor = { source = "credit_limit_minor" }
days_past_due = { source = "days_past_due" }
"""
HISTORY = """
dataset = "cards"
description = "Cards of a test."
limits = "Not for decisions."
mapping = "mapping.toml"
"""


def write_history(folder):
    """Write the files and return the TOML file that names them."""
    accounts = load_accounts()
    text = HISTORY
    for month in (5, 6, 7):
        shot = snapshot(accounts, month)
        columns = {n: c[:ROWS] for n, c in shot.raw.columns.items() if c.ndim == 1}
        pa.csv.write_csv(pa.table({n: pa.array(c.tolist()) for n, c in columns.items()}), folder / f"{month}.csv")
        outcome = [NAMES[code] for code in shot.outcome[:ROWS].tolist()]
        labels = pa.table({"account_id": columns["account_id"].tolist(), "outcome": outcome})
        pa.csv.write_csv(labels, folder / f"{month}-outcomes.csv")
        text += f'[[periods]]\nname = "2005-{month:02d}"\nas_of_date = 2005-{month:02d}-28\n'
        text += f'accounts = "{month}.csv"\noutcomes = "{month}-outcomes.csv"\n'
    (folder / "mapping.toml").write_text(MAPPING)
    (folder / "training.toml").write_text(text)
    return folder / "training.toml"
