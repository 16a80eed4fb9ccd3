"""What holds of every method of the contract beside its messages: who may call it, what it waits with, what it may see."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from collections_opt.core.actors import ActorRole


class CallClass(StrEnum):
    """Which calls share a pool of places, so that one kind of work cannot starve another."""

    READ = "READ"
    """Answers from what is stored."""
    WORK = "WORK"
    """Scores, checks, starts rankings."""
    BULK = "BULK"
    """Streams whole portfolios and rankings."""
    DISPATCH = "DISPATCH"
    """Leases and what they end in: many at once, which share their turns."""
    WATCH = "WATCH"
    """Waits for progress."""


@dataclass(frozen=True)
class Method:
    """What holds of one method.

    Attributes:
        roles: who may call it. Which person may act on models stands in the registry.
        places: which calls it shares places of work with.
        in_scope: a limited token may call it, because it keeps to the token's scope or reads what all share. Not so what changes
            what all share (values, rules, models), and not what reads the whole log.
        audited: its answers hold stored data about accounts, so that every call is noted in the trail of reads. What-ifs answer
            in figures, placements about what they were sent.
    """

    roles: frozenset[ActorRole]
    places: CallClass
    in_scope: bool = False
    audited: bool = False


_C = CallClass
_R = ActorRole
_ALL = frozenset(ActorRole)
_PEOPLE = _ALL - {_R.PLATFORM}
_RUNNING = frozenset({_R.PLATFORM, _R.OPERATIONS_MANAGER, _R.ADMIN})
_DECIDING = _RUNNING | {_R.ANALYST}
_PLANNING = frozenset({_R.OPERATIONS_MANAGER, _R.ANALYST, _R.ADMIN})
_TRAINING = frozenset({_R.MODEL_SUBMITTER, _R.ANALYST, _R.ADMIN})
_OPERATING = frozenset({_R.OPERATIONS_MANAGER, _R.ADMIN})
_ERASING = frozenset({_R.ADMIN})

METHODS: Mapping[str, Mapping[str, Method]] = MappingProxyType(
    {
        "SchemaService": {
            "GetAccountSchema": Method(_ALL, _C.READ, in_scope=True),
            "ListProducts": Method(_ALL, _C.READ, in_scope=True),
        },
        "ScoringService": {
            "ScoreAccounts": Method(_DECIDING, _C.WORK, in_scope=True),
        },
        "PortfolioService": {
            "ImportPortfolio": Method(_RUNNING, _C.BULK, in_scope=True),
            "CheckPortfolio": Method(_RUNNING, _C.BULK, in_scope=True),
            "DraftMapping": Method(_RUNNING, _C.BULK, in_scope=True),
            "ImportFile": Method(_RUNNING, _C.BULK, in_scope=True),
            "GetPortfolio": Method(_ALL, _C.READ, in_scope=True),
            "ListPortfolios": Method(_ALL, _C.READ, in_scope=True),
            "ListQuarantinedAccounts": Method(_DECIDING | {_R.AUDITOR}, _C.READ, in_scope=True, audited=True),
            "RollForward": Method(_RUNNING, _C.WORK),
            "DeletePortfolio": Method(_OPERATING, _C.WORK),
            "ExpirePortfolios": Method(_OPERATING | {_R.PLATFORM}, _C.WORK),
        },
        "CapacityService": {
            "CreateCapacityPlan": Method(_OPERATING, _C.READ, in_scope=True),
            "GetCapacityPlan": Method(_ALL, _C.READ, in_scope=True),
            "ListCapacityPlans": Method(_ALL, _C.READ, in_scope=True),
            "UpdateCapacityPlan": Method(_OPERATING, _C.READ, in_scope=True),
            "ListCapacityPlanVersions": Method(_ALL, _C.READ, in_scope=True),
            "GetCapacityCalendar": Method(_ALL, _C.READ, in_scope=True),
            "ChangeCapacityDays": Method(_OPERATING, _C.READ, in_scope=True),
            "TakeBackCapacity": Method(_OPERATING, _C.READ, in_scope=True),
            "EvaluateCapacity": Method(_PLANNING, _C.BULK, in_scope=True),
            "GetCapacityCurves": Method(_PLANNING, _C.BULK, in_scope=True),
            "GetNextAgent": Method(_PLANNING, _C.WORK, in_scope=True),
        },
        "RankingService": {
            "CreateRanking": Method(_DECIDING, _C.WORK, in_scope=True),
            "GetRanking": Method(_ALL, _C.READ, in_scope=True),
            "GetRankingInForce": Method(_ALL, _C.READ, in_scope=True),
            "ListRankings": Method(_ALL, _C.READ, in_scope=True),
            "CancelRanking": Method(_RUNNING, _C.READ, in_scope=True),
            "ReadRankingEvents": Method(_ALL, _C.READ, in_scope=True),
            "WatchRanking": Method(_ALL, _C.WATCH, in_scope=True),
            "ExportRanking": Method(_DECIDING | {_R.AUDITOR}, _C.BULK, in_scope=True, audited=True),
            "ListWorklist": Method(_DECIDING | {_R.AUDITOR}, _C.READ, in_scope=True, audited=True),
            "ExplainAssignment": Method(_DECIDING | {_R.AUDITOR}, _C.WORK, in_scope=True, audited=True),
            "PlaceAccounts": Method(_RUNNING, _C.WORK, in_scope=True),
            "CompareRankings": Method(_PLANNING | {_R.AUDITOR}, _C.WORK, in_scope=True),
            "CompareMornings": Method(_PLANNING | {_R.AUDITOR}, _C.WORK, in_scope=True),
            "VerifyRanking": Method(_PEOPLE, _C.WORK, in_scope=True),
            "VerifyLog": Method(_PEOPLE, _C.WORK),
            "ReplayRanking": Method(_PEOPLE, _C.WORK, in_scope=True),
            "ExportEvidence": Method(frozenset({_R.AUDITOR, _R.ADMIN}), _C.BULK, in_scope=True, audited=True),
        },
        "ParametersService": {
            "CreateValueSet": Method(_PLANNING, _C.READ),
            "UpdateValueSet": Method(_PLANNING, _C.READ),
            "ApproveValueSet": Method(_OPERATING, _C.READ),
            "GetValueSet": Method(_ALL, _C.READ, in_scope=True),
            "ListValueSets": Method(_ALL, _C.READ, in_scope=True),
            "ListValueSetVersions": Method(_ALL, _C.READ, in_scope=True),
            "GetValuesInForce": Method(_ALL, _C.READ, in_scope=True),
        },
        "RuleService": {
            "CreateRuleTable": Method(_PLANNING, _C.READ),
            "UpdateRuleTable": Method(_PLANNING, _C.READ),
            "ApproveRuleTable": Method(_OPERATING, _C.READ),
            "GetRuleTable": Method(_ALL, _C.READ, in_scope=True),
            "ListRuleTables": Method(_ALL, _C.READ, in_scope=True),
            "ListRuleTableVersions": Method(_ALL, _C.READ, in_scope=True),
            "GetRulesInForce": Method(_ALL, _C.READ, in_scope=True),
            "EvaluateRules": Method(_PLANNING, _C.BULK, in_scope=True),
        },
        "ExperimentService": {
            "PlanExperiment": Method(_PLANNING, _C.WORK),
            "CreateExperiment": Method(_PLANNING, _C.READ),
            "StartExperiment": Method(_OPERATING, _C.READ),
            "StopExperiment": Method(_OPERATING, _C.READ),
            "GetExperiment": Method(_ALL, _C.READ, in_scope=True),
            "ListExperiments": Method(_ALL, _C.READ, in_scope=True),
            "ReadExperiment": Method(_PLANNING | {_R.AUDITOR}, _C.WORK),
        },
        "EventService": {
            "RecordEvents": Method(_RUNNING, _C.READ, in_scope=True),
            "StreamEvents": Method(_RUNNING, _C.BULK, in_scope=True),
            "RecordReviews": Method(_PLANNING | {_R.AUDITOR}, _C.READ, in_scope=True),
            "ListAccountEvents": Method(_DECIDING | {_R.AUDITOR}, _C.READ, in_scope=True, audited=True),
            "ReadEvents": Method(_RUNNING | {_R.AUDITOR}, _C.READ, in_scope=True, audited=True),
        },
        "WorklistService": {
            "LeaseAccounts": Method(_RUNNING, _C.DISPATCH, in_scope=True),
            "ExtendLease": Method(_RUNNING, _C.DISPATCH, in_scope=True),
            "CompleteLease": Method(_RUNNING, _C.DISPATCH, in_scope=True),
            "ReleaseLease": Method(_RUNNING, _C.DISPATCH, in_scope=True),
            "ListNextAccounts": Method(_DECIDING | {_R.AUDITOR}, _C.READ, in_scope=True, audited=True),
            "CheckContact": Method(_RUNNING, _C.DISPATCH, in_scope=True),
            "WatchQueue": Method(_ALL, _C.WATCH, in_scope=True),
        },
        "MonitorService": {
            "RecordOutcomes": Method(_RUNNING, _C.BULK),
            "MatureRankings": Method(_DECIDING, _C.WORK),
            "ListMaturities": Method(_ALL, _C.READ, in_scope=True),
            "ListOutcomes": Method(_DECIDING | {_R.AUDITOR}, _C.READ, in_scope=True, audited=True),
            "CompareOutcomes": Method(_PLANNING | {_R.AUDITOR}, _C.WORK, in_scope=True),
            "GetMonitors": Method(_ALL, _C.READ, in_scope=True),
        },
        "RetentionService": {
            "EraseAccounts": Method(_ERASING, _C.WORK),
            "ErasePersons": Method(_ERASING, _C.WORK),
            "EraseLapsedAccounts": Method(_ERASING, _C.BULK),
            "PlaceHold": Method(_OPERATING, _C.WORK),
            "ReleaseHold": Method(_ERASING, _C.WORK),
            "ListHolds": Method(_OPERATING | {_R.AUDITOR}, _C.READ),
            "GetRetention": Method(_OPERATING | {_R.AUDITOR}, _C.READ, audited=True),
        },
        "PackService": {
            "ExportPersonPack": Method(frozenset({_R.AUDITOR, _R.ADMIN}), _C.BULK, in_scope=True, audited=True),
            "GetPortfolioPack": Method(_PLANNING | {_R.AUDITOR}, _C.BULK, in_scope=True),
        },
        "ModelService": {
            "ListModels": Method(_ALL, _C.READ, in_scope=True),
            "GetModel": Method(_ALL, _C.READ, in_scope=True),
            "SubmitModel": Method(frozenset({_R.MODEL_SUBMITTER}), _C.WORK),
            "ValidateModel": Method(frozenset({_R.MODEL_VALIDATOR}), _C.WORK),
            "ApproveModel": Method(frozenset({_R.MODEL_APPROVER}), _C.WORK),
            "PromoteModel": Method(_OPERATING, _C.WORK),
            "RollbackModel": Method(_OPERATING, _C.WORK),
            "RetireModel": Method(_OPERATING, _C.WORK),
            "ListModelEvents": Method(_ALL, _C.READ, in_scope=True),
            "TrainModel": Method(_TRAINING, _C.READ),
            "GetTraining": Method(_ALL, _C.READ),
            "ListTrainings": Method(_ALL, _C.READ),
            "CancelTraining": Method(_TRAINING, _C.READ),
        },
    }
)
"""Every method of every service; one that is not here nobody may call, and the server does not start with it."""
