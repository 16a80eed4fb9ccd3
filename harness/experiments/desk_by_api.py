"""A lender's desk that knows the product by its API alone: a server under a clock that is moved, and who calls it."""

from __future__ import annotations

import shutil
import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
from google.protobuf.timestamp_pb2 import Timestamp
from numpy.typing import NDArray

from collections_opt.api.v1 import (
    capacity_plan_pb2,
    event_pb2,
    experiment_pb2,
    experiment_service_pb2,
    model_service_pb2,
    monitor_service_pb2,
    ranking_pb2,
)
from collections_opt.api.v1 import parameters_service_pb2 as values_pb
from collections_opt.api.v1.ranking_service_pb2 import CreateRankingRequest
from collections_opt.api.v1.value_set_pb2 import ValueSet
from collections_opt.application.models.registry_policy import read_policy, write_policy
from collections_opt.application.workspace import open_workspace
from collections_opt.client.client import Client, connect
from collections_opt.client.connection import Connection
from collections_opt.client.day import complete_lease, lease_accounts, stream_events
from collections_opt.client.rankings import make_ranking
from collections_opt.core.errors import CollectionsError, Reason
from collections_opt.core.models.lifecycle import ModelKind
from collections_opt.core.value.payoffs import ValueParameters
from collections_opt.service.server.build import ServerOptions, build_server
from collections_opt.service.server.services import all_services
from collections_opt.wire.common import write_date
from collections_opt.wire.parameters import write_parameters

MODELS = Path(__file__).parents[2] / "models"
ANN, BEN = "ann", "ben"
"""Who saves, and who approves."""
HOLDER = "agent-1"
_WAIT_SECONDS = 0.1
EventMessage = event_pb2.Event


class Clock:
    """A clock that stands until it is moved."""

    def __init__(self, at: datetime) -> None:
        self.at = at

    def __call__(self) -> datetime:
        """Return the instant."""
        return self.at


@dataclass(frozen=True)
class DeskByApi:
    """A desk; every act is a call.

    Attributes:
        client: of whoever runs the desk.
        second: of the second person.
        clock: of the server.
    """

    client: Client
    second: Client
    clock: Clock

    def save_values(self, parameters: ValueParameters) -> None:
        """Save value parameters by one person and approve them by another."""
        message = ValueSet(
            set_id="own-values", effective_from=write_date(self.clock().date()), value_parameters=write_parameters(parameters)
        )
        self.client.parameters.CreateValueSet(values_pb.CreateValueSetRequest(request_id=_id(), value_set=message))
        approve = values_pb.ApproveValueSetRequest(request_id=_id(), set_id="own-values", version=1)
        self.second.parameters.ApproveValueSet(approve)

    def start_experiment(self, name: str, share: float, days: int, horizon_days: int, people: int) -> None:
        """Create an experiment from today on by one person, with a salt of its own, and start it by another."""
        first = self.clock().date()
        message = experiment_pb2.Experiment(
            experiment_id=name,
            share=share,
            start_date=write_date(first),
            end_date=write_date(first + timedelta(days=days)),
            horizon_days=horizon_days,
            planned_person_count=people,
            salt=uuid.uuid5(uuid.NAMESPACE_OID, f"{name} {first}").hex,
        )
        pb = experiment_service_pb2
        self.client.experiments.CreateExperiment(pb.CreateExperimentRequest(request_id=_id(), experiment=message))
        self.second.experiments.StartExperiment(pb.StartExperimentRequest(request_id=_id(), experiment_id=name, version=1))

    def read_experiment(self) -> experiment_service_pb2.ReadExperimentResponse:
        """Return what the experiment shows."""
        return self.client.experiments.ReadExperiment(experiment_service_pb2.ReadExperimentRequest(experiment_id="holdout"))

    def rank(self, portfolio_id: str, plan_id: str, ordering: str = "ORDERING_EXPECTED_VALUE") -> ranking_pb2.Ranking:
        """Make a ranking; people have looked at whatever is suspect, and let it pass."""
        request = CreateRankingRequest(
            request_id=_id(),
            portfolio_id=portfolio_id,
            capacity_plan_id=plan_id,
            ordering=ranking_pb2.Ordering.Value(ordering),
            accept_suspect_scores=True,
        )
        return make_ranking(self.client, request)

    def work_leased(self, ranking_id: str, queue_id: str, count: int, reached: dict[str, bool]) -> list[str]:
        """Lease the first accounts of a queue one by one hundred, contact them and complete their leases; return whom."""
        done: list[str] = []
        while len(done) < count:
            leases = lease_accounts(self.client, ranking_id, queue_id, HOLDER, min(count - len(done), 100))
            if not leases:
                break
            for lease in leases:
                event = self.contact(lease.account_id, queue_id, reached[lease.account_id], lease.lease_id)
                complete_lease(self.client, lease.lease_id, HOLDER, [event])
                done.append(lease.account_id)
        return done

    def contact(self, account_id: str, queue_id: str, reached: bool, lease_id: str = "") -> EventMessage:
        """Return a contact as an event."""
        text = queue_id.startswith("text")
        missed = event_pb2.CONTACT_RESULT_MESSAGE_DELIVERED if text else event_pb2.CONTACT_RESULT_NO_ANSWER
        return self.event(
            account_id,
            f"contact-{lease_id or 'list'}",
            self.clock(),
            contact=event_pb2.Contact(
                channel=capacity_plan_pb2.CHANNEL_TEXT if text else capacity_plan_pb2.CHANNEL_CALL,
                direction=event_pb2.CONTACT_DIRECTION_OUTBOUND,
                result=event_pb2.CONTACT_RESULT_RIGHT_PARTY if reached else missed,
                queue_id=queue_id,
                handling_seconds=60,
                lease_id=lease_id,
            ),
        )

    def event(self, account_id: str, name: str, at: datetime, **fact: object) -> EventMessage:
        """Return an event of an account and an instant."""
        when = Timestamp()
        when.FromDatetime(at)
        return event_pb2.Event(event_id=f"{account_id}/{name}/{at.date()}", account_id=account_id, occur_time=when, **fact)  # type: ignore[arg-type]

    def tell(self, events: Sequence[EventMessage]) -> int:
        """Tell events; return how many were recorded."""
        return stream_events(self.client, events).recorded_count if events else 0

    def learn(self, kind: ModelKind, version: str, shadow: bool = False) -> str:
        """Let the service learn a version and let people take it into service, or into its shadow; return why it could not."""
        request = model_service_pb2.TrainModelRequest(request_id=_id(), kind=kind.value, version=version)
        training = self.client.models.TrainModel(request).training
        while training.state == model_service_pb2.TRAINING_STATE_RUNNING:
            time.sleep(_WAIT_SECONDS)
            asked = model_service_pb2.GetTrainingRequest(training_id=training.training_id)
            training = self.client.models.GetTraining(asked).training
        if training.state != model_service_pb2.TRAINING_STATE_SUCCEEDED:
            return training.error_message or "cancelled"
        try:
            self._adopt(kind, version, shadow)
        except CollectionsError as error:
            if error.reason is Reason.INTERNAL:
                raise
            return str(error)
        return ""

    def _adopt(self, kind: ModelKind, version: str, shadow: bool) -> None:
        pb = model_service_pb2
        ends = Timestamp()
        ends.FromDatetime(self.clock() + timedelta(days=365))
        named = {"kind": kind.value, "version": version}
        self.client.models.SubmitModel(pb.SubmitModelRequest(request_id=_id(), **named))
        self.client.models.ValidateModel(pb.ValidateModelRequest(request_id=_id(), **named))
        self.client.models.ApproveModel(
            pb.ApproveModelRequest(
                request_id=_id(), expire_time=ends, allowed_portfolio_patterns=["*"], score_valid_days=7, **named
            )
        )
        role = pb.MODEL_ROLE_CHALLENGER if shadow else pb.MODEL_ROLE_CHAMPION
        self.client.models.PromoteModel(pb.PromoteModelRequest(request_id=_id(), role=role, **named))

    def promote_what_was_better(self) -> str:
        """Make the outcome challenger that was best on the last matured ranking champion; return its version, "" for none."""
        listed = self.client.monitors.GetMonitors(monitor_service_pb2.GetMonitorsRequest(page_size=1_000)).monitors
        if not listed:
            return ""
        last = max(listed, key=lambda one: (one.as_of_date.year, one.as_of_date.month, one.as_of_date.day))
        kind = f"{ModelKind.OUTCOME.value}/"
        better = [one for one in last.challengers if one.model_version.startswith(kind) and one.log_loss_difference.value < 0]
        if not better:
            return ""
        best = min(better, key=lambda one: one.log_loss_difference.value)
        version = best.model_version.removeprefix(kind)
        pb = model_service_pb2
        named = {"kind": ModelKind.OUTCOME.value, "version": version, "role": pb.MODEL_ROLE_CHAMPION}
        self.client.models.PromoteModel(pb.PromoteModelRequest(request_id=_id(), **named))
        return version


@contextmanager
def desk_by_api(folder: Path, clock: Clock) -> Iterator[DeskByApi]:
    """Serve a data folder of its own with the shipped models, and yield the desk that calls it.

    The folder of models approves by itself, as that of a simulated lender: who acts on models is not what is tried here.
    """
    models = folder / "models"
    shutil.copytree(MODELS, models)
    write_policy(models, replace(read_policy(models), self_approving=True))
    with closing(open_workspace(folder / "data", models, clock)) as workspace:
        built = build_server(all_services(workspace), ServerOptions(insecure_loopback=True))
        built.start()
        address = f"127.0.0.1:{built.port}"
        try:
            with (
                connect(Connection(address, insecure_loopback=True, actor=ANN)) as client,
                connect(Connection(address, insecure_loopback=True, actor=BEN)) as second,
            ):
                yield DeskByApi(client, second, clock)
        finally:
            built.stop(10.0)


def _id() -> str:
    return str(uuid.uuid4())


def rows_of(ids: NDArray[np.bytes_], wanted: Sequence[str]) -> NDArray[np.int64]:
    """Return the rows of some accounts among ids in any order, int64 (k,)."""
    order = np.argsort(ids)
    return order[np.searchsorted(ids[order], np.array([name.encode() for name in wanted], dtype=ids.dtype))]
