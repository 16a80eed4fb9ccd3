"""Years of a simulated lender as a page and a figure: money per month by policy, with intervals over lenders."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter
from numpy.typing import NDArray
from scipy.stats import t

from collections_opt.reports.figures import OTHER_COLOUR, PALE_COLOUR, REFERENCE_COLOUR, TEXT_COLOUR, to_svg
from harness.experiments.year import POLICIES, YearMonth, YearSize

Floats = NDArray[np.float64]
_LOOK = {
    "learning": (REFERENCE_COLOUR, "-"),
    "no learning": (OTHER_COLOUR, "-"),
    "balance": (TEXT_COLOUR, ":"),
    "oracle": (TEXT_COLOUR, "--"),
}
Years = Sequence[Sequence[YearMonth]]


def shares_of_oracle(years: Years) -> dict[str, Floats]:
    """Return money by policy as a share of the oracle's, float64 (lenders, months)."""
    return {
        policy: np.array([[month.money[policy] / month.money["oracle"] for month in year] for year in years])
        for policy in POLICIES
    }


def interval(values: Floats) -> tuple[Floats, Floats, Floats]:
    """Return the mean over lenders (axis 0) with its 95 % interval by Student; without width for one lender."""
    mean, count = values.mean(axis=0), values.shape[0]
    if count < 2:
        return mean, mean, mean
    half = t.ppf(0.975, count - 1) * values.std(axis=0, ddof=1) / np.sqrt(count)
    return mean, mean - half, mean + half


def year_figure(years: Years) -> str:
    """Return the figure as an SVG."""
    drawing = Figure(figsize=(9, 4.2), layout="constrained")
    axes = drawing.subplots()
    for policy, values in shares_of_oracle(years).items():
        mean, low, high = interval(values)
        colour, style = _LOOK[policy]
        months = np.arange(1, mean.size + 1)
        axes.plot(months, mean, style, color=colour, label=policy, marker="o" if policy == "learning" else None)
        if policy != "oracle":
            axes.fill_between(months, low, high, color=colour, alpha=0.15, linewidth=0)
    learned = [month.number for month in years[0] if month.experiment_share > 0]
    if learned:
        axes.axvline(learned[0] - 0.5, color=PALE_COLOUR)
        axes.annotate("effects by its own holdout", (learned[0] - 0.4, 0.02), xycoords=("data", "axes fraction"))
    axes.set_xlabel("month")
    axes.set_ylabel("true money of the month, share of the oracle's")
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:.0%}"))
    axes.set_xticks(np.arange(1, len(years[0]) + 1))
    drawing.legend(loc="outside upper left", ncols=4, frameon=False)
    return to_svg(drawing)


def year_page(years: Years, size: YearSize) -> str:
    """Return the page."""
    shares = shares_of_oracle(years)
    header = ["month", *POLICIES[:3], "oracle, USD", "on an experiment", "left alone", "outcome model", "not learned"]
    lines = []
    for at, month in enumerate(years[0]):
        told = [_share(shares[name][:, at]) for name in POLICIES[:3]]
        oracle = np.mean([year[at].money["oracle"] for year in years]) / 100
        resting = np.mean([year[at].experiment_share for year in years])
        held = np.mean([year[at].held_out for year in years])
        why = sum(bool(year[at].not_learned) for year in years)
        models = ", ".join(sorted({year[at].model.removeprefix("outcome/") for year in years}))
        rest = [f"{oracle:,.0f}", f"{resting:.0%}", f"{held:,.0f}", models, f"{why} of {len(years)}"]
        lines.append([f"{month.number}", *told, *rest])
    whole = ["all", *(_share(_of_year(years, name)) for name in POLICIES[:3])]
    oracles = [sum(month.money["oracle"] for month in year) for year in years]
    lines.append([*whole, f"{np.mean(oracles) / 100:,.0f}", "", "", "", ""])
    table = "\n".join(["| " + " | ".join(line) + " |" for line in (header, ["---"] * len(header), *lines)])
    failed = sorted({month.not_learned.rstrip(".") for year in years for month in year if month.not_learned})
    return _PAGE.format(
        lenders=len(years),
        book=size.book,
        capacity=size.capacity,
        share=size.share,
        experiment_months=size.experiment_months,
        every=size.outcome_every,
        table=table,
        drawn_months=size.drawn_months,
        world=size.world,
        months=size.months,
        reasons="".join(f"\n- {why}." for why in failed),
    )


def _share(values: Floats) -> str:
    """Return the mean of shares over lenders, float64 (lenders,), as text, with its interval where there are several."""
    mean, low, high = (float(each) for each in interval(values))
    return f"{mean:.1%} ({low:.1%} to {high:.1%})" if values.size > 1 else f"{mean:.1%}"


def _of_year(years: Years, policy: str) -> Floats:
    """Return the money of each whole year as a share of the oracle's, float64 (lenders,)."""
    return np.array([sum(m.money[policy] for m in year) / sum(m.money["oracle"] for m in year) for year in years])


_PAGE = """# A year of a simulated lender, run by the product through its API alone

{lenders} lender(s) of {book:,} accounts of the world "{world}", of which about a tenth is late each month; time for
{capacity:.0%} of them; in the first {experiment_months} months {share:.0%} of would-be-worked people are left alone, drawn afresh
every {drawn_months} months. Month 1 is ASSUMED: shipped outcome model, effects of the plan. In months 2 and 3 the service
recalibrates the shipped model on what has matured; from month 4 on it learns one of the lender's own every {every} months, which
scores in shadow and serves once a matured ranking had it better. From month 3 on it learns effects each month from its own
matured rankings, and they serve. Nobody hands it a file.

Money is the true expected increment of whoever is contacted before the queue's minutes are really used up, on the same book for
all four; the learner pays for its holdout, the others leave nobody alone. Shares are of the oracle's money, mean over lenders,
with 95 % intervals (Student) where there are several. The oracle knows every true effect and
may call a person about two accounts.

![Money per month by policy as a share of the oracle's](../images/year.svg)

{table}

*On an experiment*: share of the stated money whose effects rest on randomised contacts. *Not learned*: lenders of which a model
that was due could not be learned or taken into service.{reasons}

Made by `python -m harness.experiments --seeds {lenders} --book {book} --months {months} --world {world}`; `make year` runs two
lenders of 40,000 accounts for a year.
"""
