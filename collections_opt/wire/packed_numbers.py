"""Packed numbers of columns as numpy arrays and back, without a Python object per number.

A packed field stands on the wire as its tag, its length and its values: reals as eight bytes each, flags as one, whole numbers as
zigzag varints. Few numbers, and bytes that look otherwise, are read one by one.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from collections_opt.api.v1 import columns_pb2
from collections_opt.core.arrays import Array

FEW = 64
"""Numbers up to which reading them one by one costs less."""

Numbers = columns_pb2.Int64Column | columns_pb2.DoubleColumn | columns_pb2.BoolColumn | columns_pb2.HistoryColumn
Bytes = NDArray[np.uint8]

_LENGTH_DELIMITED = 2


def read_numbers(message: Numbers) -> Array:
    """Return the values of a column: int64, float64 or bool, in one dimension."""
    kind = type(message)
    dtype = {columns_pb2.DoubleColumn: np.float64, columns_pb2.BoolColumn: np.bool_}.get(kind, np.int64)
    count = len(message.values)
    if count > FEW:
        payload = _payload(message.SerializeToString(), message.DESCRIPTOR.fields_by_name["values"].number)
        found = _decoded(payload, count, dtype)
        if found is not None:
            return found
    return np.fromiter(message.values, dtype, count)


def write_numbers(message: Numbers, values: Array) -> None:
    """Set the values of a column, in one dimension: any whole numbers, floats or flags, as the column holds them."""
    message.SetInParent()
    if values.size <= FEW:
        message.values.extend(values.tolist())
        return
    if isinstance(message, columns_pb2.DoubleColumn):
        payload = np.ascontiguousarray(values, dtype="<f8").tobytes()
    elif isinstance(message, columns_pb2.BoolColumn):
        payload = values.astype(np.bool_).tobytes()
    else:
        payload = _varints(values.astype(np.int64)).tobytes()
    tag = (message.DESCRIPTOR.fields_by_name["values"].number << 3) | _LENGTH_DELIMITED
    message.MergeFromString(bytes([tag]) + _varint(len(payload)) + payload)


def _decoded(payload: Bytes, count: int, dtype: type[np.generic]) -> Array | None:
    """Return the values of a packed field; None where its bytes hold another number of them."""
    if dtype is np.float64:
        return payload.view("<f8").astype(np.float64) if payload.size == 8 * count else None
    if dtype is np.bool_:
        return payload.astype(np.bool_) if payload.size == count else None
    return _integers(payload, count)


def _payload(data: bytes, field: int) -> Bytes:
    """Return the bytes of the first length-delimited field of a number; numbers of other fields may stand before it."""
    at = 0
    while at < len(data):
        tag = data[at]
        number, at = _read_varint(data, at + 1)
        if tag & 7 == _LENGTH_DELIMITED:
            inside = np.frombuffer(data, dtype=np.uint8)[at : at + number]
            return inside.copy() if tag >> 3 == field and len(data) == at + number else inside[:0]
        if tag & 7:
            break
    return np.zeros(0, dtype=np.uint8)


def _read_varint(data: bytes, at: int) -> tuple[int, int]:
    """Return the number at a place and the place after it."""
    value = shift = 0
    while at < len(data) and data[at] & 0x80:
        value |= (data[at] & 0x7F) << shift
        at, shift = at + 1, shift + 7
    return value | ((data[at] if at < len(data) else 0) << shift), at + 1


def _varint(value: int) -> bytes:
    """Return a number as a varint."""
    parts = bytearray()
    while value >= 0x80:
        parts.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*parts, value])


def _integers(payload: Bytes, count: int) -> Array | None:
    """Return zigzag varints as int64 (count,); None where the bytes hold another number of them."""
    if payload.size == count:
        zigzag = payload.astype(np.uint64)
    else:
        ends = np.flatnonzero(payload < 0x80)
        if ends.size != count:
            return None
        starts = np.concatenate([[0], ends[:-1] + 1])
        length = ends - starts + 1
        zigzag = (payload[starts] & 0x7F).astype(np.uint64)
        for place in range(1, int(length.max())):
            rows = np.flatnonzero(length > place)
            zigzag[rows] |= (payload[starts[rows] + place] & 0x7F).astype(np.uint64) << np.uint64(7 * place)
    sign = (zigzag & np.uint64(1)).astype(np.int64)
    return (zigzag >> np.uint64(1)).astype(np.int64) ^ -sign


def _varints(values: NDArray[np.int64]) -> Bytes:
    """Return whole numbers as zigzag varints."""
    zigzag = ((values << 1) ^ (values >> 63)).view(np.uint64)
    most = int(zigzag.max())
    if most < 0x80:
        return zigzag.astype(np.uint8)
    places = -(-most.bit_length() // 7)
    rest: NDArray[np.unsignedinteger[Any]] = zigzag.astype(np.uint32) if most < 2**32 else zigzag
    parts, held = (np.empty((values.size, places), dtype=kind) for kind in (np.uint8, np.bool_))
    held[:, 0] = True
    for place in range(places):
        low = rest.astype(np.uint8) & np.uint8(0x7F)
        rest = rest >> rest.dtype.type(7)
        more = rest != 0
        parts[:, place] = low | (more.view(np.uint8) << np.uint8(7))
        held[:, place + 1 : place + 2] = more[:, np.newaxis]
    return np.asarray(parts[held], dtype=np.uint8)
