"""What each page asks of the API, and what it shows of the answers."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from starlette.responses import Response

from collections_opt.console.pages import Page
from collections_opt.console.views import account, evidence, today
from collections_opt.console.views.call import Call

View = Callable[[Call], Page | Response]

ROUTES: Sequence[tuple[str, tuple[str, ...], View]] = (
    ("/today", ("GET",), today.today),
    ("/account", ("GET", "POST"), account.account),
    ("/account/proof", ("POST",), account.proof),
    ("/evidence", ("GET",), evidence.evidence),
    ("/evidence/check", ("POST",), evidence.check),
    ("/evidence/archive", ("POST",), evidence.archive),
)
"""Path, methods and view of every page behind the sign-in."""
