"""The gate for whoever contacts people by other means than a lease: a dialler, a text platform, a voice bot.

Each question is judged on what is known at that instant, and question and answer are noted in the trail of reads before they are
given: a note may be left of an answer that nobody received, never the other way round.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date, datetime, timedelta

from collections_opt.application.day.contact_requests import (
    FACTS_TOO_OLD,
    HELD,
    LAST_CONTACT,
    BudgetLeft,
    ContactAnswer,
    ContactReason,
    ContactRequest,
    ContactVerdict,
    KnownFacts,
    check_contact_request,
    gravest,
    rule_kind,
)
from collections_opt.application.day.desk.gate import CHOSEN_HOURS, HELD_OUT, OTHER_PLAN, PERSON_WORKED, Gate
from collections_opt.application.day.desk.live_desk import LiveDesk
from collections_opt.application.day.desk.openings import Openings
from collections_opt.application.day.turns import Turns
from collections_opt.application.records.sealed_records import SealedRecords
from collections_opt.application.resources.rule_tables import RuleTables
from collections_opt.core.accounts.schema import AGE_COLUMNS
from collections_opt.core.actors import UNKNOWN, Actor
from collections_opt.core.day.event_checks import EARLY
from collections_opt.core.day.event_columns import EPOCH, microseconds
from collections_opt.core.day.events import EventKind
from collections_opt.core.day.live import LiveAccounts, Removal
from collections_opt.core.desk.queues import ContactEffect, Queue
from collections_opt.core.errors import Reason, refuse
from collections_opt.core.limits import MAX_DAYS_PAST_DUE
from collections_opt.core.names import normal_account_id
from collections_opt.core.rules.call_hours import DAYS_AHEAD, OpenMinutes
from collections_opt.core.rules.eligibility import next_eligible_date
from collections_opt.core.rules.every_rule import RuleStanding, every_rule
from collections_opt.core.rules.of_day import TOO_OLD, reason_of
from collections_opt.core.rules.tables import RuleKind, RuleTable
from collections_opt.ledger.events.leases import LeaseTurn
from collections_opt.ledger.sealing.subject_keys import SubjectKeys
from collections_opt.ledger.tables.reads import Reads

METHOD = "CheckContact"
"""What notes of questions are called in the trail of reads."""

_SAYS = {
    Removal.WORKED.name: "Somebody contacted the person about it today, or was contacted by them.",
    Removal.REFUSED.name: "The person refused today.",
    Removal.PROMISED.name: "A promise to pay runs.",
    Removal.PAID.name: "Money arrived today.",
    Removal.CLOSED.name: "The account left collections.",
    PERSON_WORKED: "The person was contacted today about another account.",
    HELD_OUT: "An experiment leaves the person alone.",
    OTHER_PLAN: "An experiment drew the person for another plan of the desk, which works them.",
    HELD: "Somebody holds the account, or another of the person.",
    CHOSEN_HOURS: "It is outside the hours that the person chose.",
    LAST_CONTACT: "It is the last contact that a rule leaves.",
}
_FOR_GOOD = frozenset({Removal.CLOSED.name, HELD_OUT, OTHER_PLAN})


class ContactChecks:
    """Answers whether people may be contacted.

    Args:
        openings: opens rankings.
        turns: where events and leases are read.
        rule_tables: what binds on which day.
        trail: where question and answer are noted.
        keys: what stands for persons and accounts in leases and notes.
        sealed: finds the numbers of accounts.
        now: the clock.
    """

    def __init__(
        self,
        openings: Openings,
        turns: Turns,
        rule_tables: RuleTables,
        trail: Reads,
        keys: SubjectKeys,
        sealed: SealedRecords,
        now: Callable[[], datetime],
    ) -> None:
        self._openings = openings
        self._turns = turns
        self._rule_tables = rule_tables
        self._trail = trail
        self._keys = keys
        self._sealed = sealed
        self._now = now

    def check(self, request: ContactRequest, actor: Actor = UNKNOWN) -> ContactAnswer:
        """Return whether a contact may be made, with everything that stands in its way, and note that it was asked.

        Raises:
            CollectionsError: NOT_FOUND for whom the ranking does not hold: nobody may be contacted of whom nothing is known;
                INVALID_ARGUMENT; RANKING_NOT_IN_FORCE; as ``Reads.record``, and then nothing was answered.
        """
        check_contact_request(request)
        self._openings.prepare(request.ranking_id)
        answer, numbers = self._turns.look(lambda turn: self._answered(turn, request))
        told = {
            "ranking_id": request.ranking_id,
            "key_numbers": numbers,
            "of": "account" if request.account_id else "person",
            "channel": request.channel,
            "holder_kind": request.holder_kind,
            "at": answer.at.isoformat(),
            "answer": answer.verdict.value,
            "reasons": [one.recorded() for one in answer.reasons],
            "left": {one.rule_id: one.left_count for one in answer.budgets},
            "rules": answer.rules_version,
            "plan": f"{answer.plan_id}/{answer.plan_version}",
            "through_event": answer.facts.through_event,
        }
        return replace(answer, note=self._trail.record(METHOD, actor, told, self._now()))

    def _answered(self, turn: LeaseTurn, request: ContactRequest) -> tuple[ContactAnswer, list[int]]:
        now = self._now()
        desk, gate = self._openings.caught_up(turn, request.ranking_id, now)
        at = _instant(request, desk, now)
        rows = self._rows(desk, request)
        everyone = sorted({other for row in rows for other in desk.rows_of_person(row)})
        judged = _Judged(desk, gate, gate.live(everyone, at), everyone, _queue(request), at)
        held = self._held_until(desk, rows[0], request, at)
        asked = [row for row in rows if not judged.is_closed(row)] or rows  # a debt that is over says nothing of the others
        reasons = [one for row in asked for one in (*judged.reasons(row), *judged.held(row, held))]
        order = list(ContactVerdict)
        reasons.sort(key=lambda one: (-order.index(one.verdict), one.kind, one.rule_id, one.account_id))
        verdict = gravest(tuple(reasons))
        next_at = at if verdict in (ContactVerdict.ALLOWED, ContactVerdict.WARNING) else self._next(judged, asked, reasons)
        answer = ContactAnswer(
            verdict=verdict,
            at=at,
            reasons=tuple(reasons),
            budgets=tuple(one for row in asked for one in judged.budgets(row)),
            next_at=next_at,
            facts=judged.facts(rows),
            rules_version=gate.rules.version,
            plan_id=desk.plan.plan_id,
            plan_version=desk.plan.version,
        )
        return answer, [int(desk.key_no[row]) for row in rows]

    def _rows(self, desk: LiveDesk, request: ContactRequest) -> list[int]:
        if request.customer_id:
            rows = desk.rows_of_customer(request.customer_id.encode())
        else:
            number = self._sealed.key_number(normal_account_id(request.account_id))
            row = None if number is None else desk.row_of_key(number)
            rows = [] if row is None else [row]
        if not rows:
            name = "account_id" if request.account_id else "customer_id"
            asked = request.account_id or request.customer_id
            told = f"{asked[:40]!r} is not in the ranking in work."
            raise refuse(Reason.NOT_FOUND, name, told, "Contact nobody of whom nothing is known; check the id.", asked)
        return rows

    def _held_until(self, desk: LiveDesk, row: int, request: ContactRequest, at: datetime) -> datetime | None:
        """Return until when somebody else holds an account of the person, over all rankings; None where nobody does."""
        person, instant = self._keys.tag(desk.person_of(row)), microseconds(at)
        until = [
            lease.expires_at
            for lease in desk.held.values()
            if lease.person == person and lease.expires_at > instant and lease.lease_id != request.lease_id
        ]
        return EPOCH + timedelta(microseconds=max(until)) if until else None

    def _next(self, judged: _Judged, rows: list[int], reasons: list[ContactReason]) -> datetime | None:
        """Return the first instant at which nothing that is known now stands in the way; looks three weeks ahead."""
        stops = [one for one in reasons if one.verdict in (ContactVerdict.BLOCKED, ContactVerdict.APPROVAL_REQUIRED)]
        if not all(one.ends for one in stops):
            return None
        since = max((one.since for one in stops if one.since), default=None)
        at = max((one.until for one in stops if one.until), default=judged.at)
        for row in rows:
            found = self._open_from(judged, row, max(at, judged.at), since)
            if found is None:
                return None
            at = found
        return at

    def _open_from(self, judged: _Judged, row: int, at: datetime, since: date | None) -> datetime | None:
        desk, home = judged.desk, judged.desk.portfolio.time_zone
        state, zone, chosen = judged.when(row)
        first = max(desk.day, since or desk.day)
        for day in (first + timedelta(days=after) for after in range(DAYS_AHEAD + 1)):
            table = judged.gate.rules if day == desk.day else self._rule_tables.in_force(day).rules
            rules = [rule for rule in table.rules if rule.kind is RuleKind.HOURS and rule.in_force(day)]
            found = OpenMinutes(day, home, rules, table.strict_places).first_open(state, zone, judged.queue, at, chosen, since)
            if found is not None:
                return found
        return None


class _Judged:
    """Accounts of a person as they stand at an instant, and what rules say of a contact with them."""

    def __init__(self, desk: LiveDesk, gate: Gate, live: LiveAccounts, rows: list[int], queue: Queue, at: datetime) -> None:
        self.desk, self.gate, self.queue, self.at = desk, gate, queue, at
        self._live = live
        self._place = {row: place for place, row in enumerate(rows)}
        self._alone, self._elsewhere = gate.left_alone(rows, live), gate.worked_elsewhere(rows)
        table: RuleTable = gate.rules
        self._rules = list(every_rule(live.portfolio, queue, desk.plan, table))

    def is_closed(self, row: int) -> bool:
        """Return whether an account left collections."""
        return Removal(int(self._live.removal[self._place[row]])) is Removal.CLOSED

    def reasons(self, row: int) -> Iterator[ContactReason]:
        """Yield what stands in the way of a contact about an account, but for who holds it."""
        at, name = self._place[row], self.desk.account_id[row].decode()
        yield from self._of_the_day(row, at, name)
        for standing in self._rules:
            yield from self._by_rule(standing, at, name)
        yield from self._by_hours(at, name)

    def held(self, row: int, until: datetime | None) -> Iterator[ContactReason]:
        """Yield that somebody holds an account, or another of the person."""
        if until is not None:
            yield ContactReason(self.desk.account_id[row].decode(), ContactVerdict.BLOCKED, HELD, _SAYS[HELD], until=until)

    def budgets(self, row: int) -> Iterator[BudgetLeft]:
        """Yield what budgets leave of an account."""
        at = self._place[row]
        for standing in self._rules:
            if standing.left is not None and standing.inside[at] and not standing.is_proposed:
                rule, left = standing.rule, max(int(standing.left[at]), 0)
                yield BudgetLeft(self.desk.account_id[row].decode(), rule.rule_id, rule.version, rule.threshold, left)

    def facts(self, rows: list[int]) -> KnownFacts:
        """Return how old what is known of accounts is."""
        portfolio, places = self._live.portfolio, [self._place[row] for row in rows]
        ages = {}
        for group, column in AGE_COLUMNS.items():
            if not self.desk.portfolio.holds(column):
                ages[group] = (self.desk.day - self.desk.portfolio.as_of_date).days
            elif portfolio.is_present(column)[places].all():
                ages[group] = min(int(portfolio.column(column)[places].max()), MAX_DAYS_PAST_DUE)
        last = max(int(self._live.latest_event[place]) for place in places)
        came = self.desk.came.at
        return KnownFacts(self.desk.portfolio.as_of_date, came, self.desk.sequence, last, ages)

    def when(self, row: int) -> tuple[str, str, tuple[int, int]]:
        """Return where an account is, its zone, and the minutes that the person chose."""
        at = self._place[row]
        state, zone = (self._live.portfolio.column(name)[at].decode() for name in ("state", "time_zone"))
        return state, zone, (int(self._live.hours_from[at]), int(self._live.hours_until[at]))

    def _of_the_day(self, row: int, at: int, name: str) -> Iterator[ContactReason]:
        verdict = self.gate.removed(self._live, at)
        kind = verdict.barred or (HELD_OUT if self._alone[at] else OTHER_PLAN if self._elsewhere[at] else "")
        if kind:
            since = None if kind in _FOR_GOOD else self._over(row, kind)
            yield ContactReason(name, ContactVerdict.BLOCKED, kind, _SAYS[kind], event=verdict.event, since=since)

    def _over(self, row: int, kind: str) -> date:
        """Return the first day on which what an event said today is over."""
        tomorrow = self.desk.day + timedelta(days=1)
        if kind != Removal.PROMISED.name:
            return tomorrow
        _, told = self.desk.events_of([row])
        due = [one.event.due_date for one in told if one.event is not None and one.event.kind is EventKind.PROMISE]
        return max((day + timedelta(days=1) for day in due if day is not None), default=tomorrow)

    def _by_rule(self, standing: RuleStanding, at: int, name: str) -> Iterator[ContactReason]:
        rule = standing.rule
        if standing.blocks[at]:
            verdict, kind = rule_kind(standing.is_proposed, rule.specialism)
            since = next_eligible_date(reason_of(rule, self.desk.day), self._live.portfolio, at)
            event = int(self._live.latest_event[at])
            yield ContactReason(name, verdict, kind, rule.description, rule.rule_id, rule.version, event, since)
        elif standing.is_proposed:
            return
        elif standing.old[at]:
            told = f"{TOO_OLD.description} ({rule.column})"
            yield ContactReason(name, ContactVerdict.BLOCKED, FACTS_TOO_OLD, told, rule.rule_id, rule.version)
        elif standing.left is not None and standing.inside[at] and standing.left[at] < 2:
            told = _SAYS[LAST_CONTACT]
            yield ContactReason(name, ContactVerdict.WARNING, LAST_CONTACT, told, rule.rule_id, rule.version)

    def _by_hours(self, at: int, name: str) -> Iterator[ContactReason]:
        verdict = self.gate.hours_of(self._live, at, self.queue, self.at)
        if verdict is None:
            return
        rule = next((one for one in self.gate.rules.rules if one.rule_id == verdict.rule_id), None)
        told = _SAYS[CHOSEN_HOURS] if rule is None else rule.description
        version = 0 if rule is None else rule.version
        yield ContactReason(name, ContactVerdict.BLOCKED, verdict.barred, told, verdict.rule_id, version, verdict.event)


def _queue(request: ContactRequest) -> Queue:
    """Return who would make the contact, as rules read it: no queue of a plan, and so without a plan's limits."""
    automated = request.holder_kind == "AUTOMATED"
    effect = ContactEffect(0.0, 0.0, 0.0)
    return Queue("", "", 1.0, 1.0, effect, request.channel, specialisms=tuple(request.skills), automated=automated)


def _instant(request: ContactRequest, desk: LiveDesk, now: datetime) -> datetime:
    """Return the instant that is judged: now, or a later one of the desk's day."""
    if request.at is None or now - EARLY <= request.at <= now:
        return now
    if request.at < now or request.at.astimezone(desk.zone).date() != desk.day:
        told = f"{request.at.isoformat()} is over, or of another day than {desk.day}."
        raise refuse(Reason.INVALID_ARGUMENT, "at", told, "Ask for now, or for a later instant of the desk's day.")
    return request.at
