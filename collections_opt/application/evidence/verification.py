"""Verify the log and a recorded ranking: what was stored against its hashes, then the opened against its inputs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import numpy as np

from collections_opt.application.evidence.budget_check import budget_check
from collections_opt.application.evidence.findings import Check, Strength, Verdict
from collections_opt.application.evidence.history import History
from collections_opt.application.evidence.holdout_check import holdout_check
from collections_opt.application.evidence.hours_check import hours_check
from collections_opt.application.evidence.recomputed import recomputed_entries
from collections_opt.application.rankings.opened_ranking import OpenedRanking
from collections_opt.application.rankings.rolling import Rolling
from collections_opt.application.records.ranking_facts import RankingFacts, objects_of
from collections_opt.application.records.recorder import Recorder
from collections_opt.application.records.standing import Standing
from collections_opt.application.resources.experiments import Experiments
from collections_opt.application.resources.rule_tables import RuleTables
from collections_opt.application.resources.value_sets import ValueSets
from collections_opt.application.settings import dump
from collections_opt.core.actors import asked_by
from collections_opt.core.arrays import Array, digest_text
from collections_opt.core.errors import CollectionsError
from collections_opt.core.problem.assignment import Assignment, AssignmentProblem
from collections_opt.core.problem.exploration import withdraw
from collections_opt.core.ranking.ordering import Ordering
from collections_opt.core.resources import ResourceKind, is_claimed
from collections_opt.core.scopes import present_scope
from collections_opt.core.wanted import require_wanted
from collections_opt.ledger.ledger import Ledger
from collections_opt.ledger.log.log import LogKind
from collections_opt.ledger.log.merkle import MerkleTree
from collections_opt.ledger.objects.named import broken_objects
from collections_opt.ledger.records import RankingRecord
from collections_opt.ledger.sealing.sealing import unseal
from collections_opt.ledger.tables.reads import reads_in_log
from collections_opt.solvers import verify


class Verification:
    """Checks records without changing anything.

    Args:
        ledger: the records.
        recorder: what opens and signs them.
        rule_tables: the versions that records name.
        values: the sets of values that records name.
        experiments: the experiments that records name.
        standing: what people decided about the history.
        rolling: derives portfolios anew.
    """

    def __init__(
        self,
        ledger: Ledger,
        recorder: Recorder,
        rule_tables: RuleTables,
        values: ValueSets,
        experiments: Experiments,
        standing: Standing,
        rolling: Rolling,
    ) -> None:
        self._ledger = ledger
        self._standing = standing
        self._rolling = rolling
        self._rule_tables = rule_tables
        self._values = values
        self._experiments = experiments
        self._sealed = recorder.sealed
        self._checkpoints = recorder.checkpoints

    def verify_log(self, kept: Sequence[str] = ()) -> Verdict:
        """Check the chain, the log, every object that a record names, and every checkpoint that can be found.

        Args:
            kept: signed checkpoints that the caller kept elsewhere. Only they, or places that the owner of the data cannot
                change, show that the newest records were not taken away together with their checkpoints.
        """
        chain, log, lives = self._ledger.chain.verify(), self._ledger.log.verify(), self._ledger.lives.verify()
        rows = self._ledger.logged_rows.verify()
        try:
            tree = self._ledger.log.tree()
            erased = self._ledger.erasure.erased_numbers()
            keys = self._sealed.broken_keys(erased)
            events = self._sealed.broken_events(self._ledger.database, erased)
        except CollectionsError as error:
            found = "; ".join([error.message, *chain, *log, *rows, *lives])
            return _verdict("log", [Check("log", False, found)], Strength.NOTHING)
        checks = [
            Check("chain", not chain, "; ".join(chain) or "Every ranking names the one before it."),
            Check("log", not log, "; ".join(log) or f"The log holds {tree.size} entries."),
            Check("rows", not rows, "; ".join(rows) or "Portfolios, plans, models, acts and answers are what the log says."),
            Check("keys", not keys, "; ".join(keys) or "Every account that was not erased has one key of its own."),
            Check("events", not events, "; ".join(events) or "Events are what their batches say."),
            Check("lives", not lives, "; ".join(lives) or "Requests, states and events follow from each other."),
        ]
        trail, noted = self._ledger.reads.verify(reads_in_log(list(self._ledger.log.entries(LogKind.READS))))
        checks.append(
            Check("reads", not trail, "; ".join(trail) or f"The trail holds {noted} reads of accounts' data, in order.")
        )
        lost, read_count = broken_objects(self._ledger.database, self._ledger.objects, objects_of)
        whole = f"All {read_count} objects that records name are there, with the bytes that their names promise."
        checks.append(Check("objects", not lost, "; ".join(lost) or whole))
        history = History(self._checkpoints, self._standing.decisions(), tree, self._covers)
        checks += [*history.checks(), *history.kept_checks(kept)]
        return _verdict("log", checks, Strength.INTEGRITY, history.limits(len(kept)))

    def _covers(self, signed: int, size: int) -> bool:
        """Return whether nothing but events came after a checkpoint: those are signed a moment later, all that came together."""
        return signed == size or (
            signed >= 0 and all(kind in (LogKind.EVENTS, LogKind.READS) for kind in self._ledger.log.kinds_from(signed))
        )

    def verify_ranking(self, ranking_id: str) -> Verdict:
        """Check one ranking as far as it can be shown.

        Raises:
            CollectionsError: NOT_FOUND for a ranking that was never recorded.
        """
        try:
            record = self._ledger.rankings.get(ranking_id)
        except CollectionsError as error:
            if error.reason.name == "NOT_FOUND":
                raise
            return _verdict(ranking_id, [Check("record", False, error.message)], Strength.NOTHING)
        facts = RankingFacts.from_record(record.record)
        checks = [self._record_check(record, facts), self._log_check(record), self._checked("rows", lambda: self._rows(facts))]
        if facts.sources.rule_tables:  # records of before they were kept name none
            checks.append(self._checked("rules", lambda: self._rules(facts)))
        if facts.sources.value_choices:  # nor do those whose call carried its values
            checks.append(self._checked("value sets", lambda: self._value_sets(facts)))
        if facts.inputs.experiments:
            checks.append(self._checked("experiments", lambda: self._experiments_held(facts)))
        if facts.derived_from is not None:
            checks.append(self._checked("derivation", lambda: self._derivation(facts)))
        if not all(check.holds for check in checks):
            return _verdict(ranking_id, checks, Strength.NOTHING)
        opened = OpenedRanking(record, self._ledger, self._sealed)
        if opened.erased_count:
            why = f"{opened.erased_count} account(s) were erased since, so totals cannot be added up any more"
            return _verdict(ranking_id, checks, Strength.INTEGRITY, (why,))
        certificate = certificate_checks(opened)
        reached = Strength.CERTIFICATE if all(check.holds for check in certificate) else Strength.NOTHING
        return _verdict(ranking_id, [*checks, *certificate], reached)

    def _record_check(self, record: RankingRecord, facts: RankingFacts) -> Check:
        broken = self._ledger.rankings.verify(record.ranking_id)
        who = asked_by(facts.kept.actor)
        sentence = f"Record, worklists and portfolio header are what was written. {who}"
        return Check("record", not broken, "; ".join(broken) or sentence)

    def _log_check(self, record: RankingRecord) -> Check:
        try:
            entry = self._ledger.log.entry_of(LogKind.RANKING, record.ranking_id)
            told = entry.facts if entry else {}
        except CollectionsError as error:
            return Check("log", False, error.message)
        if entry is None or told.get("record_digest") != record.record_digest:
            return Check("log", False, "The log has no leaf of this record.")
        if told.get("leaves") != record.record.get("leaves"):
            return Check("log", False, "The log names another tree of accounts.")
        return Check("log", True, f"The log holds it as entry {entry.position + 1}.")

    def _rows(self, facts: RankingFacts) -> str:
        """Return what holds about the rows; refuses with what does not."""
        held, leaves = facts.kept, facts.kept.leaves
        stored = self._ledger.portfolios.get(facts.inputs.portfolio_id)
        for digest in (held.plan_object, held.rules_object, held.model_card_object):
            self._ledger.objects.get(digest)
        erased = self._ledger.erasure.erased_numbers()
        parts = [self._sealed.table(digest) for digest in (held.entries_object, leaves.refused_object)]
        for table in (*parts, self._sealed.table(stored.object_digest), self._sealed.table(stored.quarantine_digest)):
            require_wanted()
            opened = unseal(table, self._sealed.keys_of(table), check=True)
            known = self._sealed.has_keys_of(opened.columns["account_id"], table.key_no[opened.rows])
            _need(known, "the account directory gives accounts other keys")
            missing = np.delete(table.key_no, opened.rows)
            _need(bool(np.isin(missing, erased).all()), "keys are gone without an erasure")
        tree = MerkleTree(np.concatenate([table.leaves for table in parts]))
        _need(tree.root.hex() == leaves.root, "the accounts' leaves differ from the recorded tree")
        _need(self._sealed.portfolio(stored.object_digest).root.hex() == leaves.input_root, "the imported accounts differ")
        counts = held.rows
        _need(counts.came_in == counts.accepted + counts.quarantined, "rows in are not accepted and quarantined")
        _need(tree.size == leaves.accepted_count + leaves.refused_count, "leaves are missing")
        decided = leaves.accepted_count + counts.erased_before
        _need(decided == counts.accepted and sum(facts.answer.counts.values()) == leaves.accepted_count, "accounts were dropped")
        refused = leaves.refused_count + counts.refused_erased_before
        _need(refused == counts.quarantined, "refused rows were dropped")
        kept = self._sealed.entries(held.entries_object)
        whole = kept.erased_count or kept.entries.digest == facts.answer.entries_digest
        _need(bool(whole), "the entries differ from their digest")
        gone = f"; {kept.erased_count} of them were erased since" if kept.erased_count else ""
        return f"All {tree.size} rows that came in have their leaf: {decided} decided, {leaves.refused_count} refused{gone}."

    def _rules(self, facts: RankingFacts) -> str:
        """Return whose the recorded rules are; refuses when the versions named do not hold them."""
        versions = facts.sources.rule_tables
        held = digest_text(dump(self._rule_tables.of(versions)))
        _need(held == facts.inputs.rules_digest, "the rules are not those of the tables that the record names")
        named = [(ResourceKind.RULE_TABLE, version.rule_table_id, version.version) for version in versions]
        told = " and ".join(version.name for version in versions)
        return f"The rules are those of {told}, each of which was approved{self._claimed(named)}."

    def _derivation(self, facts: RankingFacts) -> str:
        """Return what the portfolio follows from; refuses when it does not."""
        derived = facts.derived_from
        _need(derived is not None and derived == self._rolling.derivation(facts.inputs.portfolio_id), "another is recorded")
        assert derived is not None
        source = f"{derived.base_portfolio_id} and the events up to {derived.through_sequence}"
        if present_scope().is_limited:
            return f"The accounts were derived from {source}, which a token limited to a scope does not see."
        difference, erased = self._rolling.difference(facts.inputs.portfolio_id)
        _need(not difference, difference)
        if erased:
            return f"The accounts were derived from {source}; {erased} of these were erased since, so it cannot be done anew."
        return f"The accounts follow from {source}."

    def _value_sets(self, facts: RankingFacts) -> str:
        """Return whose the recorded values are; refuses when a version named for a product does not hold the product's."""
        choices = facts.sources.value_choices
        found = self._values.difference(facts.inputs.parameters, choices)
        _need(not found, found)
        named = [(ResourceKind.VALUE_PARAMETERS, choice.resource_id, choice.version) for choice in choices]
        told = ", ".join(f"{choice.product} of {choice.name}" for choice in choices)
        return f"The values are those of the sets that were in force: {told}; each was approved{self._claimed(named)}."

    def _experiments_held(self, facts: RankingFacts) -> str:
        """Return which experiments left people alone; refuses when a version named does not hold what was recorded."""
        named = facts.inputs.experiments
        wrong = [each.name for each in named if not self._experiments.held(each)]
        _need(not wrong, f"{', '.join(wrong)} does not hold what the record says, or was never approved")
        versions = [(ResourceKind.EXPERIMENT, each.experiment_id, each.version) for each in named]
        other = facts.inputs.running.other_plan_id
        whose = f" worked by {other}" if other else ""
        told = ", ".join(
            f"{each.name} ({alone.held_out_count:,} of {alone.in_experiment_count:,} accounts{whose})"
            for each, alone in zip(named, facts.answer.left_alone, strict=True)
        )
        return f"People were drawn by experiments that were approved{self._claimed(versions)}: {told}."

    def _claimed(self, named: Iterable[tuple[ResourceKind, str, int]]) -> str:
        """Return which approvals rest on nothing but claimed names, as the end of a sentence."""
        versions = [self._ledger.resources.get(*each) for each in dict.fromkeys(named)]
        found = [version.name for version in versions if is_claimed(version)]
        return f", {' and '.join(found)} as claimed: no token vouched for who saved and who approved" if found else ""

    @staticmethod
    def _checked(name: str, look: Callable[[], str]) -> Check:
        require_wanted()
        try:
            return Check(name, True, look())
        except CollectionsError as error:
            return Check(name, False, error.message)
        except _DoesNotHoldError as error:
            return Check(name, False, f"{error}.")


def certificate_checks(opened: OpenedRanking) -> list[Check]:
    """Return the checks that recompute a ranking from its recorded inputs, in whole minor units."""
    facts = opened.facts
    valued = opened.valued()
    entries, rule, answer = recomputed_entries(opened, valued)
    difference = first_difference({**opened.entries.columns(), "rule": opened.stored.rule}, {**entries.columns(), "rule": rule})
    legend = tuple(reason.rule_id for reason in valued.eligibility.legend)
    digest = opened.portfolio.digest
    values = Check(
        "values",
        not difference and (legend, digest) == (facts.kept.rule_legend, facts.inputs.input_digest),
        difference
        or "Values, eligibility, surpluses and places of all accounts follow from the recorded inputs, rules and plan.",
    )
    counts = entries.counts()
    used = np.bincount(entries.queue[entries.queue >= 0], entries.seconds[entries.queue >= 0], valued.problem.queue_count)
    same = counts == facts.answer.counts and tuple(used.astype(np.int64).tolist()) == facts.answer.queue_seconds
    totals = Check("totals", same, "Counts and minutes add up." if same else "Counts or minutes differ from the record.")
    exploration = opened.exploration(valued)
    solved = withdraw(valued.offered, exploration) if exploration else valued.offered
    optional = [check for check in (hours_check(opened), holdout_check(opened, valued)) if check]
    return [values, totals, budget_check(opened), *optional, _bound_check(opened, answer, solved)]


def _bound_check(opened: OpenedRanking, answer: Assignment, problem: AssignmentProblem) -> Check:
    recorded = opened.assignment()
    if opened.ordering is not Ordering.EXPECTED_VALUE:
        return _order_check(recorded, answer, problem)
    found = verify(problem, recorded)
    if found.findings:
        return Check("bound", False, "; ".join(map(str, found.findings)))
    worth = f"The list is worth {recorded.objective_minor} minor units"
    searched = f" (a complete search narrowed that to {recorded.bound_minor})" if recorded.bound_by_search else ""
    return Check("bound", True, f"{worth}; at the recorded prices none is worth more than {found.bound_minor}{searched}.")


def _order_check(recorded: Assignment, answer: Assignment, problem: AssignmentProblem) -> Check:
    found = verify(problem, recorded, worthless_may_be_worked=True)
    if found.findings:
        return Check("order", False, "; ".join(map(str, found.findings)))
    facts = [(a.objective_minor, a.bound_minor, a.shortages) for a in (recorded, answer)]
    same = facts[0] == facts[1] and np.array_equal(recorded.queue, answer.queue)
    otherwise = "The raw order gives another list."
    sentence = "The raw order sorted anew gives the same list, which keeps to capacity, caps and floors as recorded."
    return Check("order", same, sentence if same else otherwise)


def first_difference(recorded: dict[str, Array], recomputed: dict[str, Array]) -> str:
    """Return the first cell in which two sets of columns differ, in words; empty when they are equal."""
    if recorded.keys() != recomputed.keys():
        return f"{', '.join(sorted(recorded.keys() ^ recomputed.keys()))}: recorded or following, but not both"
    for name, column in recorded.items():
        other = recomputed[name]
        if column.shape != other.shape:
            return f"{name}: {column.shape[0]} accounts were recorded, {other.shape[0]} follow"
        wrong = np.flatnonzero(column != other)
        if wrong.size:
            row = int(wrong[0])
            account = recorded["account_id"][row].decode()
            return (
                f"{name} of account {account}: {column[row]} was recorded, {other[row]} follows ({wrong.size} account(s) differ)"
            )
    return ""


class _DoesNotHoldError(Exception):
    """What does not hold, in words."""


def _need(holds: bool, otherwise: str) -> None:
    if not holds:
        raise _DoesNotHoldError(otherwise)


def _verdict(subject: str, checks: list[Check], strongest: Strength, limits: tuple[str, ...] = ()) -> Verdict:
    reached = strongest if all(check.holds for check in checks) else Strength.NOTHING
    return Verdict(subject, reached, tuple(checks), limits)
