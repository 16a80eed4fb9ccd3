"""A data folder with everything in it: ledger, objects and models; what scripts and the server open."""

from __future__ import annotations

import os
import secrets
import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from collections_opt.application.answers.account_explanation import AccountExplanations
from collections_opt.application.answers.account_scores import AccountScores
from collections_opt.application.answers.capacity_baseline import CapacityBaselines
from collections_opt.application.answers.placement import Placer
from collections_opt.application.day.day import Day, open_day
from collections_opt.application.evidence.evidence import Evidence
from collections_opt.application.evidence.proofs import Proofs
from collections_opt.application.evidence.replay import Replays
from collections_opt.application.evidence.verification import Verification
from collections_opt.application.experiments.plan_splits import PlanSplits
from collections_opt.application.experiments.planning import Trials
from collections_opt.application.experiments.readings import Readings
from collections_opt.application.models.outcome_scorers import PolicyScorer
from collections_opt.application.models.registry import ModelRegistry
from collections_opt.application.models.registry_policy import RegistryPolicy, read_policy
from collections_opt.application.models.serving import ModelServing
from collections_opt.application.outcomes.maturity import Maturities
from collections_opt.application.outcomes.monitors import Monitors
from collections_opt.application.packs.packs import Packs, open_packs
from collections_opt.application.rankings.books import Books
from collections_opt.application.rankings.command import RankingCommand, options_of
from collections_opt.application.rankings.jobs import State
from collections_opt.application.rankings.making import Rankings
from collections_opt.application.rankings.recorded_rankings import RecordedRankings
from collections_opt.application.rankings.rolling import Rolling
from collections_opt.application.records.erasures import Erasures
from collections_opt.application.records.opening import Records, Whereabouts, open_records
from collections_opt.application.records.read_trail import ReadTrail
from collections_opt.application.resources.approved import ApprovedResources
from collections_opt.application.resources.capacity_calendar import CapacityCalendar
from collections_opt.application.resources.experiments import EXPERIMENTS, Experiments
from collections_opt.application.resources.rule_tables import RULE_TABLES, RuleTables
from collections_opt.application.resources.value_sets import VALUE_SETS, ValueSets
from collections_opt.application.settings import bundled_parameters, bundled_plan, bundled_policy_rates, bundled_rules, dump
from collections_opt.core.arrays import digest_text
from collections_opt.core.limits import MAX_PAGE_SIZE
from collections_opt.core.problem.assignment import SolveProgress
from collections_opt.ledger.events.event_log import EventLog
from collections_opt.ledger.events.leases import Leases
from collections_opt.ledger.ledger import Ledger
from collections_opt.ledger.records import RankingRecord
from collections_opt.ledger.sealing.subject_keys import RandomBytes

LOOK_AGAIN_SECONDS = 1.0
"""How often a caller that waits looks for a ranking that another process makes."""


@dataclass(frozen=True)
class Workspace:
    """The opened use cases over one ledger."""

    ledger: Ledger
    books: Books
    rankings: Rankings
    recorded: RecordedRankings
    explanations: AccountExplanations
    scores: AccountScores
    models: ModelRegistry
    serving: ModelServing
    placer: Placer
    baselines: CapacityBaselines
    evidence: Evidence
    rule_tables: RuleTables
    values: ValueSets
    experiments: Experiments
    trials: Trials
    readings: Readings
    day: Day
    trail: ReadTrail
    monitors: Monitors
    now: Callable[[], datetime]
    rolling: Rolling
    packs: Packs
    closers: list[Callable[[], None]] = field(default_factory=list)

    def close(self) -> None:
        """Wait for what runs and close the ledger."""
        for close in self.closers:
            close()
        self.rankings.close()
        self.ledger.close()

    def rank(self, command: RankingCommand, progress: Callable[[SolveProgress], None]) -> RankingRecord:
        """Make a ranking and wait for it; the same request again returns the one it made.

        Raises:
            CollectionsError: whatever stopped it.
        """
        ranking_id = self.rankings.create(command)
        while (latest := self.rankings.status(ranking_id)) is not None and latest.state is State.RUNNING:
            for status in self.rankings.watch(ranking_id, LOOK_AGAIN_SECONDS):
                progress(status.progress)
        return self.recorded.finished(ranking_id)


def open_workspace(
    folder: Path,
    models: Path,
    now: Callable[[], datetime],
    database_url: str = "",
    keys: Path | None = None,
    checkpoints_at: Sequence[str] = (),
    random_bytes: RandomBytes = secrets.token_bytes,
    objects_url: str = "",
) -> Workspace:
    """Open (and on first use make) a data folder: SQLite and objects inside it unless others are named by URL.

    A ledger that takes no writes, as ``open_records``, opens for reading.

    Args:
        folder: where everything lives that is not named otherwise.
        models: folder of model versions.
        now: the clock.
        database_url: SQLAlchemy URL of another database.
        keys: folder of the master key and the signing key; best on storage that is in no backup of the data.
        checkpoints_at: as ``Whereabouts.checkpoints_at``.
        random_bytes: source of keys and nonces; another than the default is for tests.
        objects_url: another folder, or pyarrow URL, of the objects.

    Raises:
        CollectionsError: MODEL_UNAVAILABLE when the folder of models has no registry.toml, or a version that it declares
            approved has other bytes; as ``open_records``.
    """
    policy = read_policy(models)
    at = Whereabouts(folder, database_url, objects_url, keys, tuple(checkpoints_at))
    records = open_records(at, now, random_bytes)
    ledger, sealed, recorder = records.ledger, records.sealed, records.recorder
    worker = f"{socket.gethostname()}-{os.getpid()}-{random_bytes(4).hex()}"
    registry, serving = _open_models(records, models, policy, now)
    rule_tables = RuleTables(ApprovedResources(ledger, now, recorder.publish, RULE_TABLES))
    values = ValueSets(ApprovedResources(ledger, now, recorder.publish, VALUE_SETS))
    experiments = Experiments(
        ApprovedResources(ledger, now, recorder.publish, EXPERIMENTS),
        PlanSplits(ledger, CapacityCalendar(ledger, now, recorder.publish)).check_start,
    )
    books = Books(ledger, now, recorder, values)
    events = EventLog(ledger.database, records.subject_keys)
    rolling = Rolling(ledger, recorder, events, Leases(ledger.database, events), books.calendar, now)
    rankings = Rankings(serving, rule_tables, values, experiments, now, recorder, rolling, worker)
    recorded = rankings.recorded
    explanations = AccountExplanations(recorded, serving)
    scores = AccountScores(ledger, serving, rule_tables, values, now)
    placer = Placer(recorded, serving.recorded, rule_tables, ledger.log.erasure_count)
    baselines = CapacityBaselines(books, recorded, serving, rule_tables, values, ledger.log.erasure_count)
    evidence = Evidence(
        ledger,
        recorded,
        explanations,
        Verification(ledger, recorder, rule_tables, values, experiments, records.standing, rolling),
        Proofs(ledger, recorder),
        Replays(ledger, sealed, serving.recorded, options_of),
        Erasures(ledger, records.subject_keys, recorder, now),
    )
    day = open_day(ledger, records.subject_keys, recorder, recorded, placer, rule_tables, now)
    maturities = Maturities(ledger, recorder, recorded, day.events.log, now)
    workspace = Workspace(
        ledger,
        books,
        rankings,
        recorded,
        explanations,
        scores,
        registry,
        serving,
        placer,
        baselines,
        evidence,
        rule_tables,
        values,
        experiments,
        Trials(ledger, recorded, maturities, now),
        Readings(ledger, recorded, experiments, maturities, now),
        day,
        ReadTrail(ledger, sealed, now),
        Monitors(ledger, recorder, recorded, maturities, now),
        now,
        rolling,
        open_packs(ledger, records.subject_keys, sealed, evidence, day, maturities, now),
    )
    if records.may_write:
        _ship(workspace)
    return workspace


def _open_models(
    records: Records, models: Path, policy: RegistryPolicy, now: Callable[[], datetime]
) -> tuple[ModelRegistry, ModelServing]:
    """Return the registry, which has met what its folder declares where the ledger takes writes, and what serves from it."""
    registry = ModelRegistry(records.ledger, models, policy, now, records.recorder.publish)
    if records.may_write:
        registry.meet_declarations()
    rates = bundled_policy_rates()
    return registry, ModelServing(records.ledger, models, policy, PolicyScorer(rates, digest_text(dump(rates))), now)


def _ship(workspace: Workspace) -> None:
    """Keep what the release ships; it gives way to what people saved."""
    workspace.rule_tables.ship(bundled_rules())
    workspace.values.ship(bundled_parameters())
    plan = bundled_plan()
    if not any(stored.plan_id == plan.plan_id for stored in workspace.ledger.plans.after("", MAX_PAGE_SIZE)):
        workspace.books.save_plan(plan, None)
