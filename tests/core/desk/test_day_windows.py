"""Windows of queues: in order, apart, in whole minutes, in a zone that is one."""

from datetime import time

import pytest

from collections_opt.core.desk.day_windows import DayWindow
from collections_opt.core.desk.plan_checks import check_plan
from collections_opt.core.errors import CollectionsError
from tests.support.factories import plan, queue

EARLY, LATE = DayWindow(time(8), time(12)), DayWindow(time(13), time(0))


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"windows": (LATE, EARLY)}, "windows[1]"),
        ({"windows": (EARLY, DayWindow(time(11), time(13)))}, "windows[1]"),
        ({"windows": (DayWindow(time(9), time(9)),)}, "windows[0]"),
        ({"windows": (DayWindow(time(9), time(9, 0, 1)),)}, "windows[0]"),
        ({"windows": (EARLY,) * 25}, "windows"),
        ({"windows": (EARLY,), "time_zone": "EST5"}, "time_zone"),
        ({"time_zone": "America/New_York"}, "time_zone"),
    ],
)
def test_windows_that_are_none_are_refused_by_the_plan(changes, field):
    with pytest.raises(CollectionsError) as caught:
        check_plan(plan(queue("q", **changes)))
    assert [violation.field for violation in caught.value.violations] == [f"queues[0].{field}"]
    check_plan(plan(queue("q", windows=(EARLY, LATE), time_zone="America/New_York")))
