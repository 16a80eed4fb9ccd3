"""What messages of a person's pack say in words: who decided, why, what became of it, which people looked."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from collections_opt.api.v1 import actor_pb2, monitor_service_pb2, ranking_pb2, ranking_service_pb2
from collections_opt.api.v1 import pack_service_pb2 as pb
from collections_opt.api.v1.model_use_pb2 import ApprovalMode as Mode
from collections_opt.client.approved import choice_phrase, rule_table, value_set
from collections_opt.client.client import Client
from collections_opt.core.codes.currencies import currency
from collections_opt.core.errors import CollectionsError, Reason
from collections_opt.wire.common import read_date, read_enum

Review = tuple[str, str, str]


def reasons_of(why: ranking_service_pb2.ExplainAssignmentResponse) -> tuple[str, ...]:
    """Return why in sentences: the money queue by queue, rules that forbade it, what drove the score."""
    unit = currency(why.currency_code)
    told = []
    if why.queues:
        told.append(
            f"Without contact the model expected a cure with {why.p_cure:.1%}, default with {why.p_default:.1%}, "
            f"neither with {why.p_stay:.1%}."
        )
    for queue in why.queues:
        rule = queue.blocking_rule
        if rule.rule_id:
            told.append(f"In {queue.queue_id} a rule forbade contact: {rule.description} ({rule.rule_id}).")
            continue
        verdict = read_enum(ranking_service_pb2.Verdict.DESCRIPTOR, queue.verdict, "verdict").lower().replace("_", " ")
        added, costs = unit.exact(queue.increment_minor_units), unit.exact(queue.price_per_minute_minor_units)
        told.append(
            f"In {queue.queue_id}: {verdict}; contact was expected to add {added} {unit.code} and to take "
            f"{queue.handling_minutes:.1f} minutes, of which one was worth {costs} {unit.code} elsewhere."
        )
    return (*told, *(reason.sentence for reason in why.reason_codes))


def decided_by(one: pb.PersonDecision) -> tuple[tuple[str, str], ...]:
    """Return everything that decided, as name and text."""
    ranking, inputs, book = one.ranking, one.ranking.inputs, one.portfolio
    pairs = [
        ("ranking", ranking.ranking_id),
        ("recorded", ranking.record.create_time.ToJsonString()),
        ("asked for by", _asked_by(ranking.actor)),
        ("portfolio", f"{book.portfolio_id}, imported {book.create_time.ToJsonString()} by {_named(book.imported_by)}"),
        ("capacity plan", f"{inputs.capacity_plan_id}, version {inputs.capacity_plan_version}"),
        ("rules", ", ".join(f"{each.rule_table_id}/{each.version}" for each in inputs.rule_tables) or inputs.rules_version),
        ("outcome model", inputs.model_version),
        ("contact effects", inputs.effects_version),
        ("contact model", inputs.contact_version),
        ("recovery model", inputs.recovery_version),
        ("values", "; ".join(choice_phrase(choice) for choice in inputs.value_choices)),
        ("experiments", ", ".join(each.experiment_id for each in ranking.experiments)),
        ("what people had to know", " ".join(ranking.health.warnings)),
    ]
    return tuple((name, text) for name, text in pairs if text)


def outcome_of(one: pb.PersonDecision) -> str:
    """Return what became of the account, "" while it is not known."""
    if not one.HasField("outcome"):
        return ""
    found = one.outcome
    name = read_enum(monitor_service_pb2.HorizonOutcome.DESCRIPTOR, found.outcome, "outcome").lower().replace("_", " ")
    source = read_enum(monitor_service_pb2.OutcomeSource.DESCRIPTOR, found.source, "source").lower()
    paid = ""
    if found.HasField("cash_minor_units") and one.explanation.currency_code:
        unit = currency(one.explanation.currency_code)
        paid = f", {unit.exact(found.cash_minor_units)} {unit.code} paid"
    return f"{name} after {found.outcome_days} days, told by {source}{paid}"


def reviews_of(client: Client, decisions: Sequence[pb.PersonDecision]) -> tuple[Review, ...]:
    """Return which people looked at what decided: what, who, when and why; each once, in order."""
    found: list[Review] = []
    for one in decisions:
        inputs = one.ranking.inputs
        found += _accepted(one.ranking)
        approval = one.ranking.model_use.approval
        if approval.approver:
            until = f"until {approval.expire_time.ToJsonString()}, {_mode(approval.mode)}"
            found.append((f"model {inputs.model_version}", approval.approver, until))
        for table in inputs.rule_tables:
            state = _state(client, rule_table, table.rule_table_id, table.version)
            found += _approved(f"rules {table.rule_table_id}/{table.version}", state)
        for choice in inputs.value_choices:
            found += _approved(
                f"values {choice.set_id}/{choice.version}", _state(client, value_set, choice.set_id, choice.version)
            )
    return tuple(dict.fromkeys(found))


def _accepted(ranking: ranking_pb2.Ranking) -> Iterator[Review]:
    day = read_date(ranking.inputs.as_of_date, "as_of_date")
    for told in ranking.health.suspect_scores_accepted:
        yield (f"suspect scores of {day} let pass", _asked_by(ranking.actor), told)


def _approved(what: str, state: Any) -> list[Review]:
    if state is None or not state.HasField("approval"):
        return []
    approval = state.approval
    told = f"{approval.create_time.ToJsonString()}, {_mode(approval.mode)}" + (f": {approval.note}" if approval.note else "")
    return [(what, _named(approval.approver), told)]


def _state(client: Client, read: Any, name: str, version: int) -> Any:
    try:
        return read(client, name, version).state
    except CollectionsError as error:
        if error.reason not in (Reason.NOT_FOUND, Reason.PERMISSION_DENIED):
            raise
        return None


def _mode(mode: Mode.ValueType) -> str:
    return Mode.Name(mode).removeprefix("APPROVAL_MODE_").lower().replace("_", " ")


def _asked_by(actor: ranking_pb2.RankingActor) -> str:
    name = actor.authenticated_name or actor.claimed_name
    how = f"by a token of {actor.token_issuer}" if actor.token_issuer else "as claimed"
    return f"{name}, {how}" if name else "nobody named"


def _named(actor: actor_pb2.RecordedActor) -> str:
    how = f"by a token of {actor.token_issuer}" if actor.token_issuer else "as claimed"
    return f"{actor.name}, {how}" if actor.name else "nobody named"
