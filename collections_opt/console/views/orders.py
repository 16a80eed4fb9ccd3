"""Orders: expected value against each raw order at equal capacity, and account by account who enters and who leaves."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice

import numpy as np
from starlette.responses import Response

from collections_opt.api.v1 import ranking_pb2
from collections_opt.api.v1.ranking_service_pb2 import CompareRankingsRequest
from collections_opt.client.comparison import AccountChanges, account_changes, rank_beside, with_outcomes
from collections_opt.client.listings import all_rankings
from collections_opt.client.outcomes import compare_outcomes
from collections_opt.client.rankings import get_ranking
from collections_opt.console.pages import Content, Page, Part
from collections_opt.console.shown import refusal_words
from collections_opt.console.views.call import Call, download
from collections_opt.console.views.today import first_lines
from collections_opt.core.errors import CollectionsError, Reason, refuse
from collections_opt.core.ranking.ordering import Ordering
from collections_opt.reports.account_files import FORMATS
from collections_opt.reports.order_names import TITLES
from collections_opt.wire.common import read_enum

MAX_READ_RANKINGS = 500
"""Newest recorded rankings among which those beside the one shown are looked for."""

MAX_COMPARED = 20
"""Rankings of one comparison."""

PAGE_ROWS = 100
FILTERS = ("change", "product", "state", "bucket")
KEPT = "account changes"


def orders(call: Call) -> Page:
    """Return the orders beside the ranking that is worked, and a way to rank in those that were not tried."""
    ranking = call.ranking()
    parts = [Part("orders/ranking.html", lambda: first_lines(call, ranking))]
    if call.form.get("what") == "rank":
        parts.append(Part("orders/ranked.html", lambda: {"made": rank_beside(call.client, ranking, _missing(call, ranking))}))
    parts.append(Part("orders/compared.html", lambda: _compared(call, ranking)))
    parts.append(Part("orders/happened.html", lambda: _happened(call, ranking)))
    return Page("/orders", "Orders", parts)


def accounts(call: Call) -> Page | Response:
    """Return who enters and who leaves, filtered, a page at a time; or all of them as a file."""
    first, other = (get_ranking(call.client, call.said(name)) for name in ("first", "other"))
    kind = call.form.get("file", "")
    if kind:
        if kind not in FORMATS:
            raise refuse(Reason.INVALID_ARGUMENT, "file", f"{kind[:20]!r} is no format.", f"Choose {', '.join(FORMATS)}.")
        changes = _filtered(call, _changes(call, first, other))
        written, media = FORMATS[kind]
        return download(written(changes.columns, changes.present), f"accounts-{other.ranking_id}.{kind}", media)
    parts = [
        Part("orders/pair.html", lambda: {**first_lines(call, first), "title_of": _title(other), "other": other}),
        Part("orders/accounts.html", lambda: _shown(call, first, other)),
    ]
    return Page("/orders", "Orders", parts)


def _title(ranking: ranking_pb2.Ranking) -> str:
    return TITLES[Ordering(read_enum(ranking_pb2.Ordering.DESCRIPTOR, ranking.inputs.ordering, "ordering"))]


def _beside(call: Call, first: ranking_pb2.Ranking) -> list[ranking_pb2.Ranking]:
    """Return the newest ranking of each other order over the same accounts, plan, rules and model."""

    def basis(ranking: ranking_pb2.Ranking) -> tuple[str, ...]:
        inputs = ranking.inputs
        return inputs.portfolio_digest, inputs.capacity_plan_digest, inputs.rules_digest, inputs.model_digest

    found: dict[int, ranking_pb2.Ranking] = {}
    for ranking in islice(all_rankings(call.client), MAX_READ_RANKINGS):
        order = ranking.inputs.ordering
        if order != first.inputs.ordering and order not in found and basis(ranking) == basis(first):
            found[order] = ranking
    return list(found.values())[: MAX_COMPARED - 1]


def _missing(call: Call, first: ranking_pb2.Ranking) -> list[Ordering]:
    held = {first.inputs.ordering, *(one.inputs.ordering for one in _beside(call, first))}
    names = {read_enum(ranking_pb2.Ordering.DESCRIPTOR, order, "ordering") for order in held}
    return [order for order in Ordering if order.value not in names]


def _compared(call: Call, first: ranking_pb2.Ranking) -> Content:
    others = _beside(call, first)
    rankings = [first, *others]
    answer = call.client.rankings.CompareRankings(CompareRankingsRequest(ranking_ids=[one.ranking_id for one in rankings]))
    lines = list(zip(rankings, answer.comparisons, [_title(one) for one in rankings], strict=True))
    head, rest = lines[0], sorted(lines[1:], key=lambda line: -line[1].increment_minor_units)
    return {
        "ranking": first,
        "first": head,
        "lines": [head, *rest],
        "best": rest[0] if rest else None,
        "missing": [TITLES[order] for order in _missing(call, first)],
        "code": answer.currency_code,
    }


def _happened(call: Call, first: ranking_pb2.Ranking) -> Content:
    """Return what became of whom each order works; nothing while the ranking has not matured."""
    rankings = [first, *_beside(call, first)]
    try:
        found = compare_outcomes(call.client, [one.ranking_id for one in rankings])
    except CollectionsError as error:
        if error.reason not in (Reason.RANKING_NOT_MATURE, Reason.PERMISSION_DENIED):
            raise
        return {"why_not": refusal_words(error)}
    head, *rest = zip([_title(one) for one in rankings], found.worked, strict=True)
    rest.sort(key=lambda line: -line[1].cash_minor_units.value)
    told = head[1].HasField("cash_minor_units") and rest and rest[0][1].HasField("cash_difference_minor_units")
    return {
        "why_not": "",
        "lines": [head, *rest],
        "best": rest[0] if told else None,
        "maturity": found.maturity,
        "code": found.currency_code,
    }


def _changes(call: Call, first: ranking_pb2.Ranking, other: ranking_pb2.Ranking) -> AccountChanges:
    """Return the accounts that differ, with what became of them where that is known; one pair is kept per session.

    Both rankings are of the record and never change; what became of them is asked for again when the page is opened anew.
    """
    key = (first.ranking_id, other.ranking_id)
    kept = call.session.kept.get(KEPT)
    if kept is None or kept[0] != key:
        changes = account_changes(call.client, first, [other])
        try:
            changes = with_outcomes(call.client, first.ranking_id, changes)
        except CollectionsError as error:
            if error.reason not in (Reason.RANKING_NOT_MATURE, Reason.PERMISSION_DENIED):
                raise
        call.session.kept[KEPT] = kept = (key, changes)
    held: AccountChanges = kept[1]
    return held


def _filtered(call: Call, changes: AccountChanges) -> AccountChanges:
    rows = np.ones(changes.count, dtype=np.bool_)
    for name in FILTERS:
        if wanted := call.form.get(name, ""):
            rows &= changes.with_value(name, wanted)
    return changes.only(rows)


def _shown(call: Call, first: ranking_pb2.Ranking, other: ranking_pb2.Ranking) -> Content:
    changes = _changes(call, first, other)
    found = _filtered(call, changes)
    pages = max(1, -(-found.count // PAGE_ROWS))
    asked = call.form.get("page", "1")
    page = min(max(int(asked), 1), pages) if asked.isdecimal() and len(asked) < 9 else 1
    part = found.only(slice((page - 1) * PAGE_ROWS, page * PAGE_ROWS))
    return {
        "first": first,
        "other": other,
        "order": _title(other),
        "first_order": _title(first),
        "count": found.count,
        "whole": changes.count,
        "lines": _lines(part),
        "page_number": page,
        "page_count": pages,
        "given": {name: call.form.get(name, "") for name in FILTERS},
        "choices": {name: _choices(changes, name) for name in FILTERS},
        "code": first.inputs.currency_code,
        "matured": "outcome" in changes.columns,
    }


def _choices(changes: AccountChanges, name: str) -> list[str]:
    column = changes.columns[name]
    held = column[changes.present[name]] if name in changes.present else column
    return [str(value) for value in np.unique(held.astype("U") if held.dtype == object else held)]


def _lines(part: AccountChanges) -> Sequence[dict[str, object]]:
    """Return one page's rows."""
    rows = range(part.count)
    return [
        {
            name: column[row] if name not in part.present or part.present[name][row] else None
            for name, column in part.columns.items()
        }
        for row in rows
    ]
