"""Files that go with portfolios: one each, of whose ids as many as match are told; a file that matches none is refused."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from collections_opt.application.settings import bundled_plan
from collections_opt.cli.common.terminal import PlainConsole
from collections_opt.core.accounts.matching import match_ids
from collections_opt.core.desk.queues import CapacityPlan
from collections_opt.core.errors import Reason, refuse
from collections_opt.core.evaluation.contact_log import ContactLog, LogSource
from collections_opt.datasets.files.contact_log_files import read_sourced_log

if TYPE_CHECKING:
    from collections_opt.application.workspace import Workspace


class Identified(Protocol):
    """Rows of a file, each about an account."""

    @property
    def account_id(self) -> NDArray[np.bytes_]:
        """Bytes (n,)."""


@dataclass(frozen=True)
class PlanLogs:
    """Contact logs in the queues of a plan: each with the id of its portfolio, and where it came from."""

    plan: CapacityPlan
    logs: list[tuple[str, ContactLog]]
    sources: tuple[LogSource, ...]


def require_log_each(portfolios: Sequence[str], logs: Sequence[Path]) -> None:
    """Refuse other than one log per portfolio.

    Raises:
        CollectionsError: INVALID_ARGUMENT.
    """
    if len(portfolios) != len(logs):
        told = f"{len(logs)} logs, {len(portfolios)} portfolios."
        raise refuse(Reason.INVALID_ARGUMENT, "log", told, "Give one log per portfolio.")


def read_logs(workspace: Workspace, portfolios: Sequence[str], logs: Sequence[Path], plan_id: str) -> PlanLogs:
    """Return the log of each portfolio in the queues of a plan, "" for the bundled one, and tell what matches.

    Raises:
        CollectionsError: NOT_FOUND for a plan or a portfolio that is not there; as ``read_contact_log`` and ``tell_matches``.
    """
    plan, _ = workspace.books.plan(plan_id or bundled_plan().plan_id)
    read = [read_sourced_log(path, tuple(queue.queue_id for queue in plan.queues)) for path in logs]
    named = [(name, log) for name, (log, _) in zip(portfolios, read, strict=True)]
    tell_matches(workspace, named, "contact log")
    return PlanLogs(plan, named, tuple(source for _, source in read))


def tell_matches(workspace: Workspace, files: Iterable[tuple[str, Identified]], what: str) -> None:
    """Print, on standard error, how many accounts of each file are in its portfolio.

    Args:
        workspace: holds the portfolios.
        files: ids of portfolios with the rows that go with each.
        what: the files are called, such as ``contact log``.

    Raises:
        CollectionsError: NOT_FOUND for a portfolio that is not there, or a file of which no account is in it.
    """
    console = PlainConsole(stderr=True, highlight=False)
    for name, rows in files:
        known = workspace.recorded.portfolio(name).column("account_id")
        match = match_ids(np.unique(rows.account_id), known, f"portfolio {name}")
        console.print(f"{what}: matched {match.found:,} of {match.wanted:,} accounts in portfolio {name}", style="dim")
