"""Short-lived tokens of persons: signed JSON web tokens (RFC 7519), checked with public keys of who issues them (RFC 7517)."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key

from collections_opt.core.actors import Actor, ActorRole, claimed_actor
from collections_opt.core.errors import CollectionsError, Reason, refuse
from collections_opt.core.scopes import EVERYTHING, Scope
from collections_opt.wire.callers.identity import TOKEN_KEY
from collections_opt.wire.callers.provider_answers import ProviderAnswers, require_safe
from collections_opt.wire.callers.published_keys import PublishedKeys

AUDIENCE = "collections-opt"
"""Whom tokens are for, unless a server says otherwise."""

MAX_LIFETIME = timedelta(hours=1)
"""A token that lives longer is refused: nobody can take one back."""

CLOCK_SKEW = timedelta(seconds=30)

ALGORITHMS = ("EdDSA", "ES256", "PS256", "RS256")
"""Signatures that only the holder of a private key can make; a shared secret would let every server issue tokens."""

SCOPE_CLAIMS = ("portfolios", "desks", "tenants")
"""Claims of a token that limit what its bearer may see."""

_REMEDY = "Get a new token from whoever issues them."
_NO_KEYS = "Give the JWK set of your identity provider, or one made by scripts/issue_token.py new-key."


@dataclass(frozen=True)
class TokenChecker:
    """Tells who a token speaks for.

    Attributes:
        keys: public keys of the issuer, followed as they change.
        issuer: ``iss`` that tokens must have.
        audience: ``aud`` that they must have.
        now: the clock, with zone.
        role_claim: claim that names the role, or a list in which one is; dots lead into claims of claims.
        roles: roles by the name that the issuer gives them; without any its names are ours.
    """

    keys: PublishedKeys[jwt.PyJWK]
    issuer: str
    audience: str
    now: Callable[[], datetime]
    role_claim: str = "role"
    roles: Mapping[str, ActorRole] = field(default_factory=dict)

    def actor(self, token: str) -> Actor:
        """Return the person and role that a token vouches for, as ``known``."""
        return self.known(token)[0]

    def known(self, token: str) -> tuple[Actor, Scope]:
        """Return the person (``sub``) and role (``role``) that a token vouches for, and what they may see.

        A scope is told by the claims ``portfolios`` and ``desks``, lists of patterns, and ``tenants``, a list of names; a claim
        that is there and empty lets nothing be seen, and is refused.

        Raises:
            CollectionsError: UNAUTHENTICATED when the token is not the issuer's, not for this audience, over or not yet in
                its time, longer than ``MAX_LIFETIME``, or names no person or no known role.
        """
        try:
            key = self.keys.named(_key_id(token))
            given = jwt.decode(
                token,
                key,
                algorithms=[key.algorithm_name],
                audience=self.audience,
                issuer=self.issuer,
                options={
                    "require": ["exp", "iat", "sub", "aud", "iss"],
                    "verify_exp": False,  # times are judged below, by the clock that was passed in
                    "verify_iat": False,
                    "verify_nbf": False,
                },
            )
        except jwt.PyJWTError as error:
            raise refuse(Reason.UNAUTHENTICATED, TOKEN_KEY, f"the token does not hold: {error}.", _REMEDY) from error
        self._check_times(given)
        try:
            named = claimed_actor(str(given["sub"]), self._role(given), "sub", self.role_claim)
            scope = Scope(*(_patterns(given, claim) for claim in SCOPE_CLAIMS))
        except CollectionsError as error:
            raise refuse(Reason.UNAUTHENTICATED, TOKEN_KEY, f"the token's {error}", _REMEDY) from error
        if not named.name or not named.role:
            raise refuse(Reason.UNAUTHENTICATED, TOKEN_KEY, "the token's sub or role is empty.", _REMEDY)
        return replace(named, issuer=self.issuer), scope

    def claims_keys_for(self, token: str) -> bool:
        """Return whether to refresh the keys before a token is judged, as ``PublishedKeys.claim``."""
        try:
            return self.keys.claim(_key_id(token))
        except jwt.PyJWTError:
            return False

    def has_key_for(self, token: str) -> bool:
        """Return whether the key that a token names is known; True for what is no token, which is refused without one."""
        try:
            return self.keys.holds(_key_id(token))
        except jwt.PyJWTError:
            return True

    def _role(self, given: Mapping[str, Any]) -> str:
        """Return the one role of ours that a token names.

        Raises:
            CollectionsError: INVALID_ARGUMENT for none, and for several: whoever has two says with which they come.
        """
        held: Any = given
        for name in (self.role_claim,) if self.role_claim in given else self.role_claim.split("."):
            held = held.get(name) if isinstance(held, Mapping) else None
        named = [one for one in (held if isinstance(held, list) else [held]) if isinstance(one, str)]
        known = {one.value: one for one in ActorRole} if not self.roles else self.roles
        found = {known[one].value for one in named if one in known}
        if len(found) != 1:
            told = f"names {len(found)} roles of this service."
            raise refuse(Reason.INVALID_ARGUMENT, self.role_claim, told, "Have one given, or another claim declared.")
        return found.pop()

    def _check_times(self, given: dict[str, Any]) -> None:
        times = {name: given[name] for name in ("iat", "nbf", "exp") if name in given}
        if not all(isinstance(value, int) and not isinstance(value, bool) for value in times.values()):
            raise refuse(Reason.UNAUTHENTICATED, TOKEN_KEY, "the token's times are not whole seconds.", _REMEDY)
        moment, skew = self.now().timestamp(), CLOCK_SKEW.total_seconds()
        if times["exp"] - times["iat"] > MAX_LIFETIME.total_seconds():
            raise refuse(Reason.UNAUTHENTICATED, TOKEN_KEY, f"the token lives longer than {MAX_LIFETIME}.", _REMEDY)
        if moment > times["exp"] + skew:
            raise refuse(Reason.UNAUTHENTICATED, TOKEN_KEY, "the token's time is over.", _REMEDY)
        if moment < max(times["iat"], times.get("nbf", 0)) - skew:
            raise refuse(Reason.UNAUTHENTICATED, TOKEN_KEY, "the token's time has not come.", "Set both clocks.")


def _patterns(given: dict[str, Any], claim: str) -> tuple[str, ...]:
    if claim not in given:
        return ()
    held = given[claim]
    if not isinstance(held, list) or not held or not all(isinstance(each, str) for each in held):
        raise refuse(Reason.INVALID_ARGUMENT, claim, "is no list of patterns.")
    return tuple(held)


def _key_id(token: str) -> str | None:
    key_id = jwt.get_unverified_header(token).get("kid")
    return None if key_id is None else str(key_id)


def issuer_keys(source: str, now: Callable[[], datetime]) -> PublishedKeys[jwt.PyJWK]:
    """Return the public keys of an issuer, read once and followed from there on.

    Args:
        source: a JSON file, or the https address at which the issuer publishes it (``jwks_uri``): a JWK set.
        now: the clock, with zone.

    Raises:
        CollectionsError: INVALID_ARGUMENT when it cannot be read, or holds no public key of a usable kind; UNAUTHENTICATED when
            the address does not answer.
    """
    if "://" in source:
        require_safe(source, "token_keys")
        answers = ProviderAnswers("token_keys", "Check the address of the keys and the way there.")
        keys = PublishedKeys(lambda: usable_keys(json.dumps(answers.get(source)), source), now)
    else:
        keys = PublishedKeys(lambda: _keys_in(Path(source)), now)
    keys.refresh()
    return keys


def _keys_in(path: Path) -> list[tuple[str | None, jwt.PyJWK]]:
    try:
        return usable_keys(path.read_text("utf-8"), path.name)
    except (OSError, UnicodeDecodeError) as error:
        told = f"{path.name} cannot be read: {getattr(error, 'strerror', None) or 'it is not text'}."
        raise refuse(Reason.INVALID_ARGUMENT, "token_keys", told, _NO_KEYS) from error


def usable_keys(text: str, name: str) -> list[tuple[str | None, jwt.PyJWK]]:
    """Return the public keys of a JWK set, as identity providers publish it, by id.

    Args:
        text: its JSON.
        name: what refusals call it.

    Raises:
        CollectionsError: INVALID_ARGUMENT when it is none, holds a private key, or no public key of a usable kind.
    """
    try:
        found: Sequence[jwt.PyJWK] = jwt.PyJWKSet.from_json(text).keys
        private = any("d" in key for key in json.loads(text)["keys"])
    except (ValueError, TypeError, AttributeError, jwt.PyJWTError) as error:
        raise refuse(Reason.INVALID_ARGUMENT, "token_keys", f"{name} is no JWK set: {error}.", _NO_KEYS) from error
    usable = [(key.key_id, key) for key in found if key.algorithm_name in ALGORITHMS]
    if private or not usable:
        told = f"{name} must hold public keys of {', '.join(ALGORITHMS)}."
        raise refuse(Reason.INVALID_ARGUMENT, "token_keys", told, _NO_KEYS)
    return usable


def new_key(key_id: str) -> tuple[bytes, str]:
    """Return a new Ed25519 private key (PEM) and the JWK set of its public half (JSON)."""
    key = Ed25519PrivateKey.generate()
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    public = jwt.algorithms.OKPAlgorithm.to_jwk(key.public_key(), as_dict=True)
    return pem, json.dumps({"keys": [{**public, "kid": key_id, "alg": "EdDSA", "use": "sig"}]}, indent=1) + "\n"


@dataclass(frozen=True)
class Bearer:
    """Whom a token is for: a person in a role, and what they may see."""

    name: str
    role: ActorRole
    scope: Scope = EVERYTHING


def issue(
    pem: bytes, name: str, role: ActorRole, issued_at: datetime, lifetime: timedelta, issuer: str, audience: str, key_id: str
) -> str:
    """Return a token that vouches for a person in a role from ``issued_at`` on, as ``issue_to``."""
    return issue_to(Bearer(name, role), pem, issued_at, lifetime, issuer, audience, key_id)


def issue_to(
    bearer: Bearer, pem: bytes, issued_at: datetime, lifetime: timedelta, issuer: str, audience: str, key_id: str
) -> str:
    """Return a token that vouches for its bearer from ``issued_at`` on.

    Raises:
        CollectionsError: INVALID_ARGUMENT for what is no name, key or lifetime.
    """
    name, role, scope = bearer.name, bearer.role, bearer.scope
    claimed_actor(name, role, "name", "role")
    if not name:
        raise refuse(Reason.INVALID_ARGUMENT, "name", "is empty.", "Say whom the token is for.")
    if not timedelta(0) < lifetime <= MAX_LIFETIME:
        raise refuse(Reason.INVALID_ARGUMENT, "lifetime", f"is not within {MAX_LIFETIME}.", "Ask for less.")
    try:
        key = load_pem_private_key(pem, None)
        if not isinstance(key, Ed25519PrivateKey):
            raise TypeError("it is not an Ed25519 key")
    except (ValueError, TypeError) as error:
        raise refuse(Reason.INVALID_ARGUMENT, "key", f"cannot be used: {error}.", "Make one with new-key.") from error
    start = int(issued_at.timestamp())
    end = start + int(lifetime.total_seconds())
    claims: dict[str, Any] = {"sub": name, "role": role.value, "iss": issuer, "aud": audience, "iat": start, "exp": end}
    claims |= {claim: list(getattr(scope, claim)) for claim in SCOPE_CLAIMS if getattr(scope, claim)}
    return jwt.encode(claims, key, algorithm="EdDSA", headers={"kid": key_id})
