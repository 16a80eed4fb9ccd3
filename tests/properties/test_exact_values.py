"""What a ranking recorded is what was multiplied by money: values, objective and bound follow from the record alone."""

import numpy as np
from hypothesis import given, settings

from collections_opt.core.accounts.persons import persons_of
from collections_opt.core.problem.assignment import UNASSIGNED, AssignmentProblem
from collections_opt.core.ranking.pipeline import RankingRequest, rank
from collections_opt.core.value.effects import PlannedEffects
from collections_opt.core.value.outcomes import OutcomeProbabilities, from_nano
from collections_opt.core.value.payoffs import ValueParameters, payoffs
from collections_opt.core.value.valuation import value_matrix
from collections_opt.solvers import SOLVERS, lagrangian_bound
from tests.support.books.drawn import books, score_by
from tests.support.factories import admitted, flag_rules


def recomputed(ranking, desk):
    """Return the problem that follows from the recorded scores, untouched by the ones the model gave."""
    entries, portfolio = ranking.entries, ranking.portfolio
    nano = np.column_stack([entries.p_cure_nano, entries.p_default_nano, entries.p_stay_nano])
    outcomes = OutcomeProbabilities(from_nano(nano), "", "")
    worth = payoffs(portfolio, ValueParameters())
    matrix = value_matrix(outcomes, PlannedEffects(portfolio, desk), ranking.eligibility, desk, worth, ValueParameters())
    persons = None if desk.several_contacts_per_person else persons_of(portfolio)
    return AssignmentProblem(matrix.increment, matrix.seconds, desk.capacity_seconds, persons=persons)


@settings(max_examples=200, deadline=None)
@given(books())
def test_values_objective_and_bound_follow_from_the_recorded_scores(book):
    columns, desk, seed = book
    portfolio = admitted(**columns).portfolio
    ranking = rank(portfolio, RankingRequest(desk, flag_rules(), ValueParameters()), score_by(seed), SOLVERS["greedy"])
    problem = recomputed(ranking, desk)
    np.testing.assert_array_equal(problem.value, ranking.problem.value)
    worked = np.flatnonzero(ranking.entries.queue != UNASSIGNED)
    values = problem.value[worked, ranking.entries.queue[worked]]
    assert int(values.sum(dtype=np.int64)) == ranking.assignment.objective_minor
    assert lagrangian_bound(problem, ranking.assignment.prices) == ranking.assignment.bound_minor
