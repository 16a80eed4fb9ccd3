"""Accounts drawn once and sent twice, as messages and as a chunk; packed scores read back as messages, cell by cell."""

from __future__ import annotations

import unicodedata
from datetime import date

from hypothesis import strategies as st

from collections_opt.api.v1 import account_pb2, columns_pb2, own_columns_pb2, scoring_service_pb2
from collections_opt.wire.common import write_date

OWN = [
    own_columns_pb2.OwnColumn(
        name="bureau_score", kind="OWN_COLUMN_KIND_NUMBER", meaning="Score of the bureau.", unit="points", may_be_missing=True
    ),
    own_columns_pb2.OwnColumn(
        name="desk", kind="OWN_COLUMN_KIND_CATEGORY", meaning="Desk that opened the account.", may_be_missing=True
    ),
]
_FLAGS = [field.name for field in account_pb2.BlockFlags.DESCRIPTOR.fields]
_MONTHS = {
    "status_history": "months_past_due",
    "balance_history_minor_units": "balance_minor_units",
    "payment_history_minor_units": "payment_minor_units",
}
_PLACES = ["TW", "US-MA", "US-NY", "US-FL", "US", "GR", "AU", "RU", "GB"]

FIELDS = {
    "customer_id": st.sampled_from(["c-1", "c-2", "c-3", "Zoë"]),
    "state": st.sampled_from(_PLACES),
    "time_zone": st.sampled_from(["Asia/Taipei", "America/New_York", "America/Los_Angeles", "Pacific/Kiritimati"]),
    "credit_limit_minor_units": st.integers(0, 5_000_000),
    "months_on_book": st.integers(0, 200),
    "days_to_charge_off": st.integers(0, 400),
    "loss_given_default": st.floats(0.0, 1.0),
    "contacts_in_window_count": st.integers(0, 9),
    "calls_last_7_days_count": st.integers(0, 9),
    "attempts_last_7_days_count": st.integers(0, 9),
    "days_since_conversation": st.integers(1, 9),
    "attempts_this_month_count": st.integers(0, 12),
    "language": st.sampled_from(["zh", "en"]),
    "no_calls": st.booleans(),
    "consent_automated_texts": st.booleans(),
}


@st.composite
def drawn_accounts(draw):
    """Draw 1 to 12 accounts as dictionaries with a key per value, ids in any order, every column sometimes missing."""
    ids = draw(st.lists(st.text("abzÀé-0", min_size=1, max_size=6), min_size=1, max_size=12, unique_by=_folded))
    months = draw(st.integers(0, 4))
    sent = draw(st.sets(st.sampled_from(sorted(FIELDS))))
    own = draw(st.booleans())
    return [draw(_account(one, months, sent, own)) for one in ids], months, own


def _folded(text):
    return unicodedata.normalize("NFC", text)


@st.composite
def _account(draw, account_id, months, sent, own):
    balance = draw(st.integers(100_000, 5_000_000) | st.sampled_from([-5_000, 0, 1]))
    values = {
        "account_id": account_id,
        "product": "CREDIT_CARD",
        "balance_minor_units": balance,
        "arrears_minor_units": draw(st.integers(0, 200_000)),
        "days_past_due": draw(st.sampled_from([45, 20, 70, 100, 200, 0])),
    }
    if draw(st.integers(0, 5)) == 5:
        values |= dict.fromkeys(_FLAGS, False) | {draw(st.sampled_from(_FLAGS)): draw(st.booleans())}
    values |= {name: draw(FIELDS[name]) for name in sorted(sent) if draw(st.booleans())}
    for name in _MONTHS:
        cells = [draw(st.none() | st.integers(0, 9)) for _ in range(months)]
        values[name] = cells
    if own:
        values |= {"own.bureau_score": draw(st.none() | st.floats(300, 900)), "own.desk": draw(st.none() | st.sampled_from("ab"))}
    return {name: value for name, value in values.items() if value is not None}


def as_message(values) -> account_pb2.Account:
    """Return an account as the rows of a request hold it."""
    account = account_pb2.Account()
    for name, value in values.items():
        if name in _FLAGS:
            setattr(account.block_flags, name, value)
        elif name == "own.bureau_score":
            account.own_values["bureau_score"].number = value
        elif name == "own.desk":
            account.own_values["desk"].category = value
        elif name not in _MONTHS:
            setattr(account, name, value)
    for place in range(len(values["status_history"])):
        month = account.months.add()
        for name, field in _MONTHS.items():
            if values[name][place] is not None:
                setattr(month, field, values[name][place])
    return account


def as_chunk(accounts, months, own=False) -> columns_pb2.ColumnChunk:
    """Return accounts as columns: what stands in a missing cell is chosen to be noticed."""
    chunk = columns_pb2.ColumnChunk(row_count=len(accounts))
    names = list(dict.fromkeys(name for account in accounts for name in account if name not in _MONTHS))
    if own:
        names += [name for name in ("own.bureau_score", "own.desk") if name not in names]
    for name in names:
        column = chunk.columns.add(name=name)
        known = [name in account for account in accounts]
        sample = next((account[name] for account in accounts if name in account), 0.5 if name == "own.bureau_score" else "?")
        kind, nothing = {str: ("text", "?"), bool: ("flags", True), int: ("integers", 7), float: ("reals", 0.9)}[type(sample)]
        held = getattr(column, kind)
        held.SetInParent()
        held.values.extend([account.get(name, nothing) for account in accounts])
        if not all(known):
            column.presence_bitmap = _bitmap(known)
    for name in _MONTHS if months else ():
        column = chunk.columns.add(name=name)
        cells = [cell for account in accounts for cell in account[name]]
        column.history.month_count = months
        column.history.values.extend([7 if cell is None else cell for cell in cells])
        column.presence_bitmap = _bitmap([cell is not None for cell in cells])
    return chunk


def _bitmap(bits) -> bytes:
    return bytes(sum(bit << place for place, bit in enumerate(bits[at : at + 8])) for at in range(0, len(bits), 8))


def as_scores(told: scoring_service_pb2.ScoredColumns) -> list[scoring_service_pb2.ScoredAccount]:
    """Return packed scores as the messages that say the same, by the comments of the contract."""
    accounts, queues, codes = (_cells(chunk) for chunk in (told.accounts, told.queues, told.reason_codes))
    found = []
    for row in range(told.accounts.row_count):
        score = scoring_service_pb2.ScoredAccount(**{name: cells[row] for name, cells in accounts.items()})
        for place, queue_id in enumerate(told.queue_ids):
            cell = {name: cells[row * len(told.queue_ids) + place] for name, cells in queues.items()}
            queue = score.queues.add(queue_id=queue_id)
            for name in ("eligible", "increment_minor_units", "expected_recovery_minor_units", "handling_minutes"):
                setattr(queue, name, cell[name])
            queue.offered_attempt_count = cell.get("offered_attempts", 0)
            if cell.get("blocking_rule") is not None:
                queue.blocking_rule.CopyFrom(told.blocking_rules[cell["blocking_rule"]])
            if cell.get("next_eligible_date"):
                queue.blocking_rule.next_eligible_date.CopyFrom(write_date(date.fromisoformat(cell["next_eligible_date"])))
            if cell.get("call_from_minute") is not None:
                queue.call_window.start_minute = cell["call_from_minute"]
                queue.call_window.end_minute = cell["call_until_minute"]
        for at in range(row * told.reason_count, (row + 1) * told.reason_count):
            if codes["reason"][at] is not None:
                words = told.reasons[codes["reason"][at]]
                score.reason_codes.add(code=words.code, sentence=words.sentence, contribution=codes["contribution"][at])
        found.append(score)
    return found


def _cells(chunk):
    """Return the values of each column, None where the bitmap says that there is none."""
    found = {}
    for column in chunk.columns:
        values = list(getattr(column, column.WhichOneof("values")).values)
        bits = column.presence_bitmap
        found[column.name] = [v if not bits or bits[i // 8] >> i % 8 & 1 else None for i, v in enumerate(values)]
    return found
