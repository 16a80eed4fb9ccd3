"""RetentionService: erasure, legal holds, and what keeps accounts."""

from __future__ import annotations

from collections_opt.api.v1 import retention_service_pb2 as pb
from collections_opt.application.records.erasures import ErasureReceipt, ErasureRequest, Erasures, KeptAccount
from collections_opt.application.records.holds import HoldRequest, Holds
from collections_opt.core.actors import recorded_actor
from collections_opt.core.errors import CollectionsError, Reason, refuse
from collections_opt.core.limits import MAX_PAGE_SIZE
from collections_opt.core.names import normal_account_id, text_violation
from collections_opt.ledger.tables.erasure import HoldRecord
from collections_opt.service.access.call import Call
from collections_opt.service.access.caller import read_actor
from collections_opt.service.servicers.lists.listing import Listing
from collections_opt.service.servicers.lists.paging import read_page
from collections_opt.wire.actors import write_recorded_actor
from collections_opt.wire.common import read_date, read_uuid, told_as, write_date, write_time

_NAMED = {"accounts": "account_ids", "customers": "customer_ids", "before": "before_date"}


_HOLDS = Listing(pb.Hold.DESCRIPTOR, ("hold_id", "released", "account_count", "person_count", "record_time"), "hold_id")


class RetentionServicer:
    """Erases, holds, and says what keeps accounts."""

    def __init__(self, erasures: Erasures, holds: Holds) -> None:
        self._erasures = erasures
        self._holds = holds

    def erase_accounts(self, request: pb.EraseAccountsRequest, context: Call) -> pb.EraseAccountsResponse:
        """Erase accounts."""
        with told_as(_NAMED):
            named = [normal_account_id(account) for account in request.account_ids]
            receipt = self._erasures.erase(named, _why(request), read_actor(context))
        return pb.EraseAccountsResponse(erasure=_write_erasure(receipt))

    def erase_persons(self, request: pb.ErasePersonsRequest, context: Call) -> pb.ErasePersonsResponse:
        """Erase what was told of persons alone."""
        with told_as(_NAMED):
            named = [normal_account_id(customer) for customer in request.customer_ids]
            receipt = self._erasures.erase_persons(named, _why(request), read_actor(context))
        return pb.ErasePersonsResponse(erasure=_write_erasure(receipt))

    def erase_lapsed_accounts(self, request: pb.EraseLapsedAccountsRequest, context: Call) -> pb.EraseLapsedAccountsResponse:
        """Erase accounts whose retention is over."""
        before = read_date(request.before_date, "before_date")
        with told_as(_NAMED):
            receipt = self._erasures.erase_lapsed(before, _why(request), read_actor(context))
        return pb.EraseLapsedAccountsResponse(erasure=_write_erasure(receipt))

    def place_hold(self, request: pb.PlaceHoldRequest, context: Call) -> pb.PlaceHoldResponse:
        """Place a hold."""
        wanted = HoldRequest(
            request.hold_id,
            [normal_account_id(account) for account in request.account_ids],
            [normal_account_id(customer) for customer in request.customer_ids],
            _reason(request.reason),
            read_uuid(request.request_id),
        )
        with told_as(_NAMED):
            if request.validate_only:
                self._holds.check(wanted)
                return pb.PlaceHoldResponse()
            hold = self._holds.place(wanted, read_actor(context))
        return pb.PlaceHoldResponse(hold=_write_hold(hold))

    def release_hold(self, request: pb.ReleaseHoldRequest, context: Call) -> pb.ReleaseHoldResponse:
        """Release a hold."""
        request_id = read_uuid(request.request_id)
        reason = _reason(request.reason)
        if request.validate_only:
            return pb.ReleaseHoldResponse(hold=_write_hold(self._holds.in_force(request.hold_id)))
        hold = self._holds.release(request.hold_id, reason, read_actor(context), request_id)
        return pb.ReleaseHoldResponse(hold=_write_hold(hold))

    def list_holds(self, request: pb.ListHoldsRequest, _context: Call) -> pb.ListHoldsResponse:
        """Return a page of holds."""
        scope = f"holds/{request.include_released}"

        def every() -> list[pb.Hold]:
            return list(map(_write_hold, self._holds.listed(request.include_released)))

        def plainly() -> tuple[list[pb.Hold], str]:
            page = read_page(scope, request.page_size, request.page_token, "")
            shown, more = page.cut([one for one in every() if one.hold_id > page.after])
            return list(shown), page.next_token(shown[-1].hold_id) if more else ""

        holds, token = _HOLDS.page(request, scope, plainly, every)
        return pb.ListHoldsResponse(holds=holds, next_page_token=token)

    def get_retention(self, request: pb.GetRetentionRequest, _context: Call) -> pb.GetRetentionResponse:
        """Return how long accounts are kept, and what keeps some."""
        named = [normal_account_id(account) for account in request.account_ids]
        if len(named) > MAX_PAGE_SIZE:
            told = f"{len(named)} accounts."
            raise refuse(Reason.LIMIT_EXCEEDED, "account_ids", told, f"Send at most {MAX_PAGE_SIZE}.")
        with told_as(_NAMED):
            kept = self._erasures.kept(named) if named else []
        return pb.GetRetentionResponse(
            retention_years=self._erasures.retention_years, accounts=[_write_kept(one) for one in kept]
        )


_Erasing = pb.EraseAccountsRequest | pb.ErasePersonsRequest | pb.EraseLapsedAccountsRequest


def _why(request: _Erasing) -> ErasureRequest:
    return ErasureRequest(_reason(request.reason), read_uuid(request.request_id), request.validate_only)


def _reason(text: str) -> str:
    if (found := text_violation("reason", text)) is not None:
        raise CollectionsError(Reason.INVALID_ARGUMENT, str(found), (found,))
    return text


def _write_erasure(receipt: ErasureReceipt) -> pb.Erasure:
    return pb.Erasure(
        erasure_id=receipt.erasure_id,
        erased_count=receipt.account_count,
        held_count=receipt.held_count,
        log_position=receipt.position,
    )


def _write_hold(hold: HoldRecord) -> pb.Hold:
    return pb.Hold(
        hold_id=hold.hold_id,
        account_count=len(hold.key_numbers),
        person_count=len(hold.person_numbers),
        released=not hold.placed,
        reason=hold.reason,
        actor=write_recorded_actor(recorded_actor(hold.actor)),
        record_time=write_time(hold.at),
        log_position=hold.position,
    )


def _write_kept(kept: KeptAccount) -> pb.KeptAccount:
    return pb.KeptAccount(
        account_id=kept.account_id,
        last_worked_date=write_date(kept.last_worked) if kept.last_worked else None,
        last_event_date=write_date(kept.last_event) if kept.last_event else None,
        keep_until_date=write_date(kept.keep_until) if kept.keep_until else None,
        hold_ids=kept.hold_ids,
    )
