"""Rankings end to end without a network: made once, recorded, explained, compared, refused with a reason."""

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from collections_opt.application.rankings.jobs import Jobs, State, internal_error
from collections_opt.application.settings import bundled_parameters, bundled_plan, bundled_rules, dump, load, parse
from collections_opt.application.workspace import open_workspace
from collections_opt.core.desk.queues import CapacityPlan
from collections_opt.core.errors import CollectionsError, Reason
from collections_opt.core.problem.assignment import SolveProgress, ignore_progress
from collections_opt.core.ranking.ranking import Disposition
from collections_opt.core.rules.eligibility import RuleTable
from collections_opt.core.value.payoffs import ValueParameters
from collections_opt.ledger.store.database import Database
from collections_opt.scoring.outcome import boosted
from collections_opt.scoring.outcome import scorer as scorer_module
from tests.support.books.bundled_portfolio import MODELS, NOW, command_for, import_bundled
from tests.support.factories import raw_portfolio, text

CALLABLE = {
    "state": text(["US-TX", "US-TX"]),
    "calls_last_7_days_count": np.zeros(2, dtype=np.int64),
    "attempts_last_7_days_count": np.zeros(2, dtype=np.int64),
}
"""Facts of two accounts that the rules need to let them be contacted."""


@pytest.fixture
def workspace(tmp_path, database_url):
    opened = open_workspace(tmp_path / "data", MODELS, lambda: NOW, database_url)
    yield opened
    opened.close()


def test_the_real_portfolio_is_ranked_recorded_explained_and_found_again(workspace, tmp_path, database_url):
    record = import_bundled(workspace)
    assert (record.row_count, record.accepted_count, record.quarantined_count) == (4_209, 4_209, 0)
    command = command_for()
    made = workspace.rank(command, ignore_progress)
    assert workspace.rank(command, ignore_progress) == made
    header = made.record
    assert sum(header["counts"].values()) == 4_209
    assert 0 <= header["bound_minor"] - header["objective_minor"] <= 1e-6 * header["bound_minor"]
    entries = workspace.recorded.entries(made)
    assert entries.increment_minor[entries.queue >= 0].sum() == header["objective_minor"]
    for disposition in (Disposition.ASSIGNED, Disposition.INELIGIBLE, Disposition.PRICED_OUT):
        rows = np.flatnonzero(entries.disposition == disposition)[:3]
        for row in rows:
            why = workspace.explanations.explain(made.ranking_id, entries.account_id[row].decode())
            assert why.disposition is disposition
            assert why.sentence.startswith("Worked in" if disposition is Disposition.ASSIGNED else "Not worked")
            verdicts = [q.verdict for q in why.queues]
            assert verdicts.count("WORKED_HERE") == int(disposition is Disposition.ASSIGNED)
            assert len(why.reasons) == 6
    workspace.close()
    again = open_workspace(tmp_path / "data", MODELS, lambda: NOW, database_url)
    assert again.rank(command, ignore_progress) == made
    assert again.ledger.chain.verify() == []
    again.close()


def test_the_same_inputs_give_the_same_bytes_in_another_ledger(tmp_path):
    digests = []
    for name in ("one", "two"):
        keys = np.random.default_rng(1)
        opened = open_workspace(tmp_path / name, MODELS, lambda: NOW, random_bytes=keys.bytes)
        import_bundled(opened)
        made = opened.rank(command_for(request_id="5f0c7c4e-58a3-4a47-9f0a-6a3cf3a0b001"), ignore_progress)
        digests.append((made.record_digest, made.record["entries_object"]))
        opened.close()
    assert digests[0] == digests[1]


def test_other_keys_change_what_is_stored_and_nothing_that_was_decided(tmp_path):
    records = []
    for name in ("one", "two"):
        opened = open_workspace(tmp_path / name, MODELS, lambda: NOW)
        import_bundled(opened)
        records.append(opened.rank(command_for(request_id="5f0c7c4e-58a3-4a47-9f0a-6a3cf3a0b001"), ignore_progress).record)
        opened.close()
    differing = {name for name in records[0] if records[0][name] != records[1][name]}
    assert differing == {"entries_object", "leaves", "ledger"}


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"request_id": "not-a-uuid"}, Reason.INVALID_ARGUMENT),
        ({"solver": "oracle"}, Reason.INVALID_ARGUMENT),
        ({"plan_id": "nowhere"}, Reason.NOT_FOUND),
        ({"plan_version": 9}, Reason.NOT_FOUND),
        ({"portfolio_id": "nowhere"}, Reason.NOT_FOUND),
        ({"parameters": ValueParameters(discount_rate=-1)}, Reason.INVALID_ARGUMENT),
    ],
)
def test_bad_requests_are_refused_before_anything_runs(workspace, changes, reason):
    import_bundled(workspace)
    with pytest.raises(CollectionsError) as caught:
        workspace.rankings.create(command_for(**changes))
    assert caught.value.reason is reason
    assert caught.value.violations


def test_plans_of_another_currency_or_a_later_date_are_refused(workspace):
    import_bundled(workspace)
    workspace.books.save_plan(replace(bundled_plan(), plan_id="usd", currency_code="USD"), None)
    workspace.books.save_plan(replace(bundled_plan(), plan_id="later", effective_from=NOW.date()), None)
    for plan_id, reason in (("usd", Reason.CURRENCY_MISMATCH), ("later", Reason.CAPACITY_PLAN_NOT_EFFECTIVE)):
        with pytest.raises(CollectionsError) as caught:
            workspace.rankings.create(command_for(plan_id=plan_id))
        assert caught.value.reason is reason


def test_validate_only_runs_nothing(workspace):
    import_bundled(workspace)
    ranking_id = workspace.rankings.create(command_for(), validate_only=True)
    with pytest.raises(CollectionsError) as caught:
        workspace.recorded.finished(ranking_id)
    assert caught.value.reason is Reason.NOT_FOUND


def test_quarantined_rows_are_kept_with_their_reasons(workspace):
    raw = raw_portfolio(account_id=text(["a", "b"]), balance_minor=np.array([100.0, np.nan]))
    record = workspace.books.import_portfolio("poisoned", raw)
    assert (record.row_count, record.accepted_count, record.quarantined_count) == (2, 1, 1)
    assert workspace.books.quarantine("poisoned").rule == ("NOT_FINITE",)
    with pytest.raises(CollectionsError) as caught:
        workspace.books.import_portfolio("poisoned", raw_portfolio(account_id=text(["z"])))
    assert caught.value.reason is Reason.ALREADY_EXISTS


def test_scoring_rows_agrees_with_the_book_and_refuses_bad_rows(workspace):
    plan = replace(bundled_plan(), currency_code="USD")
    raw = raw_portfolio(account_id=text(["a", "b"]), days_past_due=np.array([65, 200]), **CALLABLE)
    scored = workspace.scores.score(raw, plan, bundled_parameters())
    assert scored.valued.outcomes.probability.shape == (2, 3)
    for reasons in scored.reasons.rows():
        assert {r.code.rsplit("_", 1)[1] for r in reasons} == {"CURE", "DEFAULT", "INCREMENT"}
        groups = {r.code.rsplit("_", 2)[0] for r in reasons}
        assert groups <= {"DELINQUENCY", "BALANCE"}  # nothing is known of payments, limit and age: they are no reasons
    bad = raw_portfolio(account_id=text(["a"]), days_past_due=np.array([-1]))
    with pytest.raises(CollectionsError) as caught:
        workspace.scores.score(bad, plan, bundled_parameters())
    assert caught.value.violations[0].field == "accounts[0].days_past_due"


def test_settings_survive_json_and_name_the_field_at_fault():
    for value, kind in ((bundled_plan(), CapacityPlan), (bundled_rules(), RuleTable), (bundled_parameters(), ValueParameters)):
        assert load(dump(value), kind) == value
    with pytest.raises(CollectionsError) as caught:
        parse({"plan_id": "x"}, CapacityPlan)
    assert "queues" in [v.field for v in caught.value.violations]


def test_jobs_report_progress_failures_and_unknown_ids():
    jobs = Jobs(lambda _job, _error: internal_error("i1"))
    assert list(jobs.watch("nobody", 60)) == []
    jobs.start("good", lambda report: report(SolveProgress("half", 0.5)))
    assert [s.state for s in jobs.watch("good", 60)][-1] is State.SUCCEEDED
    jobs.start("bad", lambda _report: 1 / 0)
    last = list(jobs.watch("bad", 60))[-1]
    assert (last.state, last.error.reason) == (State.FAILED, Reason.INTERNAL)
    assert "division" not in str(last.error)
    jobs.close()


def test_a_call_with_reasons_predicts_once_builds_features_once_and_asks_the_ledger_once(workspace, monkeypatch):
    few = raw_portfolio(account_id=text(["a", "b"]), days_past_due=np.array([65, 200]), **CALLABLE)
    made = Counter()

    def count(owner, name):
        honest = getattr(owner, name)
        monkeypatch.setattr(owner, name, lambda *given, **named: made.update([name]) or honest(*given, **named))

    def score():
        with workspace.books.one_moment():
            plan, _ = workspace.books.plan("credit-card-desk")
            return workspace.scores.score(few, replace(plan, currency_code="USD"), None)

    score()
    count(boosted.BoostedPredictor, "raw")
    count(boosted.BoostedPredictor, "contributions")
    count(scorer_module, "build_features")
    count(Database, "read")
    count(Database, "first_row")
    scored = score()
    assert made == {"raw": 1, "contributions": 1, "build_features": 1, "first_row": 1}
    alone = workspace.serving.pin("").scorer.reasons(scored.valued.portfolio).rows()
    assert [reasons[: len(known)] for reasons, known in zip(scored.reasons.rows(), alone, strict=True)] == list(alone)
