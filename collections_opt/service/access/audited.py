"""What of a request goes into the trail of reads, where its method tells of single accounts."""

from __future__ import annotations

from collections.abc import Callable

from google.protobuf.message import Message

from collections_opt.service.access.call import Call
from collections_opt.service.access.caller import read_actor
from collections_opt.service.access.methods import METHODS
from collections_opt.wire.common import read_date

AUDITED = frozenset(name for methods in METHODS.values() for name, held in methods.items() if held.audited)
"""Methods whose calls are noted."""

Note = Callable[..., object]
_NAMED = ("ranking_id", "portfolio_id", "queue_id")
_ACCOUNTS = ("account_id", "account_ids")


def read_note(note: Note) -> Callable[[str, Message, Call], None]:
    """Return what notes a call before it is answered, where its method is audited."""

    def before(method: str, message: Message, call: Call) -> None:
        if method not in AUDITED:
            return
        named: dict[str, str] = {}
        accounts: list[str] = []
        for field, value in message.ListFields():
            if field.name in _ACCOUNTS:
                accounts = list(value) if field.is_repeated else [value]
            elif field.name == "customer_id":
                named["customer"] = "one"  # a person's id is no account's: it has no key by which to name it
            elif field.name in _NAMED:
                named[field.name] = str(value)
            elif field.name == "as_of_date":
                named["as_of_date"] = read_date(value, "as_of_date").isoformat()
        note(method, read_actor(call), named, accounts)

    return before
