"""The platform's day over the API: lease the best account, call, complete, hear of a payment, ask before a text, lease the next.

python examples/python/day.py 127.0.0.1:50051
"""

import sys
import uuid
from datetime import UTC, datetime, timedelta

import numpy as np

from collections_opt.api.v1.event_pb2 import Event, LeaseState
from collections_opt.api.v1.ranking_service_pb2 import CreateRankingRequest
from collections_opt.api.v1.worklist_service_pb2 import ContactReasonKind, ContactVerdict, RemovalReason
from collections_opt.client import (
    Client,
    Connection,
    ContactMeans,
    check_contact,
    complete_lease,
    connect,
    import_portfolio,
    lease_accounts,
    make_ranking,
    new_request_id,
    next_accounts,
    record_events,
)
from collections_opt.core.accounts.portfolio import RawPortfolio

HOLDER = "desk-7"


def accounts_at_noon() -> RawPortfolio:
    """Return accounts of a desk for which it is noon now, whenever this runs: calls are lawful, and the ranking is of its day."""
    hours = 12 - datetime.now(UTC).hour
    zone = f"Etc/GMT{'-' if hours > 0 else '+'}{abs(hours)}" if hours else "Etc/GMT"
    none = np.zeros(3, dtype=np.int64)
    columns = {
        "account_id": np.array(["P-1", "P-2", "P-3"], dtype=object),
        "product": np.array(["CREDIT_CARD"] * 3, dtype=object),
        "state": np.array(["SG"] * 3, dtype=object),
        "balance_minor_units": np.array([9_000_000, 2_500_000, 1_400_000]),
        "arrears_minor_units": np.array([900_000, 250_000, 140_000]),
        "days_past_due": np.array([45, 62, 65]),
        "calls_last_7_days_count": none,
        "attempts_last_7_days_count": none,
    }
    return RawPortfolio((datetime.now(UTC) + timedelta(hours=hours)).date(), zone, "TWD", columns)


def fact(account_id: str) -> Event:
    """Return an event about an account that happens now; one of its facts says what."""
    event = Event(event_id=str(uuid.uuid4()), account_id=account_id)
    event.occur_time.GetCurrentTime()
    return event


def live(client: Client) -> None:
    """Live a day of three accounts."""
    portfolio_id = f"python-day-{uuid.uuid4()}"
    import_portfolio(client, portfolio_id, accounts_at_noon())
    asked = CreateRankingRequest(
        request_id=new_request_id(),
        portfolio_id=portfolio_id,
        capacity_plan_id="credit-card-desk",
        ordering="ORDERING_EXPECTED_VALUE",
    )
    ranking = make_ranking(client, asked)
    queue_id = max(ranking.queues, key=lambda queue: queue.used_minutes).queue_id

    (lease,) = lease_accounts(client, ranking.ranking_id, queue_id, HOLDER)
    print(f"leased {lease.account_id}, {lease.attempts_left_count} attempts left")

    call = fact(lease.account_id)
    call.contact.channel, call.contact.direction = "CHANNEL_CALL", "CONTACT_DIRECTION_OUTBOUND"
    call.contact.result, call.contact.lease_id = "CONTACT_RESULT_RIGHT_PARTY", lease.lease_id
    call.contact.queue_id, call.contact.handling_seconds = queue_id, 240
    print(f"called {lease.account_id}: {LeaseState.Name(complete_lease(client, lease.lease_id, HOLDER, [call]).state)}")

    paid = next(iter(next_accounts(client, ranking.ranking_id, queue_id))).account_id
    payment = fact(paid)
    payment.payment.amount_minor_units = 10_000
    record_events(client, [payment])
    for account in next_accounts(client, ranking.ranking_id, queue_id, include_removed=True):
        print(f"{account.position}. {account.account_id} {RemovalReason.Name(account.removed) if account.removed else 'to work'}")

    answer = check_contact(client, paid, means=ContactMeans("CHANNEL_TEXT", automated=True), ranking_id=ranking.ranking_id)
    print(
        f"a text to {paid}: {ContactVerdict.Name(answer.verdict)}, {', '.join(ContactReasonKind.Name(reason.kind) for reason in answer.reasons)}"
    )

    following = lease_accounts(client, ranking.ranking_id, queue_id, HOLDER)
    print(f"next: {following[0].account_id}" if following else "next: nobody is left to work")


if __name__ == "__main__":
    with connect(Connection(sys.argv[1] if len(sys.argv) > 1 else "127.0.0.1:50051", insecure_loopback=True)) as connected:
        live(connected)
