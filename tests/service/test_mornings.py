"""Two mornings of one book over a real server: counted, paged, and the same as the exports say."""

from __future__ import annotations

import uuid
from datetime import timedelta

import numpy as np
import pytest

from collections_opt.api.v1 import morning_pb2 as pb
from collections_opt.application.answers import mornings
from collections_opt.wire.columns import Columns
from collections_opt.wire.common import write_date
from tests.support.serving.calls import AS_OF, WAIT, columns, fields_of, import_requests, made, refused


@pytest.fixture(scope="module")
def next_morning(client, ranking):
    """Rank the book of the next day: everybody a day older, one account gone, one that paid half."""
    table = columns()
    values = {**table.values, "days_past_due": table.values["days_past_due"] + 1}
    values["balance_minor"] = np.where(values["account_id"] == "acc-00007", values["balance_minor"] // 2, values["balance_minor"])
    kept = values["account_id"] != "acc-00011"
    later = Columns(int(kept.sum()), {k: v[kept] for k, v in values.items()}, {k: v[kept] for k, v in table.present.items()})
    day = write_date(AS_OF + timedelta(days=1))
    client.portfolios.ImportPortfolio(import_requests("next", later, as_of_date=day), timeout=WAIT)
    return made(client, request_id=str(uuid.UUID(int=8, version=4)), portfolio_id="next")


def test_the_next_morning_says_who_came_and_left_and_what_differed(client, ranking, next_morning):
    asked = pb.CompareMorningsRequest(
        before_ranking_id=ranking.ranking_id, after_ranking_id=next_morning.ranking_id, page_size=1_000
    )
    found = client.rankings.CompareMornings(asked, timeout=WAIT)
    by_id = {account.account_id: account for account in found.accounts}
    assert by_id["acc-00011"].change == pb.MORNING_CHANGE_GONE
    differing = {each.column: each.account_count for each in found.differences}
    assert (differing["balance_minor_units"], max(differing, key=differing.get)) == (1, "days_past_due")
    causes = {account.cause for account in found.accounts if account.account_id not in ("acc-00011", "acc-00007")}
    assert causes <= {pb.MORNING_CAUSE_AGED, pb.MORNING_CAUSE_UNSPECIFIED}
    gained = sum(each.increment_gained_minor_units for each in found.counts)
    assert gained == next_morning.quality.objective_minor_units - ranking.quality.objective_minor_units
    wrong = pb.CompareMorningsRequest(before_ranking_id=next_morning.ranking_id, after_ranking_id=ranking.ranking_id)
    assert fields_of(refused(client.rankings.CompareMornings, wrong)) == {"after_ranking_id"}


def test_a_morning_beside_itself_has_changed_nothing(client, ranking):
    asked = pb.CompareMorningsRequest(before_ranking_id=ranking.ranking_id, after_ranking_id=ranking.ranking_id)
    found = client.rankings.CompareMornings(asked, timeout=WAIT)
    assert [(c.change, c.cause) for c in found.counts] == [(pb.MORNING_CHANGE_SAME, pb.MORNING_CAUSE_UNSPECIFIED)]
    assert (list(found.accounts), list(found.differences), found.currency_code) == ([], [], ranking.inputs.currency_code)
    asked.changes.append(pb.MORNING_CHANGE_SAME)
    asked.page_size = 1
    told = []
    while True:
        page = client.rankings.CompareMornings(asked, timeout=WAIT)
        told += [account.account_id for account in page.accounts]
        if not page.next_page_token:
            break
        asked.page_token = page.next_page_token
    assert (len(told), told) == (found.counts[0].account_count, sorted(told))


def test_pages_of_one_comparison_compare_once(client, ranking, next_morning, monkeypatch):
    compared = []
    whole = mornings.compare_mornings
    monkeypatch.setattr(mornings, "compare_mornings", lambda *both: compared.append(1) or whole(*both))
    same = {"before_ranking_id": next_morning.ranking_id, "after_ranking_id": next_morning.ranking_id}
    asked = pb.CompareMorningsRequest(**same, changes=[pb.MORNING_CHANGE_SAME], page_size=50)
    pages = 0
    while asked.page_token or not pages:
        asked.page_token, pages = client.rankings.CompareMornings(asked, timeout=WAIT).next_page_token, pages + 1
    assert (pages > 1, len(compared)) == (True, 1)
