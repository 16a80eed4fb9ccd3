"""Keeps what a ranking record names: sealed entries with their tree, settings, the model's card, and the signed checkpoint."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import structlog

from collections_opt.application.records.provenance import runtime
from collections_opt.application.records.ranking_facts import KeptFacts, RecordedLeaves, RecordedProof, RecordedRows
from collections_opt.application.records.sealed_records import SealedRecords, StoredPortfolio
from collections_opt.application.settings import dump
from collections_opt.core.actors import UNKNOWN, Actor
from collections_opt.core.ranking.pipeline import RankingRequest
from collections_opt.core.ranking.ranking import Ranking
from collections_opt.ledger.ledger import Ledger
from collections_opt.ledger.log.checkpoints import Checkpoints
from collections_opt.ledger.log.merkle import MerkleTree
from collections_opt.ledger.records import PortfolioRecord

_log = structlog.get_logger()


class Described(Protocol):
    """What scored, as far as a record keeps it."""

    @property
    def card(self) -> str:
        """Its card, Markdown."""
        ...

    @property
    def files(self) -> Mapping[str, str]:
        """SHA-256 (hex) of each of its files, by name."""
        ...


@dataclass(frozen=True)
class Recorder:
    """Stores the objects of a ranking and publishes the checkpoint that covers its record."""

    ledger: Ledger
    sealed: SealedRecords
    checkpoints: Checkpoints

    def keep(
        self,
        ranking: Ranking,
        request: RankingRequest,
        portfolio: PortfolioRecord,
        inputs: StoredPortfolio,
        scorer: Described,
        actor: Actor = UNKNOWN,
    ) -> KeptFacts:
        """Store entries, refusals, plan, rules and model card, and return what the record says of them.

        The tree of a ranking has one leaf per row that came in: the accepted accounts in order of id, then the refused rows
        in order of import.
        """
        objects = self.ledger.objects
        rule = ranking.eligibility.blocked_by.min(axis=1, initial=np.iinfo(np.uint8).max)
        entries = self.sealed.put_entries(ranking.entries, rule, inputs.key_no)
        quarantine = self.sealed.quarantine(portfolio.quarantine_digest)
        refusals = self.sealed.put_refusals(quarantine)
        tree = MerkleTree(np.concatenate([entries.table.leaves, refusals.table.leaves]))
        leaves = RecordedLeaves(
            root=tree.root.hex(),
            count=tree.size,
            accepted_count=entries.table.row_count,
            refused_count=refusals.table.row_count,
            refused_object=refusals.digest,
            accepted_layout=tuple(entries.table.layout.plain()),
            refused_layout=tuple(refusals.table.layout.plain()),
            input_root=inputs.root.hex(),
            input_count=inputs.leaf_count,
        )
        rows = RecordedRows(
            came_in=portfolio.row_count,
            accepted=portfolio.accepted_count,
            quarantined=portfolio.quarantined_count,
            erased_before=portfolio.accepted_count - inputs.portfolio.account_count,
            refused_erased_before=portfolio.quarantined_count - quarantine.row_count,
            findings_by_rule=quarantine.count_by_rule(),
        )
        answer = ranking.assignment
        return KeptFacts(
            leaves=leaves,
            rows=rows,
            proof=RecordedProof(answer.bound_by_search, tuple(answer.side_prices.tolist()), answer.shortages),
            time_zone=ranking.portfolio.time_zone,
            rule_legend=tuple(reason.rule_id for reason in ranking.eligibility.legend),
            entries_object=entries.digest,
            plan_object=objects.put(dump(request.plan).encode()),
            rules_object=objects.put(dump(request.rules).encode()),
            model_card_object=objects.put(scorer.card.encode()),
            model_files=dict(scorer.files),
            actor_told=actor.recorded(),
            runtime=runtime(),
        )

    def publish_missing(self) -> None:
        """Write the checkpoint that a process did not come to write before it ended; nothing for an empty log."""
        tree = self.ledger.log.tree()
        if tree.size:
            self._publish(tree)

    def publish(self) -> None:
        """Write the signed checkpoint of the log as it stands, to its folder and to the other places.

        What it covers is recorded already, and its caller must learn that: a place that cannot be written is told in the
        process's log and by ``verify log``. The next checkpoint covers what this one would have.
        """
        self._publish(self.ledger.log.tree())

    def _publish(self, tree: MerkleTree) -> None:
        for title, error in self.checkpoints.publish_everywhere(tree):
            _log.warning("checkpoint not written", place=title, size=tree.size, error=error.strerror or type(error).__name__)
