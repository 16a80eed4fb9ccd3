"""Who is signed in: sessions held in memory, each with the token that its person showed and a connection that speaks for them."""

from __future__ import annotations

import base64
import json
import secrets
import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import grpc

from collections_opt.client.client import Client
from collections_opt.client.connection import Connection

IDLE = timedelta(minutes=30)
"""A session that nobody used for so long is over."""

LONGEST = timedelta(hours=10)
"""A session is over then, however much it is used; one with a token is over with the token."""

MAX_SESSIONS = 1_000
"""Sessions held at a time; the one idle longest makes room."""


@dataclass
class Session:
    """One person at one browser.

    Attributes:
        client: the API, in their name.
        name: who they are, as their token says or as they claim.
        role: likewise.
        vouched: a token says so; otherwise it is a claim.
        until: when it ends at the latest.
        zone: IANA time zone in which they read times.
        seen: when it was last used.
        csrf: what every form of theirs carries.
        kept: what pages made for them and may show again, by name.
    """

    client: Client
    name: str
    role: str
    vouched: bool
    until: datetime
    zone: str
    seen: datetime
    csrf: str = field(default_factory=lambda: secrets.token_urlsafe(24), repr=False)
    kept: dict[str, Any] = field(default_factory=dict, repr=False)
    channel: grpc.Channel | None = field(default=None, repr=False)

    def close(self) -> None:
        """End the connection."""
        self.kept.clear()
        if self.channel is not None:
            self.channel.close()


class Sessions:
    """The sessions of one console. Their ids are known to browsers alone; nothing is written anywhere."""

    def __init__(self, connection: Connection, now: Callable[[], datetime], role_claim: str = "role") -> None:
        self._connection = connection
        self._now = now
        self._role_claim = role_claim
        self._held: dict[str, Session] = {}
        self._lock = threading.Lock()

    def open(self, token: str, name: str, role: str, zone: str) -> tuple[str, Session]:
        """Return a new session and its id: of whom the token speaks for, or without one of whom somebody claims to be.

        Nothing is asked of the server yet: who opens a session tries it before handing out its id.
        """
        given = replace(self._connection, actor="" if token else name, role="" if token else role, bearer=token)
        said = _said(token) if token else {}
        moment = self._now()
        until = moment + LONGEST
        if isinstance(said.get("exp"), int):
            until = min(until, datetime.fromtimestamp(said["exp"], UTC))
        channel = given.channel()
        session = Session(
            client=Client(channel),
            name=str(said.get("sub", "")) if token else name,
            role=_words(said.get(self._role_claim, "")) if token else role,
            vouched=bool(token),
            until=until,
            zone=zone,
            seen=moment,
            channel=channel,
        )
        key = secrets.token_urlsafe(32)
        with self._lock:
            if len(self._held) >= MAX_SESSIONS:
                self._drop(min(self._held, key=lambda each: self._held[each].seen))
            self._held[key] = session
        return key, session

    def find(self, key: str) -> Session | None:
        """Return a session that is not over, which counts as its use; those that are over are ended."""
        moment = self._now()
        with self._lock:
            for each in [key for key, one in self._held.items() if moment >= one.until or moment - one.seen > IDLE]:
                self._drop(each)
            found = self._held.get(key)
            if found is not None:
                found.seen = moment
            return found

    def end(self, key: str) -> None:
        """End a session."""
        with self._lock:
            self._drop(key)

    def _drop(self, key: str) -> None:
        session = self._held.pop(key, None)
        if session is not None:
            session.close()


def _words(said: object) -> str:
    return ", ".join(str(each) for each in said) if isinstance(said, list) else str(said)


def _said(token: str) -> dict[str, Any]:
    """Return what a token claims, to show it and to end with it; that it holds is the server's to say, with every call."""
    try:
        part = token.split(".")[1]
        said = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    except (ValueError, IndexError):
        return {}
    return said if isinstance(said, dict) else {}
