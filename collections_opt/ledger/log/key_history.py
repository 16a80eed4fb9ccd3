"""Which keys a ledger has and had, as its log tells: the signing keys, each vouched for by the one before, and the master key.

A hand-over is a note that the former key signs:

    collections-opt key hand-over
    <the next public key>

so that whoever trusts one key of a log can come to trust the next without anything else. The fingerprint of a public key is the
SHA-256 of its text; on paper, or anywhere that whoever keeps the data does not control, it is what trust begins with.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from collections_opt.core.actors import Actor
from collections_opt.core.errors import Reason, refuse
from collections_opt.ledger.log.log import LogEntry, LogKind, append_log
from collections_opt.ledger.log.signed_notes import Signer, Verifier
from collections_opt.ledger.store.database import timestamp

KEYS = "keys"
"""What leaves about the keys are called."""

HAND_OVER = "collections-opt key hand-over"
_CHECK_BYTES = 8


@dataclass(frozen=True)
class KeyHistory:
    """The keys that the log names.

    Attributes:
        signing: public keys, the present one last.
        hand_overs: per change, in order, the former key's text and the note in which it vouches for the next.
        master_check: what ``master_check`` says of the present master key.
    """

    signing: tuple[Verifier, ...]
    hand_overs: tuple[tuple[str, str], ...]
    master_check: str

    @property
    def present(self) -> Verifier:
        """The key that signs now."""
        return self.signing[-1]

    @property
    def former(self) -> tuple[Verifier, ...]:
        """The keys that signed before, the latest first."""
        return tuple(reversed(self.signing[:-1]))


def key_history(entries: Iterable[LogEntry]) -> KeyHistory | None:
    """Return the keys that leaves about the ledger itself name; None where none was ever named.

    Raises:
        CollectionsError: INTEGRITY_FAILURE for a change of keys that the former key did not vouch for.
    """
    signing: list[Verifier] = []
    notes: list[tuple[str, str]] = []
    check = ""
    for facts in (entry.facts for entry in entries if entry.reference == KEYS):
        named, check = Verifier.parse(facts["vkey"]), facts["master_check"]
        if signing and named != signing[-1]:
            if next_key(facts["hand_over"], signing[-1]) != named:
                raise refuse(
                    Reason.INTEGRITY_FAILURE, "keys", "the signing key changed without the former key's word.", "Verify."
                )
            notes.append((signing[-1].vkey, facts["hand_over"]))
        if not signing or named != signing[-1]:
            signing.append(named)
    return KeyHistory(tuple(signing), tuple(notes), check) if signing else None


def hand_over(former: Signer, following: Verifier) -> str:
    """Return the note by which a key vouches for the next."""
    return former.sign(f"{HAND_OVER}\n{following.vkey}\n")


def next_key(note: str, former: Verifier) -> Verifier:
    """Return the key that a note hands over to.

    Raises:
        CollectionsError: INTEGRITY_FAILURE when the former key did not sign it, or it is another note of that key.
    """
    title, _, vkey = former.open(note).rstrip("\n").partition("\n")
    if title != HAND_OVER:
        raise refuse(Reason.INTEGRITY_FAILURE, "keys", "the note hands over nothing.", "Verify the log.")
    return Verifier.parse(vkey)


def record_keys(connection: sa.Connection, vkey: str, check: str, note: str, actor: Actor, now: datetime) -> LogEntry:
    """Append the leaf that names the present keys, within a transaction."""
    facts: Mapping[str, Any] = {
        "vkey": vkey,
        "master_check": check,
        "hand_over": note,
        "actor": actor.recorded(),
        "at": timestamp(now),
    }
    return append_log(connection, LogKind.LEDGER, KEYS, facts)


def master_check(master_key: bytes) -> str:
    """Return what tells one master key from another and nothing about it, 16 hex digits."""
    return hmac.new(master_key, b"collections-opt master key", hashlib.sha256).digest()[:_CHECK_BYTES].hex()


def fingerprint(vkey: str) -> str:
    """Return the SHA-256 of a public key's text in groups of four, for paper."""
    digits = hashlib.sha256(vkey.strip().encode()).hexdigest()
    return " ".join(digits[start : start + 4] for start in range(0, len(digits), 4))
