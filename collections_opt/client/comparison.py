"""Compare orders under the same eligibility, capacity and constraints, and two mornings of one book."""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from collections_opt.api.v1 import (
    capacity_service_pb2,
    model_service_pb2,
    morning_pb2,
    portfolio_service_pb2,
    ranking_pb2,
    ranking_service_pb2,
    value_set_pb2,
)
from collections_opt.api.v1 import monitor_service_pb2 as pb
from collections_opt.client.client import Client
from collections_opt.client.exports import export_columns, export_entries, utf8
from collections_opt.client.outcomes import list_outcomes
from collections_opt.client.rankings import make_ranking
from collections_opt.core.arrays import Array
from collections_opt.core.errors import Reason, refuse
from collections_opt.core.evaluation.comparison import OrderingOutcome, RealisedOutcomes, compare
from collections_opt.core.evaluation.known_outcomes import KnownOutcomes
from collections_opt.core.limits import MAX_PAGE_SIZE
from collections_opt.core.problem.assignment import ProgressCallback, SolveProgress, ignore_progress
from collections_opt.core.problem.constraints import RankingConstraints
from collections_opt.core.ranking.ordering import Ordering
from collections_opt.core.value.payoffs import ValueParameters
from collections_opt.wire.columns import Columns
from collections_opt.wire.common import read_enum, write_enum
from collections_opt.wire.constraints import write_constraints
from collections_opt.wire.parameters import write_parameters

ENTERS, LEAVES = "enters", "leaves"
"""The other order works the account and the first does not, or the reverse."""

FACTS = ("product", "state", "bucket", "days_past_due", "balance_minor_units", "arrears_minor_units")
FIGURES = ("p_cure", "p_default", "p_stay", "increment_minor_units")


@dataclass(frozen=True)
class ComparedOrders:
    """One recorded ranking per order, the reference first, and what each chooses beside the reference."""

    rankings: tuple[ranking_pb2.Ranking, ...]
    outcomes: tuple[OrderingOutcome, ...]


@dataclass(frozen=True)
class ComparisonTerms:
    """What every order keeps to and is valued with.

    Attributes:
        constraints: limits of all orders; no cap on moves, which are counted from one ranking. None for none.
        parameters: of the value model; None takes what is in force.
        worked: the first order's ranking is made to be worked; otherwise all are for analysis.
    """

    constraints: RankingConstraints | None = None
    parameters: ValueParameters | None = None
    worked: bool = False


def compare_orders(
    client: Client,
    portfolio_id: str,
    plan_id: str,
    seed: int,
    known: KnownOutcomes | None = None,
    orderings: Sequence[Ordering] = tuple(Ordering),
    progress: ProgressCallback = ignore_progress,
    terms: ComparisonTerms | None = None,
) -> ComparedOrders:
    """Rank in every order under the plan as it is on the portfolio's day, for analysis, and compare each with the first.

    Request ids follow from what is ranked, with which model, plan version and seed: a second run finds the rankings of the
    first. Outcomes stay on this side; the server never sees them. Two rankings' entries are in memory at a time.

    Args:
        client: where to rank.
        portfolio_id: an imported portfolio.
        plan_id: the capacity plan.
        seed: of the random order and of the bootstrap.
        known: what happened, or None.
        orderings: the orders; the first is compared with.
        progress: told the share of orders done.
        terms: what every order keeps to and is valued with; None for no constraints and the parameters in force.

    Raises:
        CollectionsError: as ``make_ranking`` and ``export_entries``; INVALID_ARGUMENT when an account has no outcome.
    """
    requests = _requests(client, portfolio_id, plan_id, seed, orderings, terms or ComparisonTerms())
    rankings, outcomes, reference = [], [], None
    realised: RealisedOutcomes | None = None
    for index, (ordering, request) in enumerate(zip(orderings, requests, strict=True)):
        progress(SolveProgress(ordering.value, index / len(orderings)))
        rankings.append(make_ranking(client, request))
        entries = export_entries(client, rankings[-1])
        if reference is None:
            reference = entries
            realised = known.aligned(entries.account_id) if known else None
        outcomes.append(compare(ordering, entries, reference, realised, seed))
    progress(SolveProgress("compared", 1.0))
    return ComparedOrders(tuple(rankings), tuple(outcomes))


def _requests(
    client: Client,
    portfolio_id: str,
    plan_id: str,
    seed: int,
    orderings: Sequence[Ordering],
    terms: ComparisonTerms,
) -> list[ranking_service_pb2.CreateRankingRequest]:
    portfolio = client.portfolios.GetPortfolio(portfolio_service_pb2.GetPortfolioRequest(portfolio_id=portfolio_id)).portfolio
    of_day = capacity_service_pb2.GetCapacityPlanRequest(plan_id=plan_id, as_of_date=portfolio.as_of_date)
    plan = client.capacity.GetCapacityPlan(of_day).capacity_plan
    content = plan.etag or hashlib.sha256(plan.SerializeToString(deterministic=True)).hexdigest()
    model = client.models.GetModel(model_service_pb2.GetModelRequest(kind="outcome")).model
    basis: list[str | int] = [portfolio_id, portfolio.digest, content, model.digest, seed]
    kept = write_constraints(terms.constraints) if terms.constraints else None
    if kept is not None:
        basis.append(kept.SerializeToString(deterministic=True).hex())
    values = write_parameters(terms.parameters) if terms.parameters else None
    if values is not None:
        basis.append(values.SerializeToString(deterministic=True).hex())
    purposes = [terms.worked and index == 0 for index in range(len(orderings))]
    return [
        ranking_service_pb2.CreateRankingRequest(
            request_id=repeatable_request_id(*basis, *([] if worked else ["ANALYSIS"]), ordering.value),
            portfolio_id=portfolio_id,
            capacity_plan_id=plan_id,
            capacity_plan_version=0 if plan.day_change_ids else plan.version,
            ordering=write_enum(ranking_pb2.Ordering.DESCRIPTOR, ordering.value),
            seed=seed,
            constraints=kept,
            value_parameters=values,
            purpose=ranking_pb2.RANKING_PURPOSE_UNSPECIFIED if worked else ranking_pb2.RANKING_PURPOSE_ANALYSIS,
        )
        for ordering, worked in zip(orderings, purposes, strict=True)
    ]


def rank_beside(client: Client, first: ranking_pb2.Ranking, orderings: Sequence[Ordering]) -> list[ranking_pb2.Ranking]:
    """Rank the accounts of a recorded ranking in other orders, for analysis, under the same plan version and constraints.

    Asked again, it finds the rankings that it made.

    Raises:
        CollectionsError: as ``make_ranking``.
    """
    inputs = first.inputs
    carried = inputs.values_source == value_set_pb2.VALUES_SOURCE_CALL
    return [
        make_ranking(
            client,
            ranking_service_pb2.CreateRankingRequest(
                request_id=repeatable_request_id(first.record.record_digest, "BESIDE", ordering.value),
                portfolio_id=inputs.portfolio_id,
                capacity_plan_id=inputs.capacity_plan_id,
                capacity_plan_version=inputs.capacity_plan_version,
                ordering=write_enum(ranking_pb2.Ordering.DESCRIPTOR, ordering.value),
                seed=inputs.seed,
                constraints=inputs.constraints if inputs.HasField("constraints") else None,
                value_parameters=inputs.value_parameters if carried else None,
                purpose=ranking_pb2.RANKING_PURPOSE_ANALYSIS,
                accept_suspect_scores=True,
            ),
        )
        for ordering in orderings
    ]


def repeatable_request_id(*basis: str | int) -> str:
    """Return a request id (in the form of a UUID4) that is the same for the same basis."""
    digest = hashlib.sha256(json.dumps(basis).encode()).digest()
    return str(uuid.UUID(bytes=digest[:16], version=4))


def compare_mornings(
    client: Client, before_ranking_id: str, after_ranking_id: str, changes: Sequence[morning_pb2.MorningChange.ValueType] = ()
) -> morning_pb2.CompareMorningsResponse:
    """Return what differs between two recorded rankings of one book, with all its accounts in one message.

    Raises:
        CollectionsError: NOT_FOUND; INVALID_ARGUMENT for mornings in the wrong order, or of two currencies.
    """
    request = morning_pb2.CompareMorningsRequest(
        before_ranking_id=before_ranking_id, after_ranking_id=after_ranking_id, changes=changes, page_size=MAX_PAGE_SIZE
    )
    whole = client.rankings.CompareMornings(request)
    while whole.next_page_token:
        request.page_token = whole.next_page_token
        page = client.rankings.CompareMornings(request)
        whole.accounts.extend(page.accounts)
        whole.next_page_token = page.next_page_token
    return whole


@dataclass(frozen=True)
class AccountChanges:
    """Accounts that one order works and another does not, as columns of equal length.

    Attributes:
        columns: ``order`` (the other one's), ``change`` (enters or leaves), ``account_id``, ``queue_id`` (where it is worked),
            ``reason`` (why the order that leaves it out does), the names of ``FACTS`` and ``FIGURES``, ``currency_code``; with
            known outcomes also ``cash_minor_units``, ``cured`` and ``rolled_worse``. Texts are object arrays of str, flags bool,
            counts and money int64, probabilities float64. The increment is that of the first order's best queue.
        present: bool (n,) where a column of ``FACTS`` has a value.
    """

    columns: Mapping[str, Array]
    present: Mapping[str, NDArray[np.bool_]] = field(default_factory=dict)

    @property
    def count(self) -> int:
        """Rows."""
        return int(self.columns["account_id"].size)

    def only(self, rows: NDArray[np.bool_] | NDArray[np.int64] | slice) -> AccountChanges:
        """Return some of the rows."""
        return AccountChanges(
            {name: column[rows] for name, column in self.columns.items()},
            {name: mask[rows] for name, mask in self.present.items()},
        )

    def with_value(self, name: str, text: str) -> NDArray[np.bool_]:
        """Return where a column's value is written as a text says; a missing value is written as none."""
        column = self.columns[name]
        written = column.astype("U") if column.dtype != object else np.array(column, dtype="U")
        found: NDArray[np.bool_] = written == text
        return found & self.present[name] if name in self.present else found


def account_changes(
    client: Client, first: ranking_pb2.Ranking, others: Sequence[ranking_pb2.Ranking], known: KnownOutcomes | None = None
) -> AccountChanges:
    """Return who enters and who leaves under each other ranking of the same accounts, the most valuable to the first one first.

    One other ranking's rows are held at a time, beside the first one's.

    Raises:
        CollectionsError: INVALID_ARGUMENT for rankings of other accounts, or accounts without an outcome.
    """
    held = export_columns(client, first, with_account_facts=True)
    found = [_changes(held, first, export_columns(client, other), other, known) for other in others]
    if not found:
        return _changes(held, first, held, first, known)
    names = found[0].columns
    return AccountChanges(
        {name: np.concatenate([each.columns[name] for each in found]) for name in names},
        {name: np.concatenate([each.present[name] for each in found]) for name in found[0].present},
    )


def with_outcomes(client: Client, ranking_id: str, changes: AccountChanges) -> AccountChanges:
    """Return changes with what became of each account when a ranking last matured: ``outcome`` and ``cash_minor_units``.

    Both are missing where nothing tells; a thousand accounts are asked for at a time.

    Raises:
        CollectionsError: NOT_FOUND; RANKING_NOT_MATURE.
    """
    ids = [str(one) for one in changes.columns["account_id"].tolist()]
    found = {
        one.account_id: one
        for first in range(0, len(ids), MAX_PAGE_SIZE)
        for one in list_outcomes(client, ranking_id, ids[first : first + MAX_PAGE_SIZE])
    }
    told = [found.get(one) for one in ids]
    names = ["" if one is None else pb.HorizonOutcome.Name(one.outcome).removeprefix("HORIZON_OUTCOME_") for one in told]
    cash = [None if one is None or not one.HasField("cash_minor_units") else one.cash_minor_units for one in told]
    paid = np.array([each or 0 for each in cash], dtype=np.int64)
    columns: dict[str, Array] = {"outcome": np.array(names, dtype=object), "cash_minor_units": paid}
    present = {
        "outcome": np.array([one is not None for one in told], dtype=np.bool_),
        "cash_minor_units": np.array([each is not None for each in cash], dtype=np.bool_),
    }
    return AccountChanges({**changes.columns, **columns}, {**changes.present, **present})


def _changes(
    held: Columns, first: ranking_pb2.Ranking, beside: Columns, other: ranking_pb2.Ranking, known: KnownOutcomes | None
) -> AccountChanges:
    ids = held.values["account_id"]
    if beside.row_count != held.row_count or bool((beside.values["account_id"] != ids).any()):
        told = f"{other.ranking_id} ranks other accounts than {first.ranking_id}."
        raise refuse(Reason.INVALID_ARGUMENT, "ranking_ids", told, "Compare rankings of one portfolio.")
    by_first, by_other = held.present["queue_id"], beside.present["queue_id"]
    rows = np.flatnonzero(by_first != by_other)
    rows = rows[np.argsort(-held.values["increment_minor_units"][rows], kind="stable")]
    enters = by_other[rows]
    order = read_enum(ranking_pb2.Ordering.DESCRIPTOR, other.inputs.ordering, "ordering")
    columns: dict[str, Array] = {
        "order": np.full(rows.size, order, dtype=object),
        "change": np.where(enters, ENTERS, LEAVES).astype(object),
        "account_id": ids[rows],
        "queue_id": np.where(enters, beside.values["queue_id"][rows], held.values["queue_id"][rows]),
        "reason": _reasons(np.where(enters, held.values["disposition"][rows], beside.values["disposition"][rows])),
        **{name: held.values[name][rows] for name in (*FACTS, *FIGURES)},
        "currency_code": np.full(rows.size, first.inputs.currency_code, dtype=object),
    }
    if known is not None:
        realised = known.aligned(utf8(columns["account_id"]))
        columns |= {
            "cash_minor_units": realised.cash_minor,
            "cured": realised.cured,
            "rolled_worse": realised.rolled_worse,
        }
    return AccountChanges(columns, {name: held.present[name][rows] for name in FACTS if name in held.present})


def _reasons(dispositions: Array) -> Array:
    """Return names of dispositions without what they all begin with, as object arrays of str."""
    names, places = np.unique(dispositions.astype("U"), return_inverse=True)
    return np.array([name.removeprefix("DISPOSITION_") for name in names.tolist()], dtype=object)[places]
