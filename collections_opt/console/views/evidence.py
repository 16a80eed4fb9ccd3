"""Evidence: whether the log is whole, its checkpoint, what a ranking's record shows, the archive, and who did what."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import islice
from typing import Any

from starlette.responses import Response

from collections_opt.api.v1.evidence_pb2 import EvidenceVerdict, ReplayRankingRequest, VerifyLogRequest, VerifyRankingRequest
from collections_opt.api.v1.model_service_pb2 import ListModelEventsRequest, ModelEvent
from collections_opt.client.approved import all_rule_tables, all_value_sets
from collections_opt.client.capacity_plans import all_plan_versions
from collections_opt.client.exports import export_evidence
from collections_opt.client.listings import all_plans, all_rankings, pages
from collections_opt.console.pages import Content, Page, Part
from collections_opt.console.shown import enum_words
from collections_opt.console.views.call import Call, download
from collections_opt.core.errors import Reason, refuse
from collections_opt.core.models.lifecycle import ModelKind

MAX_SHOWN_RANKINGS = 20
MAX_SHOWN_ACTS = 40
MAX_READ_ACTS = 200
"""Newest acts of one kind that are read."""

Act = tuple[datetime, str, str, str, str]
"""When, who, in which role, what, and why."""
_DONE = {
    "submit": "submitted",
    "validate": "validated",
    "approve": "approved",
    "promote": "promoted",
    "challenge": "made a challenger of",
    "withdraw": "withdrew",
    "rollback": "rolled back to",
    "retire": "retired",
}
"""What somebody did to a version, by the action's name."""


def evidence(call: Call) -> Page:
    """Return the page."""
    parts = [
        Part("evidence/lead.html", dict),
        Part("evidence/log.html", lambda: _log(call)),
        Part("evidence/rankings.html", lambda: {"rankings": list(islice(all_rankings(call.client), MAX_SHOWN_RANKINGS))}),
        Part("evidence/acts.html", lambda: {"acts": _acts(call), "most": MAX_SHOWN_ACTS}),
    ]
    return Page("/evidence", "Evidence", parts)


def check(call: Call) -> Page:
    """Return what checking a ranking's record showed, or making it anew."""
    ranking_id, anew = call.said("ranking"), call.said("what") == "replay"
    if not ranking_id:
        raise refuse(Reason.INVALID_ARGUMENT, "ranking", "is missing.", "Choose one on the page of evidence.")
    part = Part("evidence/verdict.html", (lambda: _replayed(call, ranking_id)) if anew else (lambda: _verified(call, ranking_id)))
    return Page("/evidence", "Evidence", [Part("evidence/wait.html", lambda: {"subject": ranking_id, "anew": anew}), part])


def archive(call: Call) -> Response:
    """Return everything about a ranking as one archive."""
    ranking_id = call.said("ranking")
    content = export_evidence(call.client, ranking_id)
    return download(content, f"evidence-{ranking_id}.zip", "application/zip")


def _log(call: Call) -> Content:
    answer = call.client.rankings.VerifyLog(VerifyLogRequest())
    return {**_verdict(answer.verdict), "checkpoint": answer.checkpoint, "key": answer.verifier_key}


def _verified(call: Call, ranking_id: str) -> Content:
    verdict = call.client.rankings.VerifyRanking(VerifyRankingRequest(ranking_id=ranking_id)).verdict
    return {"subject": ranking_id, **_verdict(verdict), "replayed": ""}


def _replayed(call: Call, ranking_id: str) -> Content:
    answer = call.client.rankings.ReplayRanking(ReplayRankingRequest(ranking_id=ranking_id))
    told = enum_words(answer, "outcome") + (f": {answer.detail}" if answer.detail else "")
    return {"subject": ranking_id, "verdict": None, "holds": "identical" in told, "failed": [], "replayed": told}


def _verdict(verdict: EvidenceVerdict) -> Content:
    failed = [one for one in verdict.checks if not one.holds]
    return {"verdict": verdict, "strength": enum_words(verdict, "strength"), "holds": not failed, "failed": failed}


def _acts(call: Call) -> list[Act]:
    """Return who did what, newest first."""
    found = [*_ranked(call), *_planned(call), *_kept(call), *_modelled(call)]
    return sorted(found, key=lambda act: act[0], reverse=True)[:MAX_SHOWN_ACTS]


def _ranked(call: Call) -> list[Act]:
    acts = []
    for ranking in islice(all_rankings(call.client), MAX_READ_ACTS):
        actor = ranking.actor
        name = actor.authenticated_name or actor.claimed_name
        role = enum_words(actor, "authenticated_role" if actor.authenticated_name else "claimed_role")
        what = f"recorded ranking {ranking.ranking_id} of {ranking.inputs.portfolio_id}"
        acts.append(_act(ranking.record.create_time, name, role, actor.token_issuer, what, ""))
    return acts


def _planned(call: Call) -> list[Act]:
    versions = (version for plan in all_plans(call.client) for version in all_plan_versions(call.client, plan.plan_id))
    return [
        _act(
            version.create_time,
            version.saved_by.name,
            enum_words(version.saved_by, "role"),
            version.saved_by.token_issuer,
            f"stored version {version.version} of desk {version.plan_id}{', since taken back' if version.taken_back else ''}",
            version.labels.get("note", ""),
        )
        for version in islice(versions, MAX_READ_ACTS)
    ]


def _kept(call: Call) -> list[Act]:
    acts = []
    rules = (("rule table", table.rule_table_id, table.state) for table in all_rule_tables(call.client))
    values = (("value set", held.set_id, held.state) for held in all_value_sets(call.client))
    for kind, name, state in islice((*rules, *values), MAX_READ_ACTS):
        saver, approval = state.saved_by, state.approval
        named = f"version {state.version} of {kind} {name}"
        acts.append(
            _act(state.create_time, saver.name, enum_words(saver, "role"), saver.token_issuer, f"saved {named}", state.note)
        )
        if state.HasField("approval"):
            who = approval.approver
            role = enum_words(who, "role")
            acts.append(_act(approval.create_time, who.name, role, who.token_issuer, f"approved {named}", approval.note))
    return acts


def _modelled(call: Call) -> list[Act]:
    acts = []
    for kind in ModelKind:
        for event in _model_events(call, kind):
            action = enum_words(event, "action")
            what = f"{_DONE.get(action, action)} {event.kind}/{event.version} ({enum_words(event, 'mode')})"
            acts.append(_act(event.create_time, event.actor, "", "", what, event.note))
    return acts


def _model_events(call: Call, kind: str) -> Iterator[ModelEvent]:
    request = ListModelEventsRequest
    return pages(
        lambda token: call.client.models.ListModelEvents(request(kind=kind, page_token=token)),
        lambda page: page.events,
    )


def _act(when: Any, name: str, role: str, issuer: str, what: str, why: str) -> Act:
    vouched = f"{role.replace('_', ' ').lower()}, vouched for by {issuer}" if issuer else role.replace("_", " ").lower()
    return when.ToDatetime(tzinfo=UTC), name or "nobody named", vouched, what, why
