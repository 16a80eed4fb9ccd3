"""Data: what was imported, what was refused and why, and the refused rows as a file to send back."""

from __future__ import annotations

from collections import Counter
from itertools import islice

import numpy as np
from starlette.responses import Response

from collections_opt.api.v1.portfolio_service_pb2 import GetPortfolioRequest, QuarantinedAccount
from collections_opt.client.listings import all_portfolios
from collections_opt.client.portfolios import quarantined
from collections_opt.console.pages import Content, Page, Part
from collections_opt.console.views.call import Call, download
from collections_opt.core.errors import Reason, refuse
from collections_opt.reports.account_files import FORMATS

MAX_SHOWN_PORTFOLIOS = 100
MAX_SHOWN_FINDINGS = 50
MAX_COUNTED_FINDINGS = 20_000
"""Findings that are read to say which rules refused most; more are said to be cut."""

COLUMNS = ("line", "row", "account_id", "field", "column", "value", "rule", "remedy")


def data(call: Call) -> Page:
    """Return the imports, or one of them with its refused rows."""
    named = call.said("portfolio")
    if named:
        return Page(
            "/data",
            "Data",
            [Part("data/portfolio.html", lambda: _header(call, named)), Part("data/refused.html", lambda: _refused(call, named))],
        )
    return Page("/data", "Data", [Part("data/imports.html", lambda: _imports(call))])


def refused_rows(call: Call) -> Response:
    """Return every finding about refused rows as a file."""
    named, kind = call.said("portfolio"), call.form.get("file", "")
    if kind not in FORMATS:
        raise refuse(Reason.INVALID_ARGUMENT, "file", f"{kind[:20]!r} is no format.", f"Choose {', '.join(FORMATS)}.")
    found = list(quarantined(call.client, named))
    columns = {name: _column(found, name) for name in COLUMNS}
    written, media = FORMATS[kind]
    return download(written(columns, {}), f"refused-rows-{named}.{kind}", media)


def _column(found: list[QuarantinedAccount], name: str) -> np.ndarray[tuple[int], np.dtype[np.generic]]:
    values = [getattr(one, name) for one in found]
    return np.array(values, dtype=np.int64 if name in ("line", "row") else object)


def _imports(call: Call) -> Content:
    found = list(islice(all_portfolios(call.client), MAX_SHOWN_PORTFOLIOS + 1))
    newest = sorted(found, key=lambda one: one.create_time.ToDatetime(), reverse=True)
    return {"portfolios": newest[:MAX_SHOWN_PORTFOLIOS], "cut": len(found) > MAX_SHOWN_PORTFOLIOS, "most": MAX_SHOWN_PORTFOLIOS}


def _header(call: Call, named: str) -> Content:
    return {"portfolio": call.client.portfolios.GetPortfolio(GetPortfolioRequest(portfolio_id=named)).portfolio}


def _refused(call: Call, named: str) -> Content:
    counts: Counter[tuple[str, str]] = Counter()
    shown: list[QuarantinedAccount] = []
    read = 0
    for one in islice(quarantined(call.client, named), MAX_COUNTED_FINDINGS):
        counts[one.field or "(row)", one.rule] += 1
        read += 1
        if len(shown) < MAX_SHOWN_FINDINGS:
            shown.append(one)
    return {
        "named": named,
        "counts": counts.most_common(20),
        "shown": shown,
        "read": read,
        "cut": read == MAX_COUNTED_FINDINGS,
        "most": MAX_SHOWN_FINDINGS,
    }
