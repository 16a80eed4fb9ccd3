"""A workspace in which models of every kind can serve, the folder of its models, and its clock."""

import pytest

from tests.support.books.evidence_worlds import NOW
from tests.support.models.served import world_of_models


@pytest.fixture
def clock():
    return [NOW]


@pytest.fixture
def world(tmp_path, clock):
    with world_of_models(tmp_path, clock) as made:
        yield made


@pytest.fixture
def workspace(world):
    return world[0]


@pytest.fixture
def models(world):
    return world[1]
