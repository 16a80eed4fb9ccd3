"""A server over a workspace of its own for each file of tests, with a book and a ranking of it where they are asked for."""

from __future__ import annotations

from contextlib import closing

import pytest

from collections_opt.application.workspace import open_workspace
from tests.support.serving.calls import MODELS, NOW, WAIT, calling, columns, import_requests, made


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """Return the data folder of the server."""
    return tmp_path_factory.mktemp("data")


@pytest.fixture(scope="module")
def client(data):
    """Serve an empty workspace of the shipped models."""
    with closing(open_workspace(data, MODELS, lambda: NOW)) as workspace, calling(workspace) as stubs:
        yield stubs


@pytest.fixture(scope="module")
def book(client):
    """Import a book of which one row is refused."""
    return client.portfolios.ImportPortfolio(import_requests("book", columns()), timeout=WAIT).portfolio


@pytest.fixture(scope="module")
def ranking(client, book):
    """Rank the book."""
    return made(client)
