"""What the log tells of an unexpected error: kind and place, and nothing of what was being worked on."""

from __future__ import annotations

import io
import traceback
from pathlib import Path

import pytest
import structlog

from collections_opt.application.logs import MAX_VALUE_CHARACTERS, write_logs_to
from collections_opt.core.errors import CollectionsError, Reason
from collections_opt.core.incidents import MAX_ERRORS, MAX_FRAMES, trace_of
from collections_opt.service.server.guard import Guard

BORROWER = "Jo Doe, 12 Elm Street"
HOSTILE = {"[/red]x": "[/red]x", "\x1b[31mred": "\\x1b[31mred", "a\u202eb": "a\\u202eb", "two\nlines": "two\\nlines"}


@pytest.fixture
def log():
    before = structlog.get_config()
    stream = io.StringIO()
    write_logs_to(stream)
    yield stream
    structlog.configure(**before)


def fail_with_data():
    accounts = [BORROWER] * 100_000
    try:
        {}[accounts[0]]  # the message of a KeyError is the key
    except KeyError as error:
        raise ValueError(f"cannot read {accounts}") from error


def unexpected():
    try:
        fail_with_data()
    except ValueError as error:
        return error


def refused():
    return Guard(new_incident_id=lambda: "incident-7").refusal("Service.Method", unexpected())


def test_an_unexpected_error_is_told_by_kind_and_place_and_never_by_what_was_in_it(log):
    assert refused().reason is Reason.INTERNAL
    text = log.getvalue()
    assert "Jo Doe" not in text
    assert len(text) < 2_000
    assert "incident-7" in text.splitlines()[0]
    assert "ValueError" in text
    assert "KeyError" in text
    assert "test_logs.py" in text
    assert "in fail_with_data" in text


def test_a_log_with_messages_would_be_noticed(log, monkeypatch):
    """The planted bug: what Python itself tells of an error."""
    told = "".join(traceback.format_exception(unexpected()))
    monkeypatch.setattr("collections_opt.service.server.guard.trace_of", lambda _: told)
    refused()
    assert "Jo Doe" in log.getvalue()


def test_long_chains_and_deep_calls_are_told_in_part():
    def deep(count):
        if not count:
            raise CollectionsError(Reason.NOT_FOUND, BORROWER)
        deep(count - 1)

    chain = None
    for _ in range(2 * MAX_ERRORS):
        try:
            try:
                deep(3 * MAX_FRAMES)
            except CollectionsError as error:
                raise error from chain
        except CollectionsError as error:
            chain = error
    lines = trace_of(chain).splitlines()
    assert len(lines) <= MAX_ERRORS * (1 + MAX_FRAMES)
    assert "CollectionsError: NOT_FOUND" in lines
    assert BORROWER not in "".join(lines)


def test_what_the_operating_system_says_is_told_without_names():
    with pytest.raises(OSError, match="Jo Doe") as caught:
        Path("/nowhere/Jo Doe.csv").read_bytes()
    assert trace_of(caught.value).startswith("FileNotFoundError: No such file or directory\n")
    assert "Jo Doe" not in trace_of(caught.value)


@pytest.mark.parametrize(("text", "shown"), HOSTILE.items())
def test_texts_of_people_do_not_act_on_a_terminal_that_shows_the_log(log, text, shown):
    structlog.get_logger().warning("event", portfolio_id=text, why="x" * 10_000)
    assert shown in log.getvalue()
    assert len(log.getvalue()) < MAX_VALUE_CHARACTERS + 200
    assert log.getvalue().count("\n") == 1
