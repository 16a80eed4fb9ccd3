"""Parts of packs as messages."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

from google.protobuf.timestamp_pb2 import Timestamp

from collections_opt.api.v1 import pack_service_pb2 as pb
from collections_opt.api.v1.event_pb2 import LeaseState
from collections_opt.api.v1.worklist_service_pb2 import HolderKind
from collections_opt.application.packs.persons import PersonHead, PersonLease
from collections_opt.core.actors import recorded_actor
from collections_opt.core.day.event_columns import EPOCH
from collections_opt.core.evaluation.person_tables import PublicTable
from collections_opt.ledger.tables.reads import AccountRead
from collections_opt.wire.common import write_date, write_enum, write_time


def write_head(head: PersonHead) -> pb.PersonPackHead:
    """Return whom a pack is about."""
    return pb.PersonPackHead(
        customer_ids=head.customer_ids,
        account_ids=head.account_ids,
        first_date=write_date(head.days.first),
        last_date=write_date(head.days.last),
        create_time=_time(head.made_at),
        ranking_count=head.ranking_count,
        analysis_ranking_count=head.analysis_count,
        verifier_key=head.verifier_key,
    )


def write_lease(held: PersonLease) -> pb.PersonLease:
    """Return a lease; its holder is told by kind alone."""
    lease = held.lease
    return pb.PersonLease(
        lease_id=lease.lease_id,
        account_id=held.account_id,
        ranking_id=lease.ranking_id,
        queue_id=lease.queue_id,
        holder_kind=write_enum(HolderKind.DESCRIPTOR, lease.holder_kind),
        state=write_enum(LeaseState.DESCRIPTOR, lease.state),
        start_time=_time(EPOCH + timedelta(microseconds=lease.leased_at)),
        end_time=_time(EPOCH + timedelta(microseconds=lease.ended_at)) if lease.ended_at else None,
    )


def write_read(read: AccountRead) -> pb.PersonRead:
    """Return a read of the trail."""
    actor = recorded_actor(json.loads(read.actor))
    who = " as ".join(filter(None, (actor.name or "nobody named", actor.role)))
    return pb.PersonRead(sequence=read.seq, time=write_time(read.at), method=read.method, actor=who, token_issuer=actor.issuer)


def write_table(table: PublicTable) -> pb.PersonTable:
    """Return a table without what must not be shown."""
    totals = table.counts.sum(axis=0)
    rows = []
    for counts, hidden in zip(table.counts.tolist(), table.hidden.tolist(), strict=True):
        cells = [
            pb.PersonCell() if secret else pb.PersonCell(count=count, share=count / total if total else 0.0)
            for count, secret, total in zip(counts, hidden, totals.tolist(), strict=True)
        ]
        rows.append(pb.PersonTableRow(count=sum(counts), cells=cells))
    kind = write_enum(pb.PersonTableKind.DESCRIPTOR, table.name.upper())
    return pb.PersonTable(kind=kind, kinds=table.kinds, groups=table.groups, group_counts=totals.tolist(), rows=rows)


def _time(instant: datetime) -> Timestamp:
    told = Timestamp()
    told.FromDatetime(instant.astimezone(UTC))
    return told
