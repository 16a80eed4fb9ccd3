"""Portfolios and capacity plans of any size from the bundled real accounts, seeded."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from collections_opt.application.settings import bundled_plan
from collections_opt.core.accounts.portfolio import RawPortfolio
from collections_opt.core.desk.queues import CapacityPlan, Queue
from collections_opt.datasets.credit_card import DELINQUENT_STATUS, load_accounts
from collections_opt.datasets.files.mappings import FileMapping
from collections_opt.datasets.files.portfolio_files import read_portfolio
from collections_opt.datasets.settings_files import read_bundled_settings

MODELS = Path(__file__).parents[3] / "models"
_MONEY = ("LIMIT_BAL", "BILL_AMT", "PAY_AMT")
_WORKED_SHARE = 0.3


def resampled_accounts(count: int, seed: int) -> pd.DataFrame:
    """Return ``count`` rows of the bundled file's accounts past due in August, drawn with replacement, with new ids.

    Each row's amounts are scaled together by a factor of 0.8 to 1.25, so that rows are no copies of each other.
    """
    rng = np.random.default_rng(seed)
    accounts = load_accounts()
    late = accounts[accounts["PAY_3"] >= DELINQUENT_STATUS]
    drawn = late.iloc[rng.integers(0, len(late), count)].reset_index(drop=True)
    factor = np.exp(rng.uniform(np.log(0.8), np.log(1.25), count))
    money = [name for name in drawn.columns if name.startswith(_MONEY)]
    drawn[money] = np.rint(drawn[money].to_numpy() * factor[:, None]).astype(np.int64)
    drawn["ID"] = rng.permutation(count) + 1
    return drawn


def credit_card_mapping() -> FileMapping:
    """Return the mapping of the bundled file."""
    return read_bundled_settings("mappings/credit_card.toml", FileMapping)


def write_portfolio_file(path: Path, count: int, seed: int) -> None:
    """Write resampled accounts in the bundled file's layout (.parquet or .csv)."""
    accounts = resampled_accounts(count, seed)
    if path.suffix == ".csv":
        accounts.to_csv(path, index=False)
    else:
        accounts.to_parquet(path, index=False)


def resampled_portfolio(folder: Path, count: int, seed: int) -> RawPortfolio:
    """Return resampled accounts as a portfolio that no one has checked yet."""
    path = folder / "accounts.parquet"
    write_portfolio_file(path, count, seed)
    return read_portfolio(path, credit_card_mapping()).raw


def plan_of_queues(queue_count: int, account_count: int, seed: int, plan_id: str = "bench") -> CapacityPlan:
    """Return a plan whose queues vary the bundled ones and together have minutes for about 30 % of the accounts."""
    rng = np.random.default_rng(seed)
    models = [queue for queue in bundled_plan().queues if not queue.specialist_only]  # the accounts carry no flags
    queues = [_varied(models[index % len(models)], index, rng) for index in range(queue_count)]
    each = account_count * _WORKED_SHARE / queue_count
    sized = [_with_minutes(queue, each * _expected_minutes(queue)) for queue in queues]
    return replace(bundled_plan(), plan_id=plan_id, queues=tuple(sized))


def _varied(queue: Queue, index: int, rng: np.random.Generator) -> Queue:
    effect = replace(
        queue.effect,
        theta_cure=float(queue.effect.theta_cure * rng.uniform(0.7, 1.3)),
        theta_default=float(queue.effect.theta_default * rng.uniform(0.7, 1.3)),
    )
    talk = float(queue.talk_minutes * rng.uniform(0.8, 1.2))
    return replace(queue, queue_id=f"{queue.queue_id}-{index:02d}", talk_minutes=talk, effect=effect)


def _expected_minutes(queue: Queue) -> float:
    rate = np.array([queue.effect.right_party_contact_rate])
    return float(queue.handling_minutes(rate)[0])


def _with_minutes(queue: Queue, minutes: float) -> Queue:
    """Set agents so that the capacity is about ``minutes``."""
    one = queue.paid_minutes * (1.0 - queue.shrinkage) * queue.occupancy
    return replace(queue, agents=round((minutes + queue.committed_minutes) / one, 2))
