"""Experiments as approved resources: created by one person, started by a second, stopped by two again, never changed between.

A version of an experiment is kept as any settings that decide money or law (``application/resources/approved.py``). The first one
that is approved starts it, on its first day; after that only a stop may follow, so that nobody chooses a share, a scope or a salt
by what came of it.
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum

from collections_opt.application.resources.approved import (
    ApprovalCommand,
    ApprovedResources,
    ResourceFormat,
    SavedContent,
    Stored,
)
from collections_opt.application.resources.named_experiments import NamedExperiment, read_design
from collections_opt.application.settings import dump
from collections_opt.core.actors import Actor
from collections_opt.core.errors import Reason, refuse
from collections_opt.core.experiments.design import ArmKind, ExperimentDesign, check_design
from collections_opt.core.limits import MAX_PAGE_SIZE
from collections_opt.core.resources import ResourceKind

EXPERIMENTS: ResourceFormat[ExperimentDesign] = ResourceFormat(ResourceKind.EXPERIMENT, dump, read_design, check_design)
"""How experiments are kept."""


class ExperimentState(StrEnum):
    """Where an experiment stands on a day."""

    DRAFT = "DRAFT"
    """Created; nobody started it."""
    STARTED = "STARTED"
    """Approved; rankings from its first day on are part of it."""
    STOPPED = "STOPPED"
    """Ended before its last day."""
    ENDED = "ENDED"
    """Past its last day."""


@dataclass(frozen=True)
class NewExperiment:
    """What somebody creates; an empty salt is drawn from the request id, which is random itself."""

    experiment_id: str
    design: ExperimentDesign
    etag: str | None = None
    note: str = ""
    request_id: str = ""


@dataclass(frozen=True)
class StopCommand:
    """What somebody stops; ``version`` names a stop that another person saved, 0 saves one."""

    experiment_id: str
    stopped_on: date | None = None
    reason: str = ""
    version: int = 0
    self_approved: bool = False
    request_id: str = ""


class Experiments:
    """The stored experiments.

    Args:
        resources: shows them.
        check_start: refuses what cannot start as plans and rankings stand.
    """

    def __init__(
        self, resources: ApprovedResources[ExperimentDesign], check_start: Callable[[ExperimentDesign], None] = lambda _: None
    ) -> None:
        self.resources = resources
        self._check_start = check_start

    def create(self, new: NewExperiment, by: Actor, validate_only: bool = False) -> Stored[ExperimentDesign]:
        """Save an experiment, or with an etag another draft of one that was never started.

        Raises:
            CollectionsError: as ``ApprovedResources.save``; RESOURCE_STATE_CONFLICT for one that was started.
        """
        if new.design.stopped_on is not None or new.design.stop_reason:
            raise refuse(Reason.INVALID_ARGUMENT, "stopped_on", "is set by a stop alone.", "Create it, start it, then stop it.")
        if new.etag is not None and self._approved(new.experiment_id):
            told = f"{new.experiment_id!r} was started, and what is started is not changed."
            raise refuse(Reason.RESOURCE_STATE_CONFLICT, "experiment_id", told, "Stop it, and create another one.")
        design = new.design if new.design.salt else replace(new.design, salt=salt_of(new.request_id))
        saved = SavedContent(new.experiment_id, design.starts_on, design, new.etag, new.note, new.request_id)
        return self.resources.save(saved, by, validate_only)

    def start(self, command: ApprovalCommand, by: Actor, validate_only: bool = False) -> Stored[ExperimentDesign]:
        """Approve an experiment: rankings from its first day on are part of it.

        Raises:
            CollectionsError: as ``ApprovedResources.approve``; RESOURCE_STATE_CONFLICT for one that was started, where somebody
                could be in another that runs, and for two plans that cannot share the work as they stand.
        """
        stored = self.resources.version(command.resource_id, command.version)
        started = self._approved(command.resource_id)
        if stored.content.stopped_on is not None:
            told = f"{stored.version.name} stops it."
            raise refuse(Reason.INVALID_ARGUMENT, "version", told, "Approve a stop with StopExperiment.")
        if started is not None and started.version.version != command.version:
            told = f"{command.resource_id!r} was started as version {started.version.version}."
            raise refuse(Reason.RESOURCE_STATE_CONFLICT, "version", told, "Stop it, and create another one.")
        for other in self.resources.every_latest():
            held = self._approved(other.version.resource_id)
            if held is None or held.version.resource_id == command.resource_id or not held.content.collides(stored.content):
                continue
            told = f"somebody could be in {held.version.name} at the same time."
            remedy = "Give them scopes that do not meet, or days that do not."
            raise refuse(Reason.RESOURCE_STATE_CONFLICT, "scope", told, remedy)
        if started is None:  # the same request again meets its answer, whatever was ranked since
            self._check_start(stored.content)
        return self.resources.approve(command, by, validate_only)

    def stop(self, command: StopCommand, by: Actor, validate_only: bool = False) -> Stored[ExperimentDesign]:
        """Save a stop, or approve one that was saved; self-approved it is both at once. Days before it stay as they were.

        Raises:
            CollectionsError: NOT_FOUND; RESOURCE_STATE_CONFLICT for one that was never started or is over by that day; as
                ``ApprovedResources.save`` and ``approve``.
        """
        if command.version:
            stored = self.resources.version(command.experiment_id, command.version)
            if stored.content.stopped_on is None:
                told = f"{stored.version.name} is no stop."
                raise refuse(Reason.INVALID_ARGUMENT, "version", told, "Name the version that StopExperiment answered with.")
            return self.resources.approve(self._approval(command, command.version, command.request_id), by, validate_only)
        if command.stopped_on is None:
            raise refuse(Reason.INVALID_ARGUMENT, "stop_date", "is not set.", "Send the first day without it.")
        latest = self.resources.version(command.experiment_id)
        running = self._approved(command.experiment_id)
        if running is None or running.content.stopped_on is not None or command.stopped_on > running.content.ends_on:
            told = f"{command.experiment_id!r} was never started, or has ended by {command.stopped_on}."
            raise refuse(Reason.RESOURCE_STATE_CONFLICT, "experiment_id", told, "Look at it with GetExperiment.")
        design = replace(running.content, stopped_on=command.stopped_on, stop_reason=command.reason)
        first_day = max(command.stopped_on, design.starts_on)
        saved = SavedContent(command.experiment_id, first_day, design, latest.version.etag, command.reason, command.request_id)
        stopped = self.resources.save(saved, by, validate_only)
        if validate_only or not command.self_approved:
            return stopped
        again = str(uuid.uuid5(uuid.UUID(command.request_id), "approve")) if command.request_id else ""
        return self.resources.approve(self._approval(command, stopped.version.version, again), by)

    def in_force(self, day: date, portfolio_id: str, plan_id: str) -> tuple[NamedExperiment, ...]:
        """Return what a plan's ranking of a portfolio on a day is part of, by id."""
        return tuple(
            NamedExperiment(held.version.resource_id, held.version.version, held.version.digest, held.version.content)
            for held in self._running(day, portfolio_id)
            if held.content.is_of(plan_id)
        )

    def require_own_work(self, day: date, portfolio_id: str, plan_id: str) -> None:
        """Refuse to work a portfolio whose people two other plans share: whoever is in it would be worked twice.

        Raises:
            CollectionsError: RESOURCE_STATE_CONFLICT.
        """
        for held in self._running(day, portfolio_id):
            design = held.content
            if not design.is_of(plan_id):
                told = f"{held.version.name} shares the people of {portfolio_id!r} on {day} between two other plans."
                remedy = f"Work it by {design.plan_id} and {design.challenger_plan_id}, or rank it for analysis."
                raise refuse(Reason.RESOURCE_STATE_CONFLICT, "plan_id", told, remedy)

    def not_beside(self, day: date, portfolio_id: str, plan_id: str) -> dict[str, str]:
        """Return the plans beside which a plan may not work a portfolio on a day, each with the experiment that says so.

        Two plans that share the work, or once did, would both work everybody where the experiment does not share them: after its
        last day, after a stop, and in portfolios that it does not name.
        """
        shared = any(held.content.arm is ArmKind.TWO_PLANS for held in self._running(day, portfolio_id))
        if shared:
            return {}
        return {
            held.content.other_plan(plan_id): held.version.name
            for held in self.resources.in_force(day)
            if held.content.arm is ArmKind.TWO_PLANS and held.content.is_of(plan_id)
        }

    def _running(self, day: date, portfolio_id: str) -> Iterator[Stored[ExperimentDesign]]:
        for held in self.resources.in_force(day):
            if held.content.runs_on(day) and held.content.scope.names(portfolio_id):
                yield held

    def started(self, experiment_id: str) -> Stored[ExperimentDesign]:
        """Return an experiment as it was started, or stopped.

        Raises:
            CollectionsError: NOT_FOUND; RESOURCE_STATE_CONFLICT for one that was never started.
        """
        self.resources.version(experiment_id)
        held = self._approved(experiment_id)
        if held is None:
            told = f"{experiment_id!r} was never started."
            raise refuse(Reason.RESOURCE_STATE_CONFLICT, "experiment_id", told, "Have a second person start it.")
        return held

    def held(self, named: NamedExperiment) -> bool:
        """Return whether a version holds what a record says of it, and was approved."""
        stored = self.resources.version(named.experiment_id, named.version).version
        return (stored.digest, stored.content) == (named.digest, named.text) and stored.approval is not None

    def latest(self, after: str, size: int) -> list[Stored[ExperimentDesign]]:
        """Return what stands of each experiment by id, after one ("" for all): what was approved last, else the last draft."""
        page = self.resources.latest(after, min(size, MAX_PAGE_SIZE + 1))
        return [self.standing(each) for each in page]

    def standing(self, latest: Stored[ExperimentDesign]) -> Stored[ExperimentDesign]:
        """Return what stands of an experiment: what was approved last, else the last draft."""
        return self._approved(latest.version.resource_id) or latest

    def _approved(self, experiment_id: str) -> Stored[ExperimentDesign] | None:
        return next((each for each in self.resources.every_version(experiment_id) if each.version.approval is not None), None)

    @staticmethod
    def _approval(command: StopCommand, version: int, request_id: str) -> ApprovalCommand:
        return ApprovalCommand(command.experiment_id, version, command.self_approved, command.reason, request_id)


def salt_of(request_id: str) -> str:
    """Return the salt of an experiment that names none: the same for the same request, and no other's."""
    return hashlib.sha256(b"collections-opt experiment salt/" + request_id.encode()).hexdigest()[:32]


def state_of(stored: Stored[ExperimentDesign], today: date) -> ExperimentState:
    """Return where an experiment stands on a day."""
    if stored.version.approval is None and stored.content.stopped_on is None:
        return ExperimentState.DRAFT
    if stored.content.stopped_on is not None and stored.version.approval is not None:
        return ExperimentState.STOPPED
    return ExperimentState.ENDED if today > stored.content.ends_on else ExperimentState.STARTED
