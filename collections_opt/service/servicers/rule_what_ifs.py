"""The what-if of RuleService: tables taken as in force; streams where it stands."""

from __future__ import annotations

from collections.abc import Iterator

from collections_opt.api.v1 import rule_evaluation_pb2 as pb
from collections_opt.api.v1 import rule_table_pb2
from collections_opt.application.answers.capacity_baseline import CapacityBaseline
from collections_opt.application.answers.rule_what_ifs import RuleEvaluation, TriedRules, evaluate_rules
from collections_opt.application.resources.rule_tables import RuleTables
from collections_opt.core.errors import Reason, refuse
from collections_opt.core.limits import MAX_TRIED_TABLES
from collections_opt.core.names import check_id
from collections_opt.core.problem.assignment import ProgressCallback, SolveProgress
from collections_opt.core.rules.tables import RuleTable
from collections_opt.service.converters.capacity_evaluations import write_evaluation
from collections_opt.service.converters.rankings import write_progress
from collections_opt.service.servicers.capacity_what_ifs import CapacityWhatIfs, read_options
from collections_opt.service.servicers.progress_stream import progress_stream
from collections_opt.wire.common import read_date, told_as
from collections_opt.wire.rules import read_rule_table


class RuleWhatIfs:
    """Answers what other rules would do; ``starts`` finds the accounts and answer to start from."""

    def __init__(self, rule_tables: RuleTables, starts: CapacityWhatIfs) -> None:
        self._rule_tables = rule_tables
        self._starts = starts

    def evaluate(self, request: pb.EvaluateRulesRequest) -> Iterator[pb.EvaluateRulesResponse]:
        """Yield progress, then the evaluation."""
        max_moved, solver = read_options(request)
        tables = _read_tables(request)

        def work(report: ProgressCallback) -> Iterator[pb.RuleEvaluation]:
            baseline = self._starts.baseline(request.basis, report)
            tried = TriedRules(self._rule_tables, baseline)
            for index, (table_id, table) in enumerate(tables):
                with told_as({**_heads(index), "ranking_id": "basis.ranking_id"}):
                    tried.add(table_id, table)
            found = evaluate_rules(baseline, tried.rules, solver, report)
            yield _write(found, baseline, max_moved)

        for item in progress_stream(work):
            if isinstance(item, SolveProgress):
                yield pb.EvaluateRulesResponse(progress=write_progress(item))
            else:
                yield pb.EvaluateRulesResponse(evaluation=item)


def _read_tables(request: pb.EvaluateRulesRequest) -> list[tuple[str, RuleTable]]:
    count = len(request.rule_tables)
    if not 1 <= count <= MAX_TRIED_TABLES:
        raise refuse(Reason.LIMIT_EXCEEDED, "rule_tables", f"{count} tables.", f"Send 1 to {MAX_TRIED_TABLES}.")
    found: list[tuple[str, RuleTable]] = []
    for index, message in enumerate(request.rule_tables):
        with told_as(_heads(index)):
            found.append(_read_table(message))
        if any(table_id == message.rule_table_id for table_id, _ in found[:-1]):
            path = f"rule_tables[{index}].rule_table_id"
            raise refuse(Reason.INVALID_ARGUMENT, path, f"{message.rule_table_id!r} stands there twice.", "Send each table once.")
    return found


def _read_table(message: rule_table_pb2.RuleTable) -> tuple[str, RuleTable]:
    check_id("rule_table_id", message.rule_table_id)
    read_date(message.effective_from, "effective_from")  # a whole table is sent, though it is taken as in force
    return message.rule_table_id, read_rule_table(message)


def _heads(index: int) -> dict[str, str]:
    """Return where the fields of a table are in the request."""
    path = f"rule_tables[{index}]"
    return {
        "version": f"{path}.title",
        **{name: f"{path}.{name}" for name in ("rules", "effective_from", "rule_table_id")},
    }


def _write(found: RuleEvaluation, baseline: CapacityBaseline, max_moved: int) -> pb.RuleEvaluation:
    return pb.RuleEvaluation(
        comparison=write_evaluation(found.compared, max_moved),
        rules=[
            pb.RuleEffect(
                rule_id=effect.reason.rule_id,
                version=effect.reason.version,
                description=effect.reason.description,
                blocked_before_count=effect.before,
                blocked_after_count=effect.after,
            )
            for effect in found.effects
        ],
        barred_before_count=found.barred_before,
        barred_after_count=found.barred_after,
        rules_version_before=baseline.basis.rules.version,
        rules_version_after=found.rules.version,
    )
