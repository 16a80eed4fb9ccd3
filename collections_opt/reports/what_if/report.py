"""A capacity what-if for people and spreadsheets: sentences, tables and rows."""

from __future__ import annotations

from typing import Any

from collections_opt.core.codes.currencies import Currency, currency
from collections_opt.core.ranking.what_if_summary import (
    AccountMove,
    CapacityCurves,
    CurveFigures,
    PriceBand,
    QueueState,
    QueueWhatIf,
    RecoveryFigures,
    WhatIfSummary,
)
from collections_opt.reports.csv_text import csv_text
from collections_opt.reports.money import gap, money, share
from collections_opt.reports.order_names import TITLES

Table = tuple[list[str], list[list[str]]]

TEN_PER_CENT = 1.1


def headline(found: WhatIfSummary) -> str:
    """Return what the change does to money and to how many accounts."""
    minutes = found.after.capacity_minutes - found.before.capacity_minutes
    if not (found.change_minor or minutes or found.flows):
        return "Nothing changes: the plan gives every queue the same minutes."
    verb = "adds" if found.change_minor >= 0 else "costs"
    hours = f"{abs(minutes) / 60:,.1f} agent-hours {'more' if minutes >= 0 else 'fewer'}" if minutes else "The same hours in all"
    tail = "" if minutes else ", placed otherwise"
    moved = found.entering_count + found.leaving_count + found.changing_count
    return (
        f"{hours}{tail}: {verb} {money(abs(found.change_minor), found.currency_code)} of expected increment "
        f"({signed_share(found.change_minor, found.before.objective_minor)}) and moves {moved:,} accounts."
    )


def prediction_sentence(found: WhatIfSummary) -> str:
    """Return what the prices predicted beside what the re-solve found, and the proven limit."""
    missing = [q.queue_id for q in found.queues if q.after is not None and q.predicted_minor is None]
    unit = currency(found.currency_code)
    left_out = f" Left out, as no price speaks for them: {', '.join(missing)}." if missing else ""
    return (
        f"The prices before predicted {unit.change(found.predicted_minor)} {found.currency_code}; the re-solve found "
        f"{unit.change(found.change_minor)}. No assignment at the changed minutes can do better than "
        f"{unit.change(found.highest_minor)} (gap before {gap(found.before.gap)}, after {gap(found.after.gap)}).{left_out}"
        f"{_to_expect(found)}"
    )


def _to_expect(found: WhatIfSummary) -> str:
    """Return what to expect of the change: shrunk as the answer started from; "" where that is not known."""
    before, after = found.before.expected_minor, found.after.expected_minor
    if before is None or after is None:
        return ""
    unit = currency(found.currency_code)
    change = unit.change(after - before)
    return f" To expect of the change, shrunk as the ranking's money is: {change} on {unit.whole(before)} before."


def moves_sentence(found: WhatIfSummary) -> str:
    """Return how many accounts move, by how."""
    return (
        f"{found.entering_count:,} accounts enter a worklist, {found.leaving_count:,} leave, "
        f"{found.changing_count:,} change queue."
    )


def same_recovery_sentence(found: WhatIfSummary) -> str:
    """Return with how few of the changed minutes as much is recovered as before; "" if that is not known."""
    if found.same_share is None:
        return ""
    hours = found.same_share * found.after.capacity_minutes / 60
    return (
        f"The changed plan recovers as much as the one before with {share(found.same_share)} of its minutes "
        f"({hours:,.1f} of {found.after.capacity_minutes / 60:,.1f} hours; before {found.before.capacity_minutes / 60:,.1f})."
    )


def queue_change_table(found: WhatIfSummary) -> Table:
    """Return header and one line per queue: hours, accounts, money and price before and after, prediction beside re-solve."""
    header = ["queue", "agents", "hours", "worked", "increment", "price a minute", "predicted", "change"]
    unit = currency(found.currency_code)
    lines = []
    for queue in found.queues:
        before, after = queue.before, queue.after
        change = (after.increment_minor if after else 0) - (before.increment_minor if before else 0)
        lines.append(
            [
                queue.queue_id,
                _pair(before, after, lambda s: f"{s.agents:g}" if s.agents == round(s.agents, 2) else f"{s.agents:.2f}"),
                _pair(before, after, lambda s: f"{s.capacity_minutes / 60:,.1f}"),
                _pair(before, after, lambda s: f"{s.worked_count:,}"),
                _pair(before, after, lambda s: unit.whole(s.increment_minor)),
                _pair(before, after, lambda s: unit.exact(s.price)),
                "-" if queue.predicted_minor is None else unit.change(queue.predicted_minor),
                unit.change(change),
            ]
        )
    total = found.after.objective_minor - found.before.objective_minor
    lines.append(
        [
            "all",
            "",
            _change(f"{found.before.capacity_minutes / 60:,.1f}", f"{found.after.capacity_minutes / 60:,.1f}"),
            _change(f"{found.before.worked_count:,}", f"{found.after.worked_count:,}"),
            _change(unit.whole(found.before.objective_minor), unit.whole(found.after.objective_minor)),
            "",
            unit.change(found.predicted_minor),
            unit.change(total),
        ]
    )
    return header, lines


def price_table(found: WhatIfSummary, curves: CapacityCurves | None = None) -> Table:
    """Return header and one line per queue of the plan before: price, interval, where it keeps, +10 % beside its re-solve."""
    header = ["queue", "a minute more", "interval", "an agent-hour more"]
    unit = currency(found.currency_code)
    by_id = {curve.queue_id: curve for curve in curves.queues} if curves else {}
    if curves:
        header += ["price keeps, hours", "+10 % predicted", "+10 % re-solved"]
    lines = []
    for queue in found.queues:
        if queue.before is None:
            continue
        price, band = queue.before.price, band_text(queue.before.band, unit)
        line = [queue.queue_id, unit.exact(price), band, unit.whole(price * 60)]
        if curves:
            line += _curve_cells(by_id.get(queue.queue_id), unit)
        lines.append(line)
    if curves:
        lines.append(["all together", unit.exact(curves.whole.planned.price), "", unit.whole(curves.whole.planned.price * 60)])
        lines[-1] += _curve_cells(curves.whole, unit)
    return header, lines


def moved_table(found: WhatIfSummary) -> Table:
    """Return header and one line per listed account that moves."""
    header = ["account", "from", "to", "increment before", "increment after"]
    unit = currency(found.currency_code)
    return header, [[m.account_id, *_places(m), unit.exact(m.before_minor), unit.exact(m.after_minor)] for m in found.moved]


def flow_table(found: WhatIfSummary) -> Table:
    """Return header and one line per pair of places between which accounts move."""
    header = ["from", "to", "accounts", "increment before", "increment after"]
    unit = currency(found.currency_code)
    moved = [(m, unit.whole(m.before_minor), unit.whole(m.after_minor)) for m in found.flows]
    return header, [[*_places(m), f"{m.account_count:,}", before, after] for m, before, after in moved]


def recovery_table(curves: CapacityCurves, currency_code: str) -> Table:
    """Return header and one line per other order: what it recovers, and with how few minutes the optimised order does."""
    header = ["order", "recovers with all minutes", "optimised needs", "minutes saved"]
    lines = []
    for found in sorted(curves.recoveries, key=lambda r: -r.objective_minor):
        known = found.share if found.objective_minor > 0 else None  # of nothing no share can be saved
        needs = "more than all" if found.share is None else "-" if known is None else share(known)
        saved = "-" if known is None else share(1 - known)
        lines.append([recovery_name(found), currency(currency_code).whole(found.objective_minor), needs, saved])
    return header, lines


def recovery_name(found: RecoveryFigures) -> str:
    """Return the name of an order for people."""
    return "greedy by value per minute" if found.ordering is None else TITLES[found.ordering]


def what_if_csv(found: WhatIfSummary) -> str:
    """Return one row per queue, figures unrounded, as CSV with a header line."""
    rows = what_if_rows(found)
    return csv_text(list(rows[0]), rows)


def what_if_rows(found: WhatIfSummary) -> list[dict[str, Any]]:
    """Return what the CSV says of each queue, figures unrounded, by column."""
    return [_row(queue) for queue in found.queues]


def signed_share(part: float, whole: float) -> str:
    """Return a share with its sign, a dash where it is undefined."""
    return f"{part / whole:+.2%}" if whole else "-"


def band_text(band: PriceBand, unit: Currency) -> str:
    """Return the interval of a price per minute; a question mark where it may be wider."""
    return f"{unit.exact(band.low)} to {unit.exact(band.high)}{'' if band.complete else ' ?'}"


def _curve_cells(curve: CurveFigures | None, unit: Currency) -> list[str]:
    if curve is None:
        return ["", "", ""]
    kept = ""
    if curve.range is not None:
        low = "any" if curve.range.low_open else f"{curve.range.low / 60:,.1f}"
        kept = f"{low} to {'any' if curve.range.high_open else f'{curve.range.high / 60:,.1f}'}"
    more = curve.at(TEN_PER_CENT)
    if more is None:
        return [kept, "", ""]
    start = curve.planned.objective_minor
    return [kept, unit.change(more.predicted_minor - start), unit.change(more.objective_minor - start)]


def _pair(before: QueueState | None, after: QueueState | None, text: Any) -> str:
    return _change(text(before) if before else "none", text(after) if after else "none")


def _change(before: str, after: str) -> str:
    return before if before == after else f"{before} → {after}"


def _places(move: AccountMove) -> list[str]:
    return [move.from_queue_id or "not worked", move.to_queue_id or "not worked"]


def _row(queue: QueueWhatIf) -> dict[str, Any]:
    row: dict[str, Any] = {"queue_id": queue.queue_id}
    for name, state in (("before", queue.before), ("after", queue.after)):
        row |= {
            f"{name}_agents": state.agents if state else "",
            f"{name}_capacity_minutes": state.capacity_minutes if state else "",
            f"{name}_used_minutes": state.used_minutes if state else "",
            f"{name}_worked_count": state.worked_count if state else "",
            f"{name}_increment_minor_units": state.increment_minor if state else "",
            f"{name}_price_per_minute_minor_units": state.price if state else "",
            f"{name}_price_low_per_minute_minor_units": state.band.low if state else "",
            f"{name}_price_high_per_minute_minor_units": state.band.high if state else "",
        }
    return row | {"predicted_change_minor_units": "" if queue.predicted_minor is None else queue.predicted_minor}
