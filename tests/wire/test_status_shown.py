"""What a refusal quotes was chosen by a caller: it is shown and never acts."""

import pytest
from google.rpc import error_details_pb2

from collections_opt.core.errors import Reason, refuse
from collections_opt.wire import status
from collections_opt.wire.status import MAX_TEXT_CHARACTERS, to_call_status, to_status

ACTING = ("\x1b]0;owned\x07", "a\u202egnp.exe", "\u2028", "a\0b", "\ufeff")


def texts_of(refusal):
    found, request = to_status(refusal), error_details_pb2.BadRequest()
    found.details[1].Unpack(request)
    told = [part for one in request.field_violations for part in (one.field, one.description)]
    return [found.message, to_call_status(refusal).details, *told]


@pytest.mark.parametrize("text", ACTING, ids=ascii)
def test_no_text_of_a_refusal_acts(text):
    refusal = refuse(Reason.NOT_FOUND, f"labels.{text}", f"{text} does not exist.", f"Say something else than {text}.", text)
    assert all(told.isprintable() for told in texts_of(refusal))


def test_a_long_text_is_cut_as_it_is_shown():
    refusal = refuse(Reason.NOT_FOUND, "id", "\x1b" * 10_000, "Less.")
    assert max(map(len, texts_of(refusal)[2:])) <= 2 * MAX_TEXT_CHARACTERS + len(" Remedy: ")


def test_a_text_that_acts_would_be_noticed(monkeypatch):
    """The planted bug."""
    monkeypatch.setattr(status, "visible", lambda text: text)
    assert not all(told.isprintable() for told in texts_of(refuse(Reason.NOT_FOUND, "id", "\x1b[2J", "Less.")))
