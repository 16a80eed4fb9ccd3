"""Who may call what: the table of methods denies what it does not name, and the token says who calls."""

from __future__ import annotations

from contextvars import ContextVar
from dataclasses import dataclass
from fnmatch import fnmatchcase

from collections_opt.core.actors import Actor
from collections_opt.core.errors import Reason, refuse
from collections_opt.core.scopes import EVERYTHING, Scope, set_scope
from collections_opt.service.access.call import CallFacts
from collections_opt.service.access.metadata import names_of, one_value, system_of
from collections_opt.service.access.methods import METHODS
from collections_opt.service.access.scope_gate import may_call
from collections_opt.service.access.tokens import TokenChecker
from collections_opt.wire.callers.identity import ACTOR_KEY, ROLE_KEY, TOKEN_KEY

_authenticated: ContextVar[Actor | None] = ContextVar("authenticated", default=None)


def authenticated_actor() -> Actor | None:
    """Return who the current call's token vouches for; None where the server checks no tokens."""
    return _authenticated.get()


@dataclass(frozen=True)
class Access:
    """Lets calls in; without ``tokens`` everybody who can connect may call everything, and names are claims.

    Attributes:
        tokens: who a token speaks for.
        systems: names of client certificates that are let in, ``*`` standing for any part; empty lets in every certificate that
            the server's authority signed.
    """

    tokens: TokenChecker | None = None
    systems: tuple[str, ...] = ()

    def token_of(self, context: CallFacts) -> str:
        """Return the token that a call shows, "" for none.

        Raises:
            CollectionsError: INVALID_ARGUMENT for several.
        """
        scheme, _, token = one_value(context, TOKEN_KEY).partition(" ")
        return token if scheme.lower() == "bearer" else ""

    def admit(self, method: str, context: CallFacts) -> Actor | None:
        """Let a call in and return who its token vouches for, or refuse it.

        Args:
            method: full name, such as ``collections_opt.api.v1.RankingService.GetRanking``.
            context: of the call.

        Raises:
            CollectionsError: UNAUTHENTICATED without a token that holds, or with a certificate of another name;
                PERMISSION_DENIED for a role that may not call the method; INVALID_ARGUMENT at x-actor or x-role that says
                something else than the token.
        """
        if self.systems and not any(fnmatchcase(name, known) for name in names_of(context) for known in self.systems):
            shown = system_of(context) or "nobody"
            raise refuse(
                Reason.UNAUTHENTICATED,
                "certificate",
                f"{shown[:128]!r} is not among the systems let in.",
                "Use a certificate that is.",
            )
        actor, scope = self._known(self.tokens, method, context) if self.tokens else (None, EVERYTHING)
        _authenticated.set(actor)
        set_scope(scope)
        return actor

    def _known(self, tokens: TokenChecker, method: str, context: CallFacts) -> tuple[Actor, Scope]:
        token = self.token_of(context)
        if not token:
            raise refuse(Reason.UNAUTHENTICATED, TOKEN_KEY, "holds no token.", "Send 'Bearer' and a token with the call.")
        named, scope = tokens.known(token)
        for key, value in ((ACTOR_KEY, named.name), (ROLE_KEY, named.role)):
            if one_value(context, key) not in ("", value):
                raise refuse(Reason.INVALID_ARGUMENT, key, "is not what the token says.", "Leave it out.")
        service, name = method.split(".")[-2:]
        held = METHODS.get(service, {}).get(name)
        allowed = held.roles if held else frozenset()
        if named.role not in allowed:
            may = ", ".join(sorted(allowed)) or "nobody"
            remedy = f"It may be called by: {may}."
            raise refuse(Reason.PERMISSION_DENIED, "role", f"{named.role} may not call {name}.", remedy)
        if not may_call(service, name, scope):
            raise refuse(
                Reason.PERMISSION_DENIED,
                "token",
                f"is limited to a scope, and {name} reaches beyond any.",
                "Ask for a wider token.",
            )
        return Actor(named.name, named.role, system_of(context), named.issuer), scope
