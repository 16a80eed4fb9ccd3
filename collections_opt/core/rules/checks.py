"""Whether a rule table may decide: every rule with its source and its days, every field within its meaning."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations

from collections_opt.core.accounts.schema import BLOCK_FLAGS
from collections_opt.core.codes.iso_3166 import COUNTRIES
from collections_opt.core.codes.places import places_near, read_place
from collections_opt.core.errors import CollectionsError, FieldViolation, Reason
from collections_opt.core.limits import MAX_CONTACT_COUNT, MAX_DAYS_PAST_DUE, MAX_RULES, MAX_WINDOWS
from collections_opt.core.names import id_violation, list_violations, text_violation
from collections_opt.core.rules.facts import column_violations
from collections_opt.core.rules.tables import Rule, RuleKind, RuleScope, RuleStatus, RuleTable

CHANNELS = ("CALL", "TEXT", "EMAIL", "LETTER", "VISIT")
"""Channels that a rule may name; it blocks a queue whose channel is spelt the same."""

MAX_VERSION = 1_000_000
"""Versions of one rule's wording."""

OF_PLANS = ("queue.", "facts.")
"""Beginnings of ids of what a capacity plan blocks; a rule of such an id could be taken for it."""

_COUNTED = (RuleKind.BUDGET, RuleKind.COUNT_ABOVE)
_WAITS = (RuleKind.WAIT, RuleKind.WAIT_DAYS)
_PERMISSIVE = (RuleKind.COUNT_ABOVE, RuleKind.WAIT_DAYS)
_OF_PERSONS = (RuleKind.FLAG, RuleKind.CONSENT, RuleKind.BUDGET)
"""Kinds that may bind a person: an account that is placed brings no facts of others of any other kind."""


def check_rule_table(table: RuleTable) -> None:
    """Refuse a table that could not be kept, or that could let contact through which it means to forbid.

    Raises:
        CollectionsError: INVALID_ARGUMENT with every field at fault, each named by its rule (``rules[us-cap].source``).
    """
    found = tuple(rule_violations(table))
    if found:
        message = str(found[0]) if len(found) == 1 else f"{len(found)} field(s) of the rules at fault: {found[0]}"
        raise CollectionsError(Reason.INVALID_ARGUMENT, message, found)


def rule_violations(table: RuleTable) -> Iterator[FieldViolation]:
    """Yield what is wrong with a table, rule by rule."""
    wrong = text_violation("version", table.version)
    if wrong:
        yield wrong
    if not table.strict_places:
        told = "is not set: an account whose place is known less exactly than a rule's would escape it."
        yield FieldViolation("strict_places", told, "Set it; only rankings of before 0.3.0 are replayed without.")
    if not 1 <= len(table.rules) <= MAX_RULES:
        yield FieldViolation("rules", f"{len(table.rules)} rules.", f"Send 1 to {MAX_RULES}.")
        return
    for index, rule in enumerate(table.rules):
        yield from _violations(rule, rule_path(index, rule.rule_id))
    yield from _repeated(table.rules)


def rule_path(index: int, rule_id: str) -> str:
    """Return where a rule stands, by its id, or by its place where it has none."""
    return f"rules[{index if id_violation('', rule_id) else rule_id}]"


def _violations(rule: Rule, path: str) -> Iterator[FieldViolation]:
    yield from (
        each
        for each in (
            id_violation(f"{path}.rule_id", rule.rule_id),
            _number(f"{path}.version", rule.version, 1, MAX_VERSION),
            text_violation(f"{path}.source", rule.source),
            text_violation(f"{path}.description", rule.description),
        )
        if each
    )
    if rule.rule_id.startswith(OF_PLANS):
        yield FieldViolation(f"{path}.rule_id", f"{rule.rule_id!r} is taken by the capacity plan.", "Begin it otherwise.")
    if rule.source and not rule.source.strip():
        yield FieldViolation(f"{path}.source", "is blank.", "Say where the rule comes from: no rule without a citation.")
    yield from column_violations(rule, path)
    if rule.effective_to is not None and rule.effective_to < rule.effective_from:
        told = f"{rule.effective_to} is before the first day, {rule.effective_from}."
        yield FieldViolation(f"{path}.effective_to", told, "Send the last day on which it applies, or none.")
    yield from _figures(rule, path)
    yield from _standing(rule, path)
    yield from _places(f"{path}.jurisdictions", rule.jurisdictions)
    yield from _repeated_hours(rule, path)
    yield from _channels(f"{path}.channels", rule.channels)
    if rule.specialism and rule.specialism not in BLOCK_FLAGS:
        yield FieldViolation(f"{path}.specialism", f"{rule.specialism[:40]!r} is none.", f"Use {', '.join(BLOCK_FLAGS)}.")
    if rule.scope is RuleScope.PERSON and rule.kind not in _OF_PERSONS:
        told = f"a {rule.kind} reads the facts of one account."
        yield FieldViolation(f"{path}.scope", told, f"Send ACCOUNT, or one of {', '.join(_OF_PERSONS)}.")


def _figures(rule: Rule, path: str) -> Iterator[FieldViolation]:
    """Yield what is wrong with the numbers; one that its kind would not read is a misunderstanding, and refused."""
    high = MAX_CONTACT_COUNT if rule.kind in _COUNTED else MAX_DAYS_PAST_DUE if rule.kind in _WAITS else 0
    low = 1 if rule.kind in (*_WAITS, RuleKind.COUNT_ABOVE) else 0
    waits = rule.kind is RuleKind.WAIT
    lasts = _number(f"{path}.next_eligible_days", rule.next_eligible_days, 0, 0 if waits else MAX_DAYS_PAST_DUE)
    yield from (each for each in (_number(f"{path}.threshold", rule.threshold, low, high), lasts) if each)
    if rule.known_by and rule.kind is not RuleKind.WAIT:
        yield FieldViolation(f"{path}.known_by", f"a {rule.kind} does not read it.", "Leave it out, or send a WAIT.")


def _standing(rule: Rule, path: str) -> Iterator[FieldViolation]:
    """Yield what is wrong with what stands behind it; only a lender's own choice may read an unknown fact as permission."""
    if rule.status is RuleStatus.UNSTATED:
        yield FieldViolation(f"{path}.status", "is not stated.", "Send LAW, GUIDANCE, POLICY or PROPOSED.")
    elif rule.kind in _PERMISSIVE and rule.status is not RuleStatus.POLICY:
        told = f"a {rule.kind} lets contact through where the fact is not known."
        yield FieldViolation(f"{path}.kind", told, "Send a BUDGET or a WAIT; only a POLICY may be so.")


def _number(field: str, value: int, low: int, high: int) -> FieldViolation | None:
    if low <= value <= high:
        return None
    if high == 0:
        return FieldViolation(field, f"{value}, which a rule of its kind does not read.", "Leave it out.")
    return FieldViolation(field, f"{value} is outside {low} to {high}.", "Correct the number.")


def _places(field: str, codes: Sequence[str]) -> Iterator[FieldViolation]:
    yield from list_violations(field, codes)
    for index, code in enumerate(codes):
        head = code.split("-")[0]
        reading = read_place(code, "", head if head in COUNTRIES else "") if code else None
        if reading is None or not reading.known or reading.code != code:
            near = ((reading.code,) if reading.known else places_near(code)) if reading else ()
            remedy = f"Use {' or '.join(near)}." if near else "Use a code like US-MA."
            yield FieldViolation(f"{field}[{index}]", f"{code[:40]!r} is not a code of ISO 3166.", remedy)


def _repeated_hours(rule: Rule, path: str) -> Iterator[FieldViolation]:
    """Yield hours, days and feasts that stand there twice; what else may be wrong with them is told with the column."""
    for index, window in enumerate(rule.hours[:MAX_WINDOWS]):
        if window in rule.hours[:index]:
            yield FieldViolation(f"{path}.hours[{index}]", "stands there twice.", "Send each part of the day once.")
        yield from list_violations(f"{path}.hours[{index}].days", window.days)
    yield from list_violations(f"{path}.closed_on", rule.closed_on)


def _channels(field: str, values: Sequence[str]) -> Iterator[FieldViolation]:
    yield from list_violations(field, values)
    for index, value in enumerate(values):
        if value not in CHANNELS:
            yield FieldViolation(f"{field}[{index}]", f"{value[:40]!r} is none.", f"Use {', '.join(CHANNELS)}.")


def _repeated(rules: Sequence[Rule]) -> Iterator[FieldViolation]:
    """Yield rules of one id whose days overlap: which one holds would not be known."""
    by_id: dict[str, list[Rule]] = {}
    for rule in rules:
        by_id.setdefault(rule.rule_id, []).append(rule)
    for rule_id, same in by_id.items():
        if any(_overlap(first, second) for first, second in combinations(same, 2)):
            told = f"{rule_id!r} stands there {len(same)} times, on days that overlap."
            yield FieldViolation(f"rules[{rule_id}].rule_id", told, "Give each rule its own id, or end one before the next.")


def _overlap(first: Rule, second: Rule) -> bool:
    starts, other = sorted((first, second), key=lambda rule: rule.effective_from)
    return starts.effective_to is None or other.effective_from <= starts.effective_to
