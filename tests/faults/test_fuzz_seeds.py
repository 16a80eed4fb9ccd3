"""Inputs that the fuzzer kept, at every method as a worker runs it: none ends in anything but an answer or a refusal."""

import pytest

from collections_opt.service.server import handlers
from harness.fuzzing import world as fuzzed
from harness.fuzzing.plants import malformed_bytes_escape
from harness.fuzzing.world import kept_inputs, written


@pytest.fixture(scope="module")
def made():
    with fuzzed.world() as found:
        yield found


def test_every_kept_input_is_answered_or_refused(made):
    inputs = kept_inputs(made)[3::4]  # all of them: make fuzz-bytes
    assert len(inputs) > 50
    assert {made.run(one) for one in inputs} > {"", "MALFORMED_MESSAGE", "INVALID_ARGUMENT"}


def test_inputs_reach_every_method_and_read_back(made):
    assert {made.read(one)[0].name for one in made.good} == {method.name for method in made.methods}
    streamed = next(at for at, method in enumerate(made.methods) if method.request_streams)
    assert made.read(written(streamed, [b"one", b"", b"three"])) == (made.methods[streamed], [b"one", b"", b"three"])
    assert made.read(b"")[1] == [b""]


def test_bytes_that_nobody_understands_would_be_noticed(made, monkeypatch):
    """The planted bug of the fuzzer, found by an input of one byte."""
    monkeypatch.setattr(handlers, "parse", handlers.parse)
    malformed_bytes_escape()
    with pytest.raises(Exception, match="parsing"):
        made.run(written(0, [b"\x07"]))
