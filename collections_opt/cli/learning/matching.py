"""Say how many ids of a file are in the portfolio that it goes with; a file that matches none is refused."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from collections_opt.cli.common.terminal import PlainConsole
from collections_opt.core.accounts.matching import match_ids

if TYPE_CHECKING:
    from collections_opt.application.workspace import Workspace


class Identified(Protocol):
    """Rows of a file, each about an account."""

    @property
    def account_id(self) -> NDArray[np.bytes_]:
        """Bytes (n,)."""


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
