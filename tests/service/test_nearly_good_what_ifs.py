"""Nearly good placements and what-ifs over a real ranking are answered or refused with a reason."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collections_opt.api.v1 import capacity_evaluation_pb2 as pb
from collections_opt.application.settings import bundled_plan
from collections_opt.wire.plans import write_plan
from tests.support.serving.calls import account, place_request
from tests.support.serving.requests.messages import messages
from tests.support.serving.requests.what_ifs import CALLS, basis, changes
from tests.support.serving.sending import METHODS, SLOW, merged, over, send


def opened(odd):
    queue = merged(write_plan(bundled_plan()).queues[0], odd)
    queue.queue_id = "odd"
    return changes(pb.QueueChange(queue_id="odd", opened=queue))


def nearly_good(ranking):
    change = pb.QueueChange(queue_id=CALLS, agent_count=7)
    evaluation = pb.EvaluateCapacityRequest(basis=basis(ranking), changes=changes(change))
    curves = pb.GetCapacityCurvesRequest(basis=basis(ranking), factors=[0.5], queue_ids=[CALLS])
    queue = write_plan(bundled_plan()).queues[0].DESCRIPTOR
    return {
        "PlaceAccounts": over(place_request(ranking, account("a"))),
        "PlaceAccounts-account": over(account("a")).map(lambda odd: place_request(ranking, odd)),
        "EvaluateCapacity": over(evaluation),
        "EvaluateCapacity-change": over(change).map(
            lambda odd: pb.EvaluateCapacityRequest(basis=basis(ranking), changes=changes(odd))
        ),
        "EvaluateCapacity-opened": messages(queue).map(
            lambda odd: pb.EvaluateCapacityRequest(basis=basis(ranking), changes=opened(odd))
        ),
        "GetCapacityCurves": over(curves),
    }


NAMES = [
    "PlaceAccounts",
    "PlaceAccounts-account",
    "EvaluateCapacity",
    "EvaluateCapacity-change",
    "EvaluateCapacity-opened",
    "GetCapacityCurves",
]


@pytest.mark.parametrize("name", NAMES)
def test_nearly_good_messages_are_answered_or_refused_with_a_reason(client, ranking, name):
    method = next(m for m in METHODS if m.name == name.partition("-")[0])
    seen = set()

    @settings(max_examples=60, deadline=None, database=None, suppress_health_check=SLOW)
    @given(st.data())
    def fuzz(data):
        seen.add(send(client, method, data.draw(nearly_good(ranking)[name])))

    fuzz()
    assert None in seen
