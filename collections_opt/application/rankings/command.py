"""What a caller asks a ranking for, and what of it is refused before anything runs."""

from __future__ import annotations

import hashlib
import uuid
from dataclasses import dataclass, field, replace

from collections_opt.application.resources.named_experiments import NamedExperiment
from collections_opt.application.resources.rule_tables import TableVersion
from collections_opt.application.resources.value_sets import ChosenValues, ValueChoice
from collections_opt.application.settings import dump
from collections_opt.core.actors import UNKNOWN, Actor
from collections_opt.core.arrays import digest_text
from collections_opt.core.errors import Reason, refuse
from collections_opt.core.names import OMITTED_AT_DEFAULT, check_seed
from collections_opt.core.problem.assignment import SolveOptions
from collections_opt.core.problem.constraints import RankingConstraints
from collections_opt.core.ranking.ordering import Ordering
from collections_opt.core.ranking.purpose import RankingPurpose
from collections_opt.core.value.payoffs import ValueParameters
from collections_opt.solvers import SOLVERS


@dataclass(frozen=True)
class RankingCommand:
    """What a caller asks for; ``request_id`` (a UUID) makes it idempotent.

    ``parameters`` are those that the call carries; None takes what is in force. The solver starts from the prices of
    ``previous_ranking_id``, and moves are counted from its decisions. With ``accept_suspect_scores`` a person lets scores decide
    that were refused with SCORES_SUSPECT; with ``accept_clipped_values`` values that were refused with VALUES_OUT_OF_ORDER.
    ``purpose`` is what it is made for; None leaves it to ``purpose_of``. With ``remaining_capacity`` it decides what remains of a
    running day, on capacity without the minutes that are spent and committed.
    """

    request_id: str
    portfolio_id: str
    plan_id: str
    plan_version: int | None
    ordering: Ordering
    parameters: ValueParameters | None
    solver: str = "default"
    seed: int = 20_050_801
    constraints: RankingConstraints = field(default_factory=RankingConstraints)
    previous_ranking_id: str = ""
    accept_suspect_scores: bool = False
    accept_clipped_values: bool = field(default=False, metadata=OMITTED_AT_DEFAULT)
    purpose: RankingPurpose | None = field(default=None, metadata=OMITTED_AT_DEFAULT)
    remaining_capacity: bool = field(default=False, metadata=OMITTED_AT_DEFAULT)

    @property
    def payload_digest(self) -> str:
        """SHA-256 (hex) of everything but the request id."""
        asked = dump(replace(self, request_id=""))
        # A flag that is not set is left out, as it was before there was one: a request sent again over an upgrade is the same.
        return digest_text(asked.replace('"accept_suspect_scores": false, ', "", 1))

    @property
    def ranking_id(self) -> str:
        """Id of the ranking the request makes; from the request id, so that a retry after a crash finds it."""
        return "rk-" + hashlib.sha256(self.request_id.encode()).hexdigest()[:20]


@dataclass(frozen=True)
class OwedRanking(RankingCommand):
    """A command as it is kept until its ranking is recorded: with who asked first, which rule tables bind, by id, and its values.

    These are no part of what was asked. Commands of before rule tables were kept name none. ``value_choices`` say which version
    gives each product its values, by product; none where the call carried them. ``experiments`` are those in force, for the
    portfolio ``experiments_of`` where that is not the one ranked: what remains of a day is in the experiments of its day.
    """

    parameters: ValueParameters
    actor: Actor = UNKNOWN
    rule_tables: tuple[TableVersion, ...] = field(default=(), metadata=OMITTED_AT_DEFAULT)
    value_choices: tuple[ValueChoice, ...] = field(default=(), metadata=OMITTED_AT_DEFAULT)
    experiments: tuple[NamedExperiment, ...] = field(default=(), metadata=OMITTED_AT_DEFAULT)
    experiments_of: str = field(default="", metadata=OMITTED_AT_DEFAULT)

    @property
    def values(self) -> ChosenValues:
        """What it is valued with, settled when it was asked for."""
        return ChosenValues(self.parameters, self.value_choices)


def options_of(command: RankingCommand) -> SolveOptions:
    """Return how hard a request is tried."""
    return SolveOptions(seed=command.seed)


def check_command(command: RankingCommand) -> None:
    """Refuse a command that no portfolio or plan could make right.

    Raises:
        CollectionsError: INVALID_ARGUMENT naming request_id, seed or solver.
    """
    try:
        uuid.UUID(command.request_id)
    except ValueError as error:
        raise refuse(
            Reason.INVALID_ARGUMENT, "request_id", f"{command.request_id!r} is not a UUID.", "Send a new UUID."
        ) from error
    check_seed(command.seed)
    if command.solver not in SOLVERS:
        raise refuse(Reason.INVALID_ARGUMENT, "solver", f"{command.solver!r} is unknown.", f"Use one of {', '.join(SOLVERS)}.")
