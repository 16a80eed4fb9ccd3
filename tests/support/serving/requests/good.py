"""One good request per method, with every field that a caller can set, to be broken field by field."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from collections_opt.api.v1 import (
    account_pb2,
    capacity_service_pb2,
    columns_pb2,
    constraints_pb2,
    morning_pb2,
    own_columns_pb2,
    placement_pb2,
    portfolio_service_pb2,
    ranking_pb2,
    ranking_service_pb2,
    schema_service_pb2,
    scoring_service_pb2,
)
from collections_opt.api.v1 import capacity_evaluation_pb2 as evaluation
from collections_opt.api.v1 import evidence_pb2 as evidence
from collections_opt.application.settings import bundled_parameters, bundled_plan
from collections_opt.wire.common import write_date
from collections_opt.wire.parameters import write_parameters
from collections_opt.wire.plans import write_plan
from tests.support.serving.calls import AS_OF, PLAN
from tests.support.serving.requests.approved import model_requests, value_requests
from tests.support.serving.requests.capacity import capacity_requests, figures, opened
from tests.support.serving.requests.events import event_requests, event_streams
from tests.support.serving.requests.experiments import experiment_requests
from tests.support.serving.requests.files import drafted, file_imported
from tests.support.serving.requests.monitors import monitor_requests, told, training_requests
from tests.support.serving.requests.packs import pack_requests
from tests.support.serving.requests.retention import retention_requests
from tests.support.serving.requests.rules import rule_requests, rule_what_ifs
from tests.support.serving.requests.worklists import worklist_requests

SPARE = "spare"
"""A portfolio on which nothing rests."""


@dataclass(frozen=True)
class Known:
    """What the server holds that requests can name."""

    ranking_id: str
    queue_id: str
    account_id: str
    etag: str
    values_etag: str
    rules_etag: str
    leases: tuple = ()
    matured_id: str = ""


def account(account_id="a"):
    """Return an account with every field set."""
    return account_pb2.Account(
        account_id=account_id,
        customer_id="c-1",
        product="CREDIT_CARD",
        state="TW",
        time_zone="Asia/Taipei",
        balance_minor_units=900_000,
        arrears_minor_units=90_000,
        credit_limit_minor_units=2_000_000,
        days_past_due=45,
        months_on_book=30,
        days_to_charge_off=120,
        loss_given_default=0.7,
        contacts_in_window_count=1,
        calls_last_7_days_count=1,
        attempts_last_7_days_count=2,
        days_since_conversation=20,
        block_flags=account_pb2.BlockFlags(),
        months=[account_pb2.MonthlyFigures(months_past_due=2, balance_minor_units=900_000, payment_minor_units=5_000)],
        own_values={"bureau_score": own_columns_pb2.OwnValue(number=612.0)},
    )


def plan(plan_id):
    """Return a plan with every field set."""
    message = write_plan(bundled_plan())
    message.plan_id = plan_id
    message.labels["desk"] = "cards"
    del message.queues[1:]
    queue = message.queues[0]
    queue.skills[:], queue.specialisms[:], queue.products[:], queue.states[:] = ["card"], ["vulnerable"], ["CREDIT_CARD"], ["TW"]
    queue.channel_fee_minor_units = 10
    del queue.windows[:]
    queue.windows.add(start_minute=480, end_minute=1_200)
    queue.time_zone = "Asia/Taipei"
    return message


def own_column():
    """Return a declaration with every field set."""
    return own_columns_pb2.OwnColumn(
        name="bureau_score",
        kind=own_columns_pb2.OWN_COLUMN_KIND_NUMBER,
        meaning="Score of the bureau.",
        unit="points",
        known_as_of=write_date(AS_OF),
        expected_sign=1,
        may_be_missing=True,
    )


def header(**changes):
    """Return an import's header."""
    fields = {
        "portfolio_id": "swept",
        "as_of_date": write_date(AS_OF),
        "time_zone": "Asia/Taipei",
        "currency_code": "TWD",
        "row_count": 1,
        "validate_only": True,
        "own_columns": [own_column()],
    }
    return portfolio_service_pb2.ImportPortfolioRequest(header=portfolio_service_pb2.PortfolioHeader(**{**fields, **changes}))


def chunk():
    """Return a chunk of one row with a column of every kind."""
    column = columns_pb2.Column
    columns = [
        column(name="account_id", text=columns_pb2.TextColumn(values=["a"])),
        column(name="product", text=columns_pb2.TextColumn(values=["CREDIT_CARD"])),
        column(name="balance_minor_units", integers=columns_pb2.Int64Column(values=[900_000])),
        column(name="arrears_minor_units", integers=columns_pb2.Int64Column(values=[90_000])),
        column(name="days_past_due", integers=columns_pb2.Int64Column(values=[45]), presence_bitmap=b"\x01"),
        column(name="loss_given_default", reals=columns_pb2.DoubleColumn(values=[0.5])),
        column(name="own.bureau_score", reals=columns_pb2.DoubleColumn(values=[612.0])),
        column(name="cease", flags=columns_pb2.BoolColumn(values=[False])),
        column(name="status_history", history=columns_pb2.HistoryColumn(month_count=2, values=[1, 2])),
    ]
    return portfolio_service_pb2.ImportPortfolioRequest(chunk=columns_pb2.ColumnChunk(row_count=1, columns=columns))


def file_rows():
    """Return where the row of ``chunk`` stands in a file, and a fault of it."""
    fault = {"field": "state", "column": "State", "value": "x", "rule": "UNLISTED_CODE", "remedy": "Send a code."}
    rows = portfolio_service_pb2.FileRows(lines=[2], faults=[portfolio_service_pb2.RowFault(row=0, **fault)])
    return portfolio_service_pb2.ImportPortfolioRequest(file_rows=rows)


def constraints() -> constraints_pb2.RankingConstraints:
    """Return every kind of constraint."""
    segment = constraints_pb2.Segment(products=["CREDIT_CARD"], states=["TW"], buckets=[2])
    cap, floor = constraints_pb2.LIMIT_KIND_AT_MOST, constraints_pb2.LIMIT_KIND_AT_LEAST
    return constraints_pb2.RankingConstraints(
        limits=[
            constraints_pb2.AccountLimit(name="cap", kind=cap, segment=segment, queue_ids=["early-calls"], account_count=3),
            constraints_pb2.AccountLimit(name="floor", kind=floor, segment_share=0.1),
        ],
        max_moved_count=5,
        exploration_share=0.05,
    )


def good_requests(known: Known):
    """Return good calls by method name, each the list of its messages; several where one cannot set every field."""
    resources = {**model_requests(), **rule_requests(known.rules_etag), **value_requests(known.values_etag)}
    resources |= experiment_requests(known.ranking_id)
    every = {**_read_requests(known), **resources, **retention_requests(known.account_id)}
    every |= event_requests(known.account_id, known.ranking_id)
    every |= worklist_requests(known.ranking_id, known.queue_id, known.leases)
    single = {name: message if isinstance(message, list) else [[message]] for name, message in every.items()}
    single["ExplainAssignment"] = [
        [ranking_service_pb2.ExplainAssignmentRequest(account_id=known.account_id, **which)]
        for which in ({"ranking_id": known.ranking_id}, {"as_of_date": write_date(AS_OF)})
    ]
    single |= {**event_streams(known.account_id), **pack_requests(known.account_id)}
    single |= {**monitor_requests(known.matured_id), **training_requests(known.matured_id), "RecordOutcomes": [told()]}
    imported = [header(), chunk(), file_rows()]
    checked = [portfolio_service_pb2.CheckPortfolioRequest.FromString(one.SerializeToString()) for one in imported]
    calls = {
        **single,
        "ImportPortfolio": [imported],
        "CheckPortfolio": [checked],
        "DraftMapping": [drafted()],
        "ImportFile": [file_imported()],
        **_what_ifs(known),
        **capacity_requests(known.queue_id),
    }
    for message in (message for every in calls.values() for call in every for message in call):
        if "read_mask" in message.DESCRIPTOR.fields_by_name:
            message.read_mask.paths.append("*")
    return calls


def _read_requests(known: Known):
    parameters = write_parameters(bundled_parameters())
    described = {"as_of_date": write_date(AS_OF), "time_zone": "Asia/Taipei", "currency_code": "TWD"}
    paged = {"page_size": 5}
    return {
        "ScoreAccounts": [
            [
                scoring_service_pb2.ScoreAccountsRequest(
                    accounts=[account()],
                    capacity_plan_id=PLAN,
                    capacity_plan_version=1,
                    value_parameters=parameters,
                    own_columns=[own_column()],
                    portfolio_id="book",
                    **described,
                )
            ],
            [
                scoring_service_pb2.ScoreAccountsRequest(
                    chunk=chunk().chunk, capacity_plan_id=PLAN, own_columns=[own_column()], **described
                )
            ],
        ],
        "GetPortfolio": portfolio_service_pb2.GetPortfolioRequest(portfolio_id="book"),
        "ListPortfolios": portfolio_service_pb2.ListPortfoliosRequest(**paged),
        "ListQuarantinedAccounts": portfolio_service_pb2.ListQuarantinedAccountsRequest(portfolio_id="book", **paged),
        "DeletePortfolio": portfolio_service_pb2.DeletePortfolioRequest(portfolio_id=SPARE, reason="swept", validate_only=True),
        "ExpirePortfolios": portfolio_service_pb2.ExpirePortfoliosRequest(reason="swept", validate_only=True),
        "RollForward": portfolio_service_pb2.RollForwardRequest(
            portfolio_id="book",
            as_of_date=write_date(AS_OF),
            rolled_portfolio_id="swept",
            events_are_complete=True,
            validate_only=True,
        ),
        "CreateCapacityPlan": capacity_service_pb2.CreateCapacityPlanRequest(capacity_plan=plan("swept"), validate_only=True),
        "ListCapacityPlans": capacity_service_pb2.ListCapacityPlansRequest(**paged),
        "UpdateCapacityPlan": capacity_service_pb2.UpdateCapacityPlanRequest(
            capacity_plan=plan(PLAN), etag=known.etag, validate_only=True
        ),
        **_ranking_requests(known),
        "VerifyRanking": evidence.VerifyRankingRequest(ranking_id=known.ranking_id),
        "VerifyLog": evidence.VerifyLogRequest(kept_checkpoints=["kept"]),
        "ReplayRanking": evidence.ReplayRankingRequest(ranking_id=known.ranking_id),
        "ExportEvidence": evidence.ExportEvidenceRequest(ranking_id=known.ranking_id, account_ids=[known.account_id]),
        "PlaceAccounts": placement_pb2.PlaceAccountsRequest(
            ranking_id=known.ranking_id, accounts=[account()], own_columns=[own_column()], **described
        ),
        "CompareRankings": ranking_service_pb2.CompareRankingsRequest(ranking_ids=[known.ranking_id]),
        "CompareMornings": morning_pb2.CompareMorningsRequest(
            before_ranking_id=known.ranking_id,
            after_ranking_id=known.ranking_id,
            changes=[morning_pb2.MORNING_CHANGE_SAME],
            **paged,
        ),
        "GetAccountSchema": schema_service_pb2.GetAccountSchemaRequest(),
        "ListProducts": schema_service_pb2.ListProductsRequest(as_of_date=write_date(AS_OF), portfolio_id="book", **paged),
    }


def _ranking_requests(known: Known):
    paged = {"page_size": 5}
    return {
        "CreateRanking": ranking_service_pb2.CreateRankingRequest(
            request_id=str(uuid.UUID(int=31, version=4)),
            portfolio_id="book",
            capacity_plan_id=PLAN,
            capacity_plan_version=1,
            ordering=ranking_pb2.ORDERING_EXPECTED_VALUE,
            value_parameters=write_parameters(bundled_parameters()),
            solver=ranking_pb2.SOLVER_DEFAULT,
            seed=1,
            validate_only=True,
            constraints=constraints(),
            previous_ranking_id=known.ranking_id,
            purpose=ranking_pb2.RANKING_PURPOSE_WORK,
        ),
        "GetRanking": ranking_service_pb2.GetRankingRequest(ranking_id=known.ranking_id),
        "GetRankingInForce": ranking_service_pb2.GetRankingInForceRequest(
            capacity_plan_id=PLAN, as_of_date=write_date(AS_OF), portfolio_id="book"
        ),
        "ListRankings": ranking_service_pb2.ListRankingsRequest(
            filter=f'portfolio_id = "book" AND capacity_plan_id = "{PLAN}" AND as_of_date = {AS_OF}', **paged
        ),
        "WatchRanking": ranking_service_pb2.WatchRankingRequest(ranking_id=known.ranking_id),
        "ExportRanking": ranking_service_pb2.ExportRankingRequest(ranking_id=known.ranking_id),
        "CancelRanking": ranking_service_pb2.CancelRankingRequest(ranking_id=known.ranking_id),
        "ReadRankingEvents": ranking_service_pb2.ReadRankingEventsRequest(after_sequence=1, **paged),
        "ListWorklist": ranking_service_pb2.ListWorklistRequest(
            ranking_id=known.ranking_id, queue_id=known.queue_id, allow_analysis=True, **paged
        ),
    }


def _what_ifs(known: Known):
    parameters = write_parameters(bundled_parameters())
    portfolio = evaluation.PortfolioBasis(
        portfolio_id="book", capacity_plan_id=PLAN, capacity_plan_version=1, value_parameters=parameters
    )
    scaled = evaluation.QueueChange(queue_id="late-calls", capacity_factor=1.5)
    changes = evaluation.CapacityChanges(queues=[figures(known.queue_id), scaled, opened(plan("opened").queues[0])])
    bases = (evaluation.CapacityBasis(ranking_id=known.ranking_id), evaluation.CapacityBasis(portfolio=portfolio))
    request = evaluation.EvaluateCapacityRequest
    others = {"solver": ranking_pb2.SOLVER_GREEDY, "max_moved_accounts": 5}
    return {
        **rule_what_ifs(bases),
        "EvaluateCapacity": [
            [request(basis=bases[0], changes=changes, **others)],
            [request(basis=bases[1], capacity_plan=plan(PLAN), **others)],
        ],
        "GetNextAgent": [[evaluation.GetNextAgentRequest(basis=basis, moved_agent_count=1, day_count=2)] for basis in bases],
        "GetCapacityCurves": [
            [evaluation.GetCapacityCurvesRequest(basis=basis, factors=[1.1], queue_ids=[known.queue_id])] for basis in bases
        ],
    }
