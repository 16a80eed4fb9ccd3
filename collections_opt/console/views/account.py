"""Account: what was decided and why, why not elsewhere, what would change it, what happened, and the proof."""

from __future__ import annotations

from itertools import islice

from starlette.responses import Response

from collections_opt.api.v1.event_pb2 import RecordedEvent
from collections_opt.api.v1.ranking_pb2 import Ranking
from collections_opt.api.v1.ranking_service_pb2 import ExplainAssignmentRequest, ExplainAssignmentResponse
from collections_opt.client.client import Client
from collections_opt.client.day import account_events
from collections_opt.client.listings import all_rankings
from collections_opt.client.plain import plain
from collections_opt.console.pages import Content, Page, Part
from collections_opt.console.views.call import Call, download
from collections_opt.core.errors import CollectionsError, Reason

MAX_SHOWN_EVENTS = 50
MAX_SHOWN_RANKINGS = 10


def account(call: Call) -> Page:
    """Return the search, and what is known of the account that was asked for. The id travels in the body, never in an address."""
    account_id = call.form.get("account", "").strip()
    search = {"account": account_id, "ranking_named": call.said("ranking")}
    parts = [Part("account/search.html", lambda: search)]
    if account_id:
        parts += [
            Part("account/account.html", lambda: _explained(call, account_id)),
            Part("account/events.html", lambda: _happened(call, account_id)),
            Part("account/rankings.html", lambda: _over_time(call, account_id)),
        ]
    return Page("/account", "Account", parts)


def proof(call: Call) -> Response:
    """Return the proof of one row, for the verifier that every evidence archive holds."""
    found = _explain(call.client, call.said("ranking"), call.form.get("account", "").strip(), with_proof=True)
    return download(found.proof, f"proof-{found.ranking_id}.json", "application/json")


def _explain(client: Client, ranking_id: str, account_id: str, with_proof: bool = False) -> ExplainAssignmentResponse:
    request = ExplainAssignmentRequest(ranking_id=ranking_id, account_id=account_id, with_proof=with_proof)
    return client.rankings.ExplainAssignment(request)


def _explained(call: Call, account_id: str) -> Content:
    ranking = call.ranking()
    found = _explain(call.client, ranking.ranking_id, account_id)
    return {
        "account": account_id,
        "ranking": ranking,
        "found": found,
        "code": found.currency_code,
        "ranking_named": call.said("ranking"),
    }


def _happened(call: Call, account_id: str) -> Content:
    try:
        events = list(islice(account_events(call.client, account_id), MAX_SHOWN_EVENTS + 1))
    except CollectionsError as error:
        if error.reason is not Reason.NOT_FOUND:
            raise
        events = []
    lines = [(event, *_told(event)) for event in events[:MAX_SHOWN_EVENTS]]
    return {"events": lines, "more": len(events) > MAX_SHOWN_EVENTS, "most": MAX_SHOWN_EVENTS}


def _told(event: RecordedEvent) -> tuple[str, str]:
    """Return what kind of event it is and what it says, in words."""
    if event.erased:
        return "erased", "whom it concerned was erased since"
    kind = event.event.WhichOneof("fact") or ""
    content = plain(getattr(event.event, kind)) if kind else {}
    said = (f"{name.replace('_', ' ')} {_value(value)}" for name, value in content.items() if value not in ("", None, 0))
    return kind.replace("_", " "), ", ".join(said)


def _value(value: object) -> str:
    if isinstance(value, dict) and {"year", "month", "day"} <= value.keys():
        return f"{value['year']:04}-{value['month']:02}-{value['day']:02}"
    if isinstance(value, dict):
        return ", ".join(_value(inner) for inner in value.values() if inner not in ("", None, 0))
    return str(value).lower() if isinstance(value, bool) else str(value)


def _over_time(call: Call, account_id: str) -> Content:
    """Return what the newest rankings decided for it."""
    lines: list[tuple[Ranking, ExplainAssignmentResponse | None]] = []
    for ranking in islice(all_rankings(call.client), MAX_SHOWN_RANKINGS):
        try:
            lines.append((ranking, _explain(call.client, ranking.ranking_id, account_id)))
        except CollectionsError as error:
            if error.reason is not Reason.NOT_FOUND:
                raise
            lines.append((ranking, None))
    return {"account": account_id, "lines": lines, "most": MAX_SHOWN_RANKINGS}
