"""ExperimentService: who is left alone to learn what contact is worth, planned, created, started, stopped and shown."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from types import MappingProxyType

from collections_opt.api.v1 import experiment_pb2
from collections_opt.api.v1 import experiment_service_pb2 as pb
from collections_opt.application.experiments.planning import Trials
from collections_opt.application.experiments.readings import Readings
from collections_opt.application.resources.experiments import Experiments, NewExperiment, StopCommand
from collections_opt.core.limits import MAX_PAGE_SIZE
from collections_opt.service.access.call import Call
from collections_opt.service.access.caller import read_acting
from collections_opt.service.converters.approved.experiments import (
    read_design,
    read_question,
    write_experiment,
    write_findings,
    write_planned,
)
from collections_opt.service.converters.approved.resources import read_version
from collections_opt.service.servicers.approved.shelf import read_approval
from collections_opt.service.servicers.lists.listing import Listing
from collections_opt.service.servicers.lists.paging import read_page
from collections_opt.wire.common import read_date, read_uuid, told_as

_NAMED: Mapping[str, str] = MappingProxyType({"resource_id": "experiment_id"})
_DESIGN = (
    "share",
    "salt",
    "horizon_days",
    "planned_person_count",
    "scope",
    "experiment_id",
    "plan_id",
    "challenger_plan_id",
)
_SAVED: Mapping[str, str] = MappingProxyType(
    {
        **{name: f"experiment.{name}" for name in _DESIGN},
        "resource_id": "experiment.experiment_id",
        "starts_on": "experiment.start_date",
        "ends_on": "experiment.end_date",
    }
)
"""Where the fields of an experiment are in a request that saves one."""

_PLANNED: Mapping[str, str] = MappingProxyType(
    {"standard_deviation": "standard_deviation_minor_units", "wanted_effect": "wanted_effect_minor_units"}
)
_LISTED = ("experiment_id", "standing", "start_date", "end_date", "create_time")
_LISTING = Listing(experiment_pb2.Experiment.DESCRIPTOR, _LISTED, "experiment_id")
_STOPPED: Mapping[str, str] = MappingProxyType({"resource_id": "experiment_id", "stop_reason": "reason", "note": "reason"})


class ExperimentServicer:
    """Plans, keeps and shows experiments.

    Args:
        experiments: the stored ones.
        trials: plans by recorded rankings.
        readings: reads what they show.
        now: the clock.
    """

    def __init__(self, experiments: Experiments, trials: Trials, readings: Readings, now: Callable[[], datetime]) -> None:
        self._experiments = experiments
        self._trials = trials
        self._readings = readings
        self._now = now

    def plan_experiment(self, request: pb.PlanExperimentRequest, _context: Call) -> pb.PlanExperimentResponse:
        """Say what an experiment would show and cost."""
        with told_as(_PLANNED):
            return write_planned(self._trials.plan(read_question(request)), request.share)

    def create_experiment(self, request: pb.CreateExperimentRequest, context: Call) -> pb.CreateExperimentResponse:
        """Save an experiment."""
        actor = read_acting(request.actor, context)
        new = NewExperiment(
            request.experiment.experiment_id,
            read_design(request.experiment),
            request.etag or None,
            request.note,
            read_uuid(request.request_id),
        )
        with told_as(_SAVED):
            stored = self._experiments.create(new, actor, request.validate_only)
        return pb.CreateExperimentResponse(experiment=write_experiment(stored, self._now().date()))

    def start_experiment(self, request: pb.StartExperimentRequest, context: Call) -> pb.StartExperimentResponse:
        """Let an experiment start."""
        command = read_approval(request, request.experiment_id)
        with told_as(_NAMED):
            stored = self._experiments.start(command, read_acting(request.actor, context), request.validate_only)
        return pb.StartExperimentResponse(experiment=write_experiment(stored, self._now().date()))

    def stop_experiment(self, request: pb.StopExperimentRequest, context: Call) -> pb.StopExperimentResponse:
        """Save a stop, or approve one."""
        command = StopCommand(
            experiment_id=request.experiment_id,
            stopped_on=read_date(request.stop_date, "stop_date") if request.HasField("stop_date") else None,
            reason=request.reason,
            version=read_version(request.version) if request.version else 0,
            self_approved=request.self_approved,
            request_id=read_uuid(request.request_id),
        )
        with told_as(_STOPPED):
            stored = self._experiments.stop(command, read_acting(request.actor, context), request.validate_only)
        return pb.StopExperimentResponse(experiment=write_experiment(stored, self._now().date()))

    def get_experiment(self, request: pb.GetExperimentRequest, _context: Call) -> pb.GetExperimentResponse:
        """Return what stands, or a version."""
        version = read_version(request.version) if request.version else None
        with told_as(_NAMED):
            stored = self._experiments.resources.version(request.experiment_id, version)
        shown = stored if version else self._experiments.standing(stored)
        return pb.GetExperimentResponse(experiment=write_experiment(shown, self._now().date()))

    def list_experiments(self, request: pb.ListExperimentsRequest, _context: Call) -> pb.ListExperimentsResponse:
        """Return a page of what stands of every experiment."""
        found, token = _LISTING.page(request, "experiments", lambda: self._page(request), self._every)
        return pb.ListExperimentsResponse(experiments=found, next_page_token=token)

    def _page(self, request: pb.ListExperimentsRequest) -> tuple[list[experiment_pb2.Experiment], str]:
        page = read_page("experiments", request.page_size, request.page_token, "")
        found, more = page.cut(self._experiments.latest(page.after, page.size + 1))
        shown = [write_experiment(each, self._now().date()) for each in found]
        return shown, page.next_token(found[-1].version.resource_id) if more else ""

    def _every(self) -> Iterator[experiment_pb2.Experiment]:
        after = ""
        while found := self._experiments.latest(after, MAX_PAGE_SIZE):
            yield from (write_experiment(each, self._now().date()) for each in found)
            after = found[-1].version.resource_id

    def read_experiment(self, request: pb.ReadExperimentRequest, _context: Call) -> pb.ReadExperimentResponse:
        """Return what an experiment shows."""
        with told_as(_NAMED):
            stored = self._experiments.started(request.experiment_id)
            found = self._readings.read(request.experiment_id)
        return write_findings(found, write_experiment(stored, self._now().date()))
