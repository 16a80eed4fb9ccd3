"""What a monitor watches: calls by how they end and how long they take, rankings, and every step of the ladder that failed.

Labels are names of the contract, and of parts of a book that the lender names itself: no account, person or portfolio is in them.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from collections_opt.application.records.monitor_facts import MonitorFacts
from collections_opt.application.records.ranking_facts import RankingFacts
from collections_opt.application.records.scoring_facts import DegradedStep

OK, CANCELLED = "OK", "CANCELLED"
"""How a call ends that was answered, and one whose caller went away; any other ends with its ``Reason``."""

LATENCY_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
"""Upper ends in seconds: from one account's score to an import of a whole book."""


class ServerMetrics:
    """Counts for one server; ``registry`` is what an endpoint shows."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._calls = Counter(
            "collections_opt_calls",
            "Calls by method and end: OK or a reason.",
            ["method", "outcome"],
            registry=self.registry,
        )
        self._seconds = Histogram(
            "collections_opt_call_seconds", "Time of calls.", ["method"], registry=self.registry, buckets=LATENCY_BUCKETS
        )
        self._counted: dict[tuple[str, str], tuple[Counter, Histogram]] = {}
        self._rankings = Counter(
            "collections_opt_rankings", "Rankings recorded.", ["ordering", "termination", "model_step"], registry=self.registry
        )
        self._degraded = Counter(
            "collections_opt_degraded", "Steps of the ladder that could not serve.", ["use", "step"], registry=self.registry
        )
        self._gap = Gauge("collections_opt_ranking_gap", "Optimality gap of the last ranking.", registry=self.registry)
        self._accounts = Gauge(
            "collections_opt_ranking_accounts",
            "Accounts of the last ranking.",
            ["disposition"],
            registry=self.registry,
        )

        cell = ["model_version", "dimension", "value", "outcome"]
        self._alarm = Gauge(
            "collections_opt_monitor_alarm", "1 where the last matured ranking raised an alarm.", cell, registry=self.registry
        )
        self._predicted = Gauge("collections_opt_monitor_predicted", "Mean chance predicted.", cell, registry=self.registry)
        self._realised = Gauge("collections_opt_monitor_realised", "Share realised.", cell, registry=self.registry)
        self._slope = Gauge("collections_opt_monitor_slope", "Calibration slope; 1 is right.", cell, registry=self.registry)

    def show_monitor(self, facts: MonitorFacts) -> None:
        """Show what was found of the ranking that matured last."""
        for cell in facts.cells:
            labels = (facts.model_version, *cell.key)
            self._alarm.labels(*labels).set(cell.alarm)
            for gauge, value in ((self._predicted, cell.predicted), (self._realised, cell.realised.value)):
                if math.isfinite(value):
                    gauge.labels(*labels).set(value)
            if math.isfinite(cell.slope.value):
                self._slope.labels(*labels).set(cell.slope.value)

    def count_call(self, method: str, outcome: str, seconds: float) -> None:
        """Count a call that ended."""
        counted = self._counted.get((method, outcome))
        if counted is None:  # names of the contract: a few hundred at most
            counted = self._counted[method, outcome] = self._calls.labels(method, outcome), self._seconds.labels(method)
        counted[0].inc()
        counted[1].observe(seconds)

    def count_ranking(self, facts: RankingFacts) -> None:
        """Count a recorded ranking, from what its record says."""
        answer = facts.answer
        self._rankings.labels(answer.ordering.value, answer.termination.value, facts.scored.step.value).inc()
        self._gap.set(answer.gap)
        for disposition, count in answer.counts.items():
            self._accounts.labels(disposition).set(count)
        self.count_degraded("ranking", facts.scored.degraded)

    def count_degraded(self, use: str, degraded: Sequence[DegradedStep]) -> None:
        """Count the steps that could not serve a ranking or a score."""
        for each in degraded:
            self._degraded.labels(use, each.step.value).inc()
