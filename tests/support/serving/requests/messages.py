"""Hypothesis strategies that fill any message of the contract from its descriptor, near its limits on purpose."""

from __future__ import annotations

from google.protobuf.descriptor import FieldDescriptor as F
from google.protobuf.message_factory import GetMessageClass
from hypothesis import strategies as st

WORDS = [
    "",
    "a",
    "book",
    "credit-card-desk",
    "early-calls",
    "outcome",
    "TWD",
    "USD",
    "UTC",
    "Asia/Taipei",
    "CREDIT_CARD",
    "\0",
    "é",
    "../x",
    "x" * 200,
]
TEXT = st.one_of(st.sampled_from(WORDS), st.text(st.characters(exclude_categories=["Cs"]), max_size=6))
INT32 = st.one_of(st.integers(-2, 40), st.sampled_from([-(2**31), 2**31 - 1, 2026]))
INT64 = st.one_of(st.integers(-2, 10**7), st.sampled_from([-(2**63), 2**63 - 1]))
REALS = st.one_of(st.floats(), st.sampled_from([0.0, 0.5, 1.0, 480.0]))
SCALARS = {
    F.CPPTYPE_STRING: TEXT,
    F.CPPTYPE_INT32: INT32,
    F.CPPTYPE_INT64: INT64,
    F.CPPTYPE_DOUBLE: REALS,
    F.CPPTYPE_BOOL: st.booleans(),
    F.CPPTYPE_ENUM: st.integers(0, 6),
}


def messages(descriptor):
    """Return a strategy of messages of a descriptor, any field set or not."""
    kind = GetMessageClass(descriptor)
    fields = {field.name: _field(field) for field in descriptor.fields}
    return st.fixed_dictionaries({}, optional=fields).map(lambda given: _build(kind, given))


def _build(kind, given):
    ones = {}
    for name, value in given.items():
        one = kind.DESCRIPTOR.fields_by_name[name].containing_oneof
        ones[one.name if one else name] = (name, value)
    return kind(**dict(ones.values()))


def _field(field):
    if field.message_type and field.message_type.GetOptions().map_entry:
        parts = field.message_type.fields_by_name
        return st.dictionaries(_field(parts["key"]), _field(parts["value"]), max_size=2)
    if field.type == F.TYPE_BYTES:
        one = st.binary(max_size=3)
    else:
        one = st.deferred(lambda: messages(field.message_type)) if field.message_type else SCALARS[field.cpp_type]
    return st.lists(one, max_size=3) if field.is_repeated else one
