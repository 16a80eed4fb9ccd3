"""Sign-in at the lender's identity provider: OpenID Connect 1.0, by authorization code with PKCE (RFC 7636).

The provider is found by discovery. Its ID token is checked here: signature, issuer, audience, nonce, times. What a person may do
is no matter of the console: the token that it then sends with every call is checked by the server.
"""

from __future__ import annotations

import base64
import hashlib
import secrets
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import GuestProtocol, Key, KeySet

from collections_opt.core.errors import CollectionsError, Reason, refuse
from collections_opt.wire.callers.provider_answers import ProviderAnswers, require_safe
from collections_opt.wire.callers.published_keys import PublishedKeys

ALGORITHMS = ("RS256", "PS256", "ES256", "EdDSA")
"""Signatures that only the holder of a private key can make."""

LEEWAY_SECONDS = 30
KEPT = timedelta(hours=1)
"""How long what the provider publishes about itself is kept; its keys are followed more closely."""

PATIENCE = timedelta(minutes=10)
"""How long a person may take at the provider."""

MAX_ATTEMPTS = 1_000
"""Sign-ins under way; the one begun first makes room."""


@dataclass(frozen=True)
class Provider:
    """An identity provider, and this console as it knows it.

    Attributes:
        issuer: its URL, exactly as its tokens name it; https, or http on loopback.
        client_id: this console's.
        client_secret: this console's; "" for one that has none.
        scope: what is asked for.
        audience: of the access token, where the provider wants to be told.
        sends_id_token: what goes to the server with every call is the ID token, for providers whose access tokens are no JWT.
        role_claim: claim that holds the role, as the server reads it; shown alone.
    """

    issuer: str
    client_id: str
    client_secret: str = ""
    scope: str = "openid"
    audience: str = ""
    sends_id_token: bool = False
    role_claim: str = "role"


@dataclass(frozen=True)
class Begun:
    """A sign-in under way.

    Attributes:
        url: where the person signs in.
        browser: what their browser must show again.
    """

    url: str
    browser: str


@dataclass(frozen=True)
class SignedIn:
    """Who came back: the token for the server, whom the ID token names, and the time zone that they chose before."""

    bearer: str
    name: str
    zone: str


@dataclass(frozen=True)
class _Attempt:
    browser: str
    nonce: str
    verifier: str
    redirect: str
    zone: str
    until: datetime


class OpenId:
    """Signs people in at one provider. Safe to use from any thread.

    Args:
        provider: which.
        now: the clock, with zone.

    Raises:
        CollectionsError: INVALID_ARGUMENT for an issuer that is no URL, or plain HTTP beyond this machine.
    """

    def __init__(self, provider: Provider, now: Callable[[], datetime]) -> None:
        require_safe(provider.issuer, "openid_issuer")
        self.provider = provider
        self._now = now
        self._answers = ProviderAnswers("sign-in", "Try again; if it stays so, tell whoever runs the console.")
        self._lock = threading.Lock()
        self._attempts: dict[str, _Attempt] = {}
        self._about: tuple[datetime, Mapping[str, Any]] | None = None
        self._keys = PublishedKeys(self._published, now)

    def begin(self, redirect: str, zone: str) -> Begun:
        """Return where a person signs in; ``redirect`` is where the provider sends them back.

        Raises:
            CollectionsError: UNAUTHENTICATED when the provider cannot be reached, or says of itself what cannot be.
        """
        about = self._discovered()
        state, browser, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(4))
        attempt = _Attempt(browser, nonce, verifier, redirect, zone, self._now() + PATIENCE)
        with self._lock:
            while len(self._attempts) >= MAX_ATTEMPTS:
                self._attempts.pop(next(iter(self._attempts)))
            self._attempts[state] = attempt
        asked = {
            "response_type": "code",
            "client_id": self.provider.client_id,
            "redirect_uri": redirect,
            "scope": self.provider.scope,
            "state": state,
            "nonce": nonce,
            "code_challenge": challenge(verifier),
            "code_challenge_method": "S256",
            **({"audience": self.provider.audience} if self.provider.audience else {}),
        }
        address = str(about["authorization_endpoint"])
        return Begun(f"{address}{'&' if '?' in address else '?'}{urlencode(asked)}", browser)

    def finish(self, answer: Mapping[str, str], browser: str) -> SignedIn:
        """Return who came back from the provider; each sign-in ends once, in the browser that began it.

        Args:
            answer: what the provider added to the address.
            browser: what ``begin`` gave the browser.

        Raises:
            CollectionsError: UNAUTHENTICATED for anything that is not exactly as it must be.
        """
        with self._lock:
            attempt = self._attempts.pop(answer.get("state", ""), None)
        if attempt is None or not secrets.compare_digest(attempt.browser.encode(), browser.encode()):
            raise _refused("this sign-in was not begun here, or has ended.")
        if self._now() > attempt.until:
            raise _refused("it took too long.")
        about = self._discovered()
        if "iss" in answer or about.get("authorization_response_iss_parameter_supported"):  # RFC 9207
            _require(answer.get("iss") == self.provider.issuer, "another provider answered.")
        if answer.get("error") or not answer.get("code"):
            raise _refused(f"the provider refused: {answer.get('error', 'no code')[:100]}.")
        tokens = self._exchanged(str(about["token_endpoint"]), answer["code"], attempt)
        claims = self._checked(str(tokens.get("id_token", "")), attempt.nonce)
        bearer = str(tokens.get("id_token" if self.provider.sends_id_token else "access_token", ""))
        _require(bool(bearer), "the provider gave no token for the server.")
        if "at_hash" in claims and not self.provider.sends_id_token:
            _require(claims["at_hash"] in _half_hashes(bearer), "the access token is another sign-in's.")
        return SignedIn(bearer, str(claims["sub"]), attempt.zone)

    def end_session(self) -> str:
        """Return where a person may end their session at the provider too; "" where it says of none, or cannot be asked."""
        try:
            address = str(self._discovered().get("end_session_endpoint", ""))
        except CollectionsError:
            return ""
        return f"{address}?{urlencode({'client_id': self.provider.client_id})}" if address else ""

    def _discovered(self) -> Mapping[str, Any]:
        moment = self._now()
        with self._lock:
            kept = self._about
        if kept is not None and moment < kept[0] + KEPT:
            return kept[1]
        found = self._answers.get(self.provider.issuer.rstrip("/") + "/.well-known/openid-configuration")
        _require(found.get("issuer") == self.provider.issuer, "the provider calls itself by another name.")
        for name in ("authorization_endpoint", "token_endpoint", "jwks_uri"):
            require_safe(str(found.get(name, "")), name)
        if found.get("end_session_endpoint"):
            require_safe(str(found["end_session_endpoint"]), "end_session_endpoint")
        with self._lock:
            self._about = (moment, found)
        return found

    def _exchanged(self, address: str, code: str, attempt: _Attempt) -> Mapping[str, Any]:
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": attempt.redirect,
            "code_verifier": attempt.verifier,
            "client_id": self.provider.client_id,
        }
        return self._answers.post(address, form, (self.provider.client_id, self.provider.client_secret))

    def _checked(self, token: str, nonce: str) -> Mapping[str, Any]:
        """Return the claims of an ID token that the provider signed for this console and this sign-in."""
        try:
            claims = jwt.decode(token, self._key, algorithms=list(ALGORITHMS)).claims
            mine = self.provider.client_id
            jwt.JWTClaimsRegistry(
                now=int(self._now().timestamp()),
                leeway=LEEWAY_SECONDS,
                iss={"essential": True, "value": self.provider.issuer},
                aud={"essential": True, "value": mine},
                sub={"essential": True},
                exp={"essential": True},
                iat={"essential": True},
                nonce={"essential": True, "value": nonce},
            ).validate(claims)
        except (JoseError, ValueError, TypeError) as error:
            raise _refused("the provider's token does not hold.") from error
        audience = claims["aud"]
        several = isinstance(audience, list) and len(audience) > 1
        _require(claims.get("azp", "" if several else mine) == mine, "the provider's token is for somebody else.")
        return dict(claims)

    def _key(self, token: GuestProtocol) -> Key:
        """Return the key that a token says to be signed with; the provider may sign with a newer one by now."""
        key_id = token.headers().get("kid")
        return self._keys.current(key_id if isinstance(key_id, str) else None)

    def _published(self) -> list[tuple[str | None, Key]]:
        found = self._answers.get(str(self._discovered()["jwks_uri"]))
        held = found.get("keys")
        try:
            keys = KeySet.import_key_set({"keys": [key for key in held if _signs(key)] if isinstance(held, list) else []})
        except (JoseError, ValueError, TypeError) as error:
            raise _refused("the provider's keys cannot be read.") from error
        return [(key.kid, key) for key in keys.keys]


def challenge(verifier: str) -> str:
    """Return what PKCE tells first of a secret that is shown later: its SHA-256."""
    return _base64(hashlib.sha256(verifier.encode()).digest())


def _signs(key: object) -> bool:
    """Return whether a published key is of a kind that signs ID tokens; a shared secret never is."""
    return isinstance(key, dict) and key.get("kty") in ("RSA", "EC", "OKP") and key.get("use", "sig") == "sig"


def _half_hashes(token: str) -> tuple[str, ...]:
    """Return what ``at_hash`` may be: the left half of a hash whose length goes by the signature."""
    return tuple(_base64(digest[: len(digest) // 2]) for digest in (_hash(token, "sha256"), _hash(token, "sha512")))


def _hash(token: str, kind: str) -> bytes:
    return hashlib.new(kind, token.encode()).digest()


def _base64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _require(holds: bool, told: str) -> None:
    if not holds:
        raise _refused(told)


def _refused(told: str) -> CollectionsError:
    return refuse(Reason.UNAUTHENTICATED, "sign-in", told, "Sign in again from this console's page.")
