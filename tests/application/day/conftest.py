"""A morning that is made once for each file of tests, and a copy of it for each test."""

from contextlib import closing

import pytest

from tests.support.day.day_worlds import Clock, copied_world, made_world


@pytest.fixture(scope="module")
def template(tmp_path_factory):
    """Return the folder of a ranked morning, and the ranking's id."""
    folder = tmp_path_factory.mktemp("day")
    return folder, made_world(folder)


@pytest.fixture
def world(template, tmp_path):
    """Yield a day, the ranking's id and the clock."""
    clock = Clock()
    with closing(copied_world(template[0], tmp_path / "world", clock)) as workspace:
        yield workspace.day, template[1], clock
