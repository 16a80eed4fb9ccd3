"""Read what was decided for every account as the core's columns, proven to be what was recorded; evidence; packs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date

import numpy as np
from numpy.typing import NDArray

from collections_opt.api.v1 import evidence_pb2, pack_service_pb2, ranking_pb2, ranking_service_pb2
from collections_opt.client.client import Client
from collections_opt.client.rankings import summarise
from collections_opt.core.arrays import Array
from collections_opt.core.errors import Reason, refuse
from collections_opt.core.problem.assignment import UNASSIGNED
from collections_opt.core.ranking.ranking import Disposition, Entries
from collections_opt.core.value.outcomes import PROBABILITY_SCALE
from collections_opt.wire.columns import ColumnCollector, Columns
from collections_opt.wire.common import write_date


def export_columns(client: Client, ranking: ranking_pb2.Ranking, with_account_facts: bool = False) -> Columns:
    """Return a recorded ranking's rows as the contract's columns, one row per account, sorted by account id.

    ``with_account_facts`` adds what the portfolio says of each: product, state, bucket, days past due, balance, arrears.
    """
    collector = ColumnCollector(summarise(ranking).account_count)
    request = ranking_service_pb2.ExportRankingRequest(ranking_id=ranking.ranking_id, with_account_facts=with_account_facts)
    for answer in client.rankings.ExportRanking(request):
        collector.add(answer.chunk)
    return collector.columns()


def export_entries(client: Client, ranking: ranking_pb2.Ranking) -> Entries:
    """Return a recorded ranking's entries, proven to be those recorded: their digest is the record's.

    Raises:
        CollectionsError: INTEGRITY_FAILURE when what arrived differs from what was recorded.
    """
    entries = _entries(export_columns(client, ranking), [queue.queue_id for queue in ranking.queues])
    if entries.digest != ranking.record.entries_digest:
        raise refuse(
            Reason.INTEGRITY_FAILURE, "entries", "what arrived differs from the record.", "Export again; then verify the record."
        )
    return entries


def _entries(columns: Columns, queue_ids: Sequence[str]) -> Entries:
    values, present = columns.values, columns.present

    def queue_of(name: str) -> Array:
        given = present.get(name, np.ones(columns.row_count, dtype=np.bool_))
        return np.where(given, _positions(utf8(np.where(given, values[name], "")), queue_ids), UNASSIGNED).astype(np.int16)

    def nano(name: str) -> Array:
        scaled: Array = np.rint(values[name] * PROBABILITY_SCALE).astype(np.int64)
        return scaled

    worked = present.get("priority", np.ones(columns.row_count, dtype=np.bool_))
    disposition = _positions(utf8(values["disposition"]), [f"DISPOSITION_{d.name}" for d in Disposition]) + 1
    return Entries(
        account_id=utf8(values["account_id"]),
        disposition=disposition.astype(np.uint8),
        queue=queue_of("queue_id"),
        priority=np.where(worked, values["priority"], 0).astype(np.int32),
        best_queue=queue_of("best_queue_id"),
        increment_minor=values["increment_minor_units"],
        seconds=np.rint(values["handling_minutes"] * 60.0).astype(np.int32),
        surplus_minor=values["surplus_minor_units"],
        recovery_without_contact_minor=values["recovery_without_contact_minor_units"],
        explored=values["explored"].astype(np.uint8),
        propensity_nano=nano("propensity"),
        p_cure_nano=nano("p_cure"),
        p_default_nano=nano("p_default"),
        p_stay_nano=nano("p_stay"),
        person=values["person"].astype(np.int32) if "person" in values else None,
        attempts=values["offered_attempts"].astype(np.uint8) if "offered_attempts" in values else None,
        call_from=values["call_from_minute"].astype(np.int16) if "call_from_minute" in values else None,
        call_until=values["call_until_minute"].astype(np.int16) if "call_until_minute" in values else None,
        experiment=values["experiment"].astype(np.uint8) if "experiment" in values else None,
        arm=values["arm"].astype(np.uint8) if "arm" in values else None,
        intended_queue=queue_of("intended_queue_id") if "intended_queue_id" in values else None,
    )


def utf8(texts: Array) -> NDArray[np.bytes_]:
    """Return texts as UTF-8 bytes."""
    try:
        encoded: NDArray[np.bytes_] = texts.astype("S")
    except UnicodeEncodeError:
        encoded = np.char.encode(texts.astype("U"), "utf-8")
    return encoded if encoded.dtype.itemsize else encoded.astype("S1")


def _positions(texts: NDArray[np.bytes_], names: Sequence[str]) -> NDArray[np.int64]:
    """Return the position of each text among the names; 0 for a text that is none of them (a missing cell)."""
    known = np.array([name.encode() for name in names])
    order = np.argsort(known)
    found = np.minimum(np.searchsorted(known[order], texts), known.size - 1)
    return np.asarray(np.where(known[order][found] == texts, order[found], 0), dtype=np.int64)


def export_evidence(client: Client, ranking_id: str, accounts: Sequence[str] = ()) -> bytes:
    """Return the evidence archive of a ranking; accounts limit whose rows are shown."""
    request = evidence_pb2.ExportEvidenceRequest(ranking_id=ranking_id, account_ids=accounts)
    return b"".join(part.content for part in client.rankings.ExportEvidence(request))


def person_parts(
    client: Client, first: date, last: date, account_id: str = "", customer_id: str = ""
) -> Iterator[pack_service_pb2.ExportPersonPackResponse]:
    """Yield the parts of a person's pack: the head, decisions by day, events, leases, reads.

    Args:
        client: a connection.
        first: the first day.
        last: the last day.
        account_id: an account of the person; this or the next.
        customer_id: the person.

    Raises:
        CollectionsError: NOT_FOUND where nothing in the caller's sight is recorded of the person.
    """
    request = pack_service_pb2.ExportPersonPackRequest(
        account_id=account_id, customer_id=customer_id, first_date=write_date(first), last_date=write_date(last)
    )
    yield from client.packs.ExportPersonPack(request)


def portfolio_pack(
    client: Client, first: date, last: date, patterns: Sequence[str] = ()
) -> pack_service_pb2.GetPortfolioPackResponse:
    """Return how a book's persons were treated over some days, small counts hidden.

    Raises:
        CollectionsError: NOT_FOUND where no ranking made for work is of such a portfolio.
    """
    days = {"first_date": write_date(first), "last_date": write_date(last)}
    return client.packs.GetPortfolioPack(pack_service_pb2.GetPortfolioPackRequest(portfolio_patterns=patterns, **days))
