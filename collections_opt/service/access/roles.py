"""Who may call what: a table that denies what it does not name, and the token that says who calls."""

from __future__ import annotations

from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from fnmatch import fnmatchcase
from types import MappingProxyType

from collections_opt.core.actors import Actor, ActorRole
from collections_opt.core.errors import Reason, refuse
from collections_opt.core.scopes import EVERYTHING, Scope, set_scope
from collections_opt.service.access.call import CallFacts
from collections_opt.service.access.metadata import names_of, one_value, system_of
from collections_opt.service.access.scope_gate import may_call
from collections_opt.service.access.tokens import TokenChecker
from collections_opt.wire.identity import ACTOR_KEY, ROLE_KEY, TOKEN_KEY

_R = ActorRole
_ALL = frozenset(ActorRole)
_PEOPLE = _ALL - {_R.PLATFORM}
_RUNNING = frozenset({_R.PLATFORM, _R.OPERATIONS_MANAGER, _R.ADMIN})
_DECIDING = _RUNNING | {_R.ANALYST}
_PLANNING = frozenset({_R.OPERATIONS_MANAGER, _R.ANALYST, _R.ADMIN})
_TRAINING = frozenset({_R.MODEL_SUBMITTER, _R.ANALYST, _R.ADMIN})
_OPERATING = frozenset({_R.OPERATIONS_MANAGER, _R.ADMIN})

METHOD_ROLES: Mapping[str, Mapping[str, frozenset[ActorRole]]] = MappingProxyType(
    {
        "SchemaService": {"GetAccountSchema": _ALL, "ListProducts": _ALL},
        "ScoringService": {"ScoreAccounts": _DECIDING},
        "PortfolioService": {
            "ImportPortfolio": _RUNNING,
            "CheckPortfolio": _RUNNING,
            "GetPortfolio": _ALL,
            "ListPortfolios": _ALL,
            "ListQuarantinedAccounts": _DECIDING | {_R.AUDITOR},
            "RollForward": _RUNNING,
        },
        "CapacityService": {
            "CreateCapacityPlan": _OPERATING,
            "GetCapacityPlan": _ALL,
            "ListCapacityPlans": _ALL,
            "UpdateCapacityPlan": _OPERATING,
            "ListCapacityPlanVersions": _ALL,
            "GetCapacityCalendar": _ALL,
            "ChangeCapacityDays": _OPERATING,
            "TakeBackCapacity": _OPERATING,
            "EvaluateCapacity": _PLANNING,
            "GetCapacityCurves": _PLANNING,
            "GetNextAgent": _PLANNING,
        },
        "RankingService": {
            "CreateRanking": _DECIDING,
            "GetRanking": _ALL,
            "GetRankingInForce": _ALL,
            "ListRankings": _ALL,
            "CancelRanking": _RUNNING,
            "ReadRankingEvents": _ALL,
            "WatchRanking": _ALL,
            "ExportRanking": _DECIDING | {_R.AUDITOR},
            "ListWorklist": _DECIDING | {_R.AUDITOR},
            "ExplainAssignment": _DECIDING | {_R.AUDITOR},
            "PlaceAccounts": _RUNNING,
            "CompareRankings": _PLANNING | {_R.AUDITOR},
            "CompareMornings": _PLANNING | {_R.AUDITOR},
            "VerifyRanking": _PEOPLE,
            "VerifyLog": _PEOPLE,
            "ReplayRanking": _PEOPLE,
            "ExportEvidence": frozenset({_R.AUDITOR, _R.ADMIN}),
        },
        "ParametersService": {
            "CreateValueSet": _PLANNING,
            "UpdateValueSet": _PLANNING,
            "ApproveValueSet": _OPERATING,
            "GetValueSet": _ALL,
            "ListValueSets": _ALL,
            "ListValueSetVersions": _ALL,
            "GetValuesInForce": _ALL,
        },
        "RuleService": {
            "CreateRuleTable": _PLANNING,
            "UpdateRuleTable": _PLANNING,
            "ApproveRuleTable": _OPERATING,
            "GetRuleTable": _ALL,
            "ListRuleTables": _ALL,
            "ListRuleTableVersions": _ALL,
            "GetRulesInForce": _ALL,
            "EvaluateRules": _PLANNING,
        },
        "ExperimentService": {
            "PlanExperiment": _PLANNING,
            "CreateExperiment": _PLANNING,
            "StartExperiment": _OPERATING,
            "StopExperiment": _OPERATING,
            "GetExperiment": _ALL,
            "ListExperiments": _ALL,
            "ReadExperiment": _PLANNING | {_R.AUDITOR},
        },
        "EventService": {
            "RecordEvents": _RUNNING,
            "StreamEvents": _RUNNING,
            "ListAccountEvents": _DECIDING | {_R.AUDITOR},
            "ReadEvents": _RUNNING | {_R.AUDITOR},
        },
        "WorklistService": {
            "LeaseAccounts": _RUNNING,
            "ExtendLease": _RUNNING,
            "CompleteLease": _RUNNING,
            "ReleaseLease": _RUNNING,
            "ListNextAccounts": _DECIDING | {_R.AUDITOR},
            "WatchQueue": _ALL,
        },
        "MonitorService": {
            "RecordOutcomes": _RUNNING,
            "MatureRankings": _DECIDING,
            "ListMaturities": _ALL,
            "ListOutcomes": _DECIDING | {_R.AUDITOR},
            "GetMonitors": _ALL,
        },
        "PackService": {
            "ExportPersonPack": frozenset({_R.AUDITOR, _R.ADMIN}),
            "GetPortfolioPack": _PLANNING | {_R.AUDITOR},
        },
        "ModelService": {
            "ListModels": _ALL,
            "GetModel": _ALL,
            "SubmitModel": frozenset({_R.MODEL_SUBMITTER}),
            "ValidateModel": frozenset({_R.MODEL_VALIDATOR}),
            "ApproveModel": frozenset({_R.MODEL_APPROVER}),
            "PromoteModel": _OPERATING,
            "RollbackModel": _OPERATING,
            "RetireModel": _OPERATING,
            "ListModelEvents": _ALL,
            "TrainModel": _TRAINING,
            "GetTraining": _ALL,
            "CancelTraining": _TRAINING,
        },
    }
)
"""Roles that may call each method; without an entry nobody may. Which person may act on models stands in the registry."""

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
        scheme, _, token = one_value(context, TOKEN_KEY).partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise refuse(Reason.UNAUTHENTICATED, TOKEN_KEY, "holds no token.", "Send 'Bearer' and a token with the call.")
        named, scope = tokens.known(token)
        for key, value in ((ACTOR_KEY, named.name), (ROLE_KEY, named.role)):
            if one_value(context, key) not in ("", value):
                raise refuse(Reason.INVALID_ARGUMENT, key, "is not what the token says.", "Leave it out.")
        service, name = method.split(".")[-2:]
        allowed = METHOD_ROLES.get(service, {}).get(name, frozenset())
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
