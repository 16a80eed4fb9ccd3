"""What each page asks of the API, and what it shows of the answers."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from starlette.responses import Response

from collections_opt.console.pages import Page
from collections_opt.console.views import account, data, evidence, mapping, models, orders, today, what_if
from collections_opt.console.views.call import Call

View = Callable[[Call], Page | Response]

ROUTES: Sequence[tuple[str, tuple[str, ...], View]] = (
    ("/today", ("GET",), today.today),
    ("/what-if", ("GET", "POST"), what_if.what_if),
    ("/orders", ("GET", "POST"), orders.orders),
    ("/orders/accounts", ("POST",), orders.accounts),
    ("/account", ("GET", "POST"), account.account),
    ("/account/proof", ("POST",), account.proof),
    ("/data", ("GET",), data.data),
    ("/data/refused", ("POST",), data.refused_rows),
    ("/data/mapping", ("POST",), mapping.mapping),
    ("/models", ("GET",), models.models),
    ("/evidence", ("GET",), evidence.evidence),
    ("/evidence/check", ("POST",), evidence.check),
    ("/evidence/archive", ("POST",), evidence.archive),
)
"""Path, methods and view of every page behind the sign-in."""

FILE_PATHS = ("/data/mapping",)
"""Pages that take a file."""
