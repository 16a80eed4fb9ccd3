"""Two plans that share a small book: the plan as it is and the challenger's, stored, started and ranked."""

import uuid
from dataclasses import replace

from collections_opt.application.rankings.command import RankingCommand
from collections_opt.core.desk.split import split_plan
from collections_opt.core.experiments.design import ArmKind, Scope
from collections_opt.core.problem.assignment import ignore_progress
from collections_opt.core.problem.constraints import RankingConstraints
from collections_opt.core.ranking.ordering import Ordering
from collections_opt.core.ranking.purpose import RankingPurpose
from tests.support.books.evidence_worlds import NOW, PLAN, opened, values
from tests.support.experiments.trials import design, owned, started

COUNT, SHARE = 1_600, 0.4
WHOLE = replace(PLAN, plan_id="whole", queues=tuple(replace(queue, agents=queue.agents * 6) for queue in PLAN.queues))
OURS, THEIRS = split_plan(WHOLE, round(SHARE * 1e9), "as-it-is", "challenger")
MADE = design(SHARE, arm=ArmKind.TWO_PLANS, scope=Scope(("p*",)), plan_id=OURS.plan_id, challenger_plan_id=THEIRS.plan_id)


def ranked(workspace, plan_id=OURS.plan_id, portfolio_id="p1", ordering=Ordering.EXPECTED_VALUE, purpose=None, reserve=0.0):
    """Rank a portfolio by a plan."""
    constraints = RankingConstraints((), None, reserve)
    command = RankingCommand(str(uuid.uuid4()), portfolio_id, plan_id, None, ordering, values(), "default", 7, constraints)
    return workspace.rank(replace(command, purpose=purpose), ignore_progress)


def by_balance(workspace, plan_id=OURS.plan_id, portfolio_id="p1"):
    """Rank a portfolio by balance, to be worked."""
    return ranked(workspace, plan_id, portfolio_id, Ordering.BALANCE, RankingPurpose.WORK)


def stored(folder, url="", clock=None, plans=(OURS, THEIRS)):
    """Open a ledger with a book and two plans."""
    made = opened(folder, url, now=clock or (lambda: NOW))
    for plan in plans:
        made.books.save_plan(plan, None)
    made.books.import_portfolio("p1", owned(COUNT))
    return made


def begun(folder, url="", clock=None):
    """Open such a ledger with the experiment started."""
    made = stored(folder, url, clock)
    started(made, "plans", MADE)
    return made


def of_both(workspace, records):
    """Return the entries of rankings."""
    return [workspace.recorded.entries(record) for record in records]
