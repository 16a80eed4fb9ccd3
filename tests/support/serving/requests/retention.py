"""Good requests of RetentionService: of what nothing keeps, and only checked."""

from __future__ import annotations

from collections_opt.api.v1 import retention_service_pb2 as pb
from collections_opt.application.records.holds import HoldRequest
from collections_opt.wire.common import write_date
from tests.support.models.folders import NOW
from tests.support.serving.calls import columns

REFUSED_ACCOUNT = columns().values["account_id"][0]
"""The row of the book that is refused at the door: never worked."""

FREE_PERSON, HELD_PERSON, HOLD = "c-free", "c-held", "case-1"
_IDS = [f"{number:08d}-0000-4000-8000-000000000000" for number in range(5)]


def save_holds(workspace):
    """Let two persons be known of whom nothing was told, and place a hold."""
    workspace.day.events.log.person_numbers([FREE_PERSON, HELD_PERSON])
    workspace.evidence.holds.place(HoldRequest(HOLD, (), [HELD_PERSON], "court"))


def retention_requests(account_id):
    """Return a good request per method."""
    erasing = {"reason": "asked for", "validate_only": True}
    return {
        "EraseAccounts": pb.EraseAccountsRequest(request_id=_IDS[0], account_ids=[REFUSED_ACCOUNT], **erasing),
        "ErasePersons": pb.ErasePersonsRequest(request_id=_IDS[1], customer_ids=[FREE_PERSON], **erasing),
        "EraseLapsedAccounts": pb.EraseLapsedAccountsRequest(request_id=_IDS[2], before_date=write_date(NOW.date()), **erasing),
        "PlaceHold": pb.PlaceHoldRequest(
            request_id=_IDS[3],
            hold_id="case-2",
            account_ids=[account_id],
            customer_ids=[HELD_PERSON],
            reason="court",
            validate_only=True,
        ),
        "ReleaseHold": pb.ReleaseHoldRequest(request_id=_IDS[4], hold_id=HOLD, reason="settled", validate_only=True),
        "ListHolds": pb.ListHoldsRequest(page_size=5, include_released=True, filter="released = false", order_by="hold_id desc"),
        "GetRetention": pb.GetRetentionRequest(account_ids=[account_id]),
    }
