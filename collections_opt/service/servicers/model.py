"""ModelService: the model versions, which one decides, and what people do to them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from collections_opt.api.v1 import model_service_pb2 as pb
from collections_opt.api.v1.model_use_pb2 import ApprovalMode
from collections_opt.application.models.registry import ModelCommand, ModelRegistry, ModelView
from collections_opt.application.training.jobs import TrainingJobs
from collections_opt.application.training.learners import TrainingRequest
from collections_opt.core.errors import Reason, refuse
from collections_opt.core.limits import MAX_PAGE_SIZE
from collections_opt.core.models.lifecycle import ApprovalTerms, ModelAction, ModelKind
from collections_opt.scoring.versions.artifacts import read_card
from collections_opt.service.access.call import Call
from collections_opt.service.access.caller import read_acting
from collections_opt.service.converters.models import read_kind, write_event, write_model, write_training
from collections_opt.service.servicers.lists.listing import Listing
from collections_opt.service.servicers.lists.paging import read_page
from collections_opt.wire.common import read_time, read_uuid, told_as, write_enum

DEFAULT_SCORE_VALID_DAYS = 7
MAX_PATTERNS = 100
MAX_RANKINGS = 100
MAX_SEED = 2_147_483_647
_PROMOTIONS = {
    pb.MODEL_ROLE_CHAMPION: ModelAction.PROMOTE,
    pb.MODEL_ROLE_CHALLENGER: ModelAction.CHALLENGE,
    pb.MODEL_ROLE_INACTIVE: ModelAction.WITHDRAW,
}
_MODELS = Listing(pb.Model.DESCRIPTOR, ("version", "role", "state", "engine", "create_time"), "version")
_TRAININGS = Listing(pb.Training.DESCRIPTOR, ("kind", "version", "state", "create_time"), "training_id")
_EVENTS = Listing(pb.ModelEvent.DESCRIPTOR, ("sequence", "version", "action", "actor", "mode", "create_time"), "sequence")


class _Act(Protocol):
    """What every request of an act carries."""

    @property
    def request_id(self) -> str: ...
    @property
    def actor(self) -> str: ...
    @property
    def kind(self) -> str: ...
    @property
    def version(self) -> str: ...
    @property
    def note(self) -> str: ...
    @property
    def validate_only(self) -> bool: ...


class ModelServicer:
    """Shows and governs the models of a registry."""

    def __init__(self, models: ModelRegistry, trainings: TrainingJobs) -> None:
        self._models = models
        self._trainings = trainings

    def list_models(self, request: pb.ListModelsRequest, _context: Call) -> pb.ListModelsResponse:
        """Return a page of versions."""
        kind = read_kind(request.kind or ModelKind.OUTCOME.value)

        def plainly() -> tuple[list[pb.Model], str]:
            page = read_page(f"models/{kind}", request.page_size, request.page_token, "")
            views, more = page.cut(self._models.models(kind, page.after))
            return list(map(write_model, views)), page.next_token(views[-1].manifest.version) if more else ""

        models, token = _MODELS.page(request, f"models/{kind}", plainly, lambda: map(write_model, self._models.models(kind)))
        return pb.ListModelsResponse(models=models, next_page_token=token)

    def get_model(self, request: pb.GetModelRequest, _context: Call) -> pb.GetModelResponse:
        """Return a version, its files checked against their digests, with its card."""
        kind = read_kind(request.kind)
        view = self._models.model(kind, request.version)
        return pb.GetModelResponse(model=write_model(view, read_card(self._models.root, view.manifest.version, kind)))

    def list_model_events(self, request: pb.ListModelEventsRequest, _context: Call) -> pb.ListModelEventsResponse:
        """Return a page of events, oldest first."""
        kind = read_kind(request.kind)
        scope = f"model-events/{kind}/{request.version}"

        def plainly() -> tuple[list[pb.ModelEvent], str]:
            page = read_page(scope, request.page_size, request.page_token, 0)
            events, more = page.cut(self._models.events(kind, request.version, page.after, page.size + 1))
            return list(map(write_event, events)), page.next_token(events[-1].seq) if more else ""

        events, token = _EVENTS.page(request, scope, plainly, lambda: self._every_event(kind, request.version))
        return pb.ListModelEventsResponse(events=events, next_page_token=token)

    def _every_event(self, kind: ModelKind, version: str) -> Iterator[pb.ModelEvent]:
        after = 0
        while events := self._models.events(kind, version, after, MAX_PAGE_SIZE):
            yield from map(write_event, events)
            after = events[-1].seq

    def submit_model(self, request: pb.SubmitModelRequest, context: Call) -> pb.SubmitModelResponse:
        """Offer a draft."""
        model = write_model(self._act(request, context, ModelAction.SUBMIT))
        mode = write_enum(ApprovalMode.DESCRIPTOR, self._models.mode.value)
        return pb.SubmitModelResponse(model=model, approval_mode=mode)

    def validate_model(self, request: pb.ValidateModelRequest, context: Call) -> pb.ValidateModelResponse:
        """Record a validation."""
        return pb.ValidateModelResponse(model=write_model(self._act(request, context, ModelAction.VALIDATE)))

    def approve_model(self, request: pb.ApproveModelRequest, context: Call) -> pb.ApproveModelResponse:
        """Record an approval."""
        if not 0 <= request.score_valid_days <= 366:
            raise refuse(Reason.INVALID_ARGUMENT, "score_valid_days", f"{request.score_valid_days} days.", "Send 1 to 366.")
        patterns = tuple(request.allowed_portfolio_patterns)
        if not 1 <= len(patterns) <= MAX_PATTERNS or not all(1 <= len(p) <= 128 for p in patterns):
            raise refuse(
                Reason.INVALID_ARGUMENT,
                "allowed_portfolio_patterns",
                "are not patterns.",
                f"Send 1 to {MAX_PATTERNS}, such as '*'.",
            )
        expires_at = read_time(request.expire_time, "expire_time")
        terms = ApprovalTerms(expires_at, patterns, request.score_valid_days or DEFAULT_SCORE_VALID_DAYS)
        return pb.ApproveModelResponse(model=write_model(self._act(request, context, ModelAction.APPROVE, terms)))

    def promote_model(self, request: pb.PromoteModelRequest, context: Call) -> pb.PromoteModelResponse:
        """Change what an approved version is used for."""
        if request.role not in _PROMOTIONS:
            allowed = ", ".join(pb.ModelRole.Name(role) for role in _PROMOTIONS)
            raise refuse(Reason.INVALID_ARGUMENT, "role", f"{request.role} is not a value.", f"Send one of {allowed}.")
        return pb.PromoteModelResponse(model=write_model(self._act(request, context, _PROMOTIONS[request.role])))

    def rollback_model(self, request: pb.RollbackModelRequest, context: Call) -> pb.RollbackModelResponse:
        """Return to the champion before."""
        return pb.RollbackModelResponse(model=write_model(self._act(request, context, ModelAction.ROLLBACK)))

    def retire_model(self, request: pb.RetireModelRequest, context: Call) -> pb.RetireModelResponse:
        """End a version's use."""
        return pb.RetireModelResponse(model=write_model(self._act(request, context, ModelAction.RETIRE)))

    def train_model(self, request: pb.TrainModelRequest, _context: Call) -> pb.TrainModelResponse:
        """Start a training."""
        if len(request.ranking_ids) > MAX_RANKINGS:
            told = f"{len(request.ranking_ids)} are named."
            raise refuse(Reason.LIMIT_EXCEEDED, "ranking_ids", told, f"Send at most {MAX_RANKINGS}.")
        if not 0 <= request.seed <= MAX_SEED:
            raise refuse(Reason.INVALID_ARGUMENT, "seed", f"{request.seed} is out of range.", f"Send 0 to {MAX_SEED}.")
        rankings = tuple(dict.fromkeys(request.ranking_ids))
        asked = TrainingRequest(read_kind(request.kind), request.version, rankings, request.plan_id, request.seed or 1)
        request_id = read_uuid(request.request_id)
        with told_as({"ranking_id": "ranking_ids"}):
            training = self._trainings.start(request_id, asked)
        return pb.TrainModelResponse(training=write_training(training))

    def get_training(self, request: pb.GetTrainingRequest, _context: Call) -> pb.GetTrainingResponse:
        """Return where a training stands."""
        return pb.GetTrainingResponse(training=write_training(self._trainings.get(request.training_id)))

    def list_trainings(self, request: pb.ListTrainingsRequest, _context: Call) -> pb.ListTrainingsResponse:
        """Return a page of trainings."""
        every = list(map(write_training, self._trainings.all()))

        def plainly() -> tuple[list[pb.Training], str]:
            page = read_page("trainings", request.page_size, request.page_token, "")
            ids = [one.training_id for one in every]
            start = ids.index(page.after) + 1 if page.after in ids else 0
            shown, more = page.cut(every[start : start + page.size + 1])
            return list(shown), page.next_token(shown[-1].training_id) if more else ""

        shown, token = _TRAININGS.page(request, "trainings", plainly, lambda: every)
        return pb.ListTrainingsResponse(trainings=shown, next_page_token=token)

    def cancel_training(self, request: pb.CancelTrainingRequest, _context: Call) -> pb.CancelTrainingResponse:
        """Let a training end."""
        return pb.CancelTrainingResponse(training=write_training(self._trainings.stop(request.training_id)))

    def _act(self, request: _Act, context: Call, action: ModelAction, terms: ApprovalTerms | None = None) -> ModelView:
        actor = read_acting(request.actor, context)
        command = ModelCommand(
            actor=actor.name,
            action=action,
            kind=read_kind(request.kind),
            version=request.version,
            note=request.note,
            terms=terms,
            request_id=read_uuid(request.request_id),
        )
        return self._models.act(command, request.validate_only, authenticated=bool(actor.issuer))
