"""A person's pack as one page in plain language: what was decided and why, what happened, who looked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from collections_opt.reports.html_page import render

Table = tuple[list[str], list[list[str]]]

_KINDS = {
    "PAYMENT": "a payment",
    "PROMISE": "a promise to pay",
    "CONTACT": "a contact",
    "FLAG": "a flag",
    "CHANNEL_CHOICE": "a choice of the person",
    "BALANCE": "the balance as it stood",
    "MOVED": "a move",
    "OUTCOME": "the account left collections",
    "REVERSAL": "an earlier event was taken back",
    "LEASE": "somebody's turn to contact ended",
}
_REVIEWED = {
    "DECISION": "what was decided",
    "SCORE": "the chances and their reasons",
    "FACTS": "the facts that were read",
    "RULES": "the rules",
    "CONTACT": "how the person was contacted",
}
_CAME = {"UPHELD": "stands", "CHANGED": "was changed", "NOTED": "was noted"}


@dataclass(frozen=True)
class ShownDecision:
    """One decision in words.

    Attributes:
        day: the ranking's.
        account_id: about which account.
        ranking_id: which ranking.
        sentence: what was decided.
        reasons: why, most telling first.
        facts: name, value and meaning of each fact read.
        decided_by: who asked, model, rules, values, plan, portfolio, as name and text.
        outcome: what became of the account, "" while it is not known.
        proof: the file that proves it.
    """

    day: str
    account_id: str
    ranking_id: str
    sentence: str
    reasons: tuple[str, ...]
    facts: tuple[tuple[str, str, str], ...]
    decided_by: tuple[tuple[str, str], ...]
    outcome: str
    proof: str


@dataclass(frozen=True)
class PersonPage:
    """All that a page shows."""

    person: str
    accounts: tuple[str, ...]
    first: str
    last: str
    made: str
    ranking_count: int
    analysis_count: int
    decisions: tuple[ShownDecision, ...] = ()
    events: tuple[Mapping[str, Any], ...] = ()
    leases: tuple[Mapping[str, Any], ...] = ()
    reads: tuple[Mapping[str, Any], ...] = ()
    reviews: tuple[tuple[str, str, str], ...] = field(default=())


def person_html(page: PersonPage) -> str:
    """Return the page; equal content gives equal bytes."""
    contacts = [one for one in page.events if _is_outbound(one)]
    return render(
        "person_pack.html",
        title=f"What is recorded about {page.person}",
        headline=_headline(page, len(contacts)),
        page=page,
        decisions=page.decisions,
        days=_days(page.decisions),
        contacts=_contacts(page.events, page.leases),
        events=_others(page.events),
        looked=_reviewed(page.events),
        reviews=(["what", "who", "when and why"], [list(one) for one in page.reviews]),
        reads=_reads(page.reads),
    )


def _headline(page: PersonPage, contact_count: int) -> str:
    count = len(page.decisions)
    told = f"{count} decision(s) about {len(page.accounts)} account(s) and {contact_count} contact(s) outbound"
    return f"{told} from {page.first} to {page.last}."


def _days(decisions: Sequence[ShownDecision]) -> Table:
    return ["day", "account", "what was decided", "what became of it"], [
        [one.day, one.account_id, one.sentence, one.outcome or "not known yet"] for one in decisions
    ]


def _contacts(events: Sequence[Mapping[str, Any]], leases: Sequence[Mapping[str, Any]]) -> Table:
    kinds = {lease["lease_id"]: lease["holder_kind"].removeprefix("HOLDER_KIND_").lower() for lease in leases}
    lines = []
    for one in events:
        event = one["event"] or {}
        if event.get("kind") != "CONTACT":
            continue
        words = [event.get(name, "").lower().replace("_", " ") for name in ("direction", "channel", "result")]
        by = kinds.get(event.get("lease_id", ""), "not told")
        lines.append([_instant(event["occurred_at"]), event.get("account_id") or "the person", *words, by, one["proof"]])
    return ["when", "about", "began", "by", "what came of it", "made by", "proof"], lines


def _reviewed(events: Sequence[Mapping[str, Any]]) -> Table:
    """Return the reviews of decisions by people; one that was taken back says so."""
    held = [(one["event"] or {}, one["proof"]) for one in events]
    taken_back = {event["reverses"] for event, _ in held if event.get("kind") == "REVERSAL"}
    lines = []
    for event, proof in held:
        if event.get("kind") != "REVIEW":
            continue
        decision = f"ranking {event['ranking_id']}" if "ranking_id" in event else f"lease {event['lease_id']}"
        how = f"by a token of {event['reviewer_issuer']}" if "reviewer_issuer" in event else "as claimed"
        role = f" as {event['reviewer_role']}" if "reviewer_role" in event else ""
        came = _CAME[event["review_outcome"]] + (", taken back since" if event["event_id"] in taken_back else "")
        who, what = f"{event['reviewer']}{role}, {how}", f"{_REVIEWED[event['reviewed']]}, of {decision}"
        lines.append([_instant(event["occurred_at"]), event["account_id"], what, came, event["note"], who, proof])
    return ["when", "about", "what was reviewed", "what came of it", "why", "who", "proof"], lines


def _others(events: Sequence[Mapping[str, Any]]) -> Table:
    lines = []
    for one in events:
        event = one["event"]
        if event is None:
            lines.append(["-", "-", "erased since", "-", "-"])
        elif event["kind"] not in ("CONTACT", "REVIEW"):
            named = [(name, value) for name, value in event.items() if name not in _NOT_TOLD]
            told = ", ".join(f"{name.replace('_', ' ')} {'yes' if value is True else value}" for name, value in named)
            what = _KINDS.get(event["kind"], event["kind"])
            lines.append(
                [_instant(event["occurred_at"]), event.get("account_id") or "the person", what, told or "-", one["proof"]]
            )
    return ["when", "about", "what happened", "with", "proof"], lines


_NOT_TOLD = ("kind", "occurred_at", "account_id", "customer_id", "event_id")


def _reads(reads: Sequence[Mapping[str, Any]]) -> Table:
    known = [(one, "a token of " + one["token_issuer"] if one["token_issuer"] else "as claimed") for one in reads]
    return ["when", "who", "how known", "what was asked"], [
        [_instant(one["time"]), one["actor"], how, one["method"]] for one, how in known
    ]


def _is_outbound(one: Mapping[str, Any]) -> bool:
    event = one["event"] or {}
    return event.get("kind") == "CONTACT" and event.get("direction") == "OUTBOUND"


def _instant(text: str) -> str:
    return text[:16].replace("T", " ") + " UTC"
