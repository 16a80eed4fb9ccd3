"""Lists by what their caller asks for: filtered and ordered by fields of the messages that they hold."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from datetime import date
from functools import reduce
from typing import Any, Protocol, TypeVar

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp
from google.type.date_pb2 import Date

from collections_opt.core.errors import CollectionsError, Reason, refuse
from collections_opt.core.listing import Order, Place, Term
from collections_opt.service.servicers.lists.filtering import DAY, NUMBER, TEXT, TRUTH, Kind, one_of, read_filter, read_order
from collections_opt.service.servicers.lists.paging import Page, read_page
from collections_opt.wire.common import enum_names

Listed = TypeVar("Listed", bound=Message)
_LAST_NUMBER = 2**63
_WITHIN_STATE = {"version": ("state", "version"), "create_time": ("state", "create_time")}


class _Listing(Protocol):
    @property
    def filter(self) -> str: ...
    @property
    def order_by(self) -> str: ...
    @property
    def page_size(self) -> int: ...
    @property
    def page_token(self) -> str: ...


def read_place(page: Page[str], kinds: tuple[type, type]) -> Place | None:
    """Return the place after which a page starts, None for the first.

    Args:
        page: asked for.
        kinds: types of the value that the list is ordered by and of what tells rows apart.

    Raises:
        CollectionsError: PAGE_TOKEN_INVALID for a place of another list.
    """
    if not page.after:
        return None
    try:
        value, tie = json.loads(page.after)
    except (ValueError, TypeError, RecursionError):
        value, tie = None, None
    if (type(value), type(tie)) != kinds or not all(map(_is_place, (value, tie))):
        raise _token_of_another()
    return value, tie


def write_place(place: Place) -> str:
    """Return a place as pages hold it."""
    return json.dumps(place)


class Listing:
    """Filters and orders lists of one kind of message that fit into memory.

    Args:
        message: what is listed.
        names: fields by which it is filtered and ordered; of what people approve, version and create_time stand in its ``state``.
        key: the field that tells items of one list apart.
    """

    def __init__(self, message: Descriptor, names: Sequence[str], key: str) -> None:
        self._paths = {name: self._path(message, name) for name in (*names, key)}
        self._names = tuple(names)
        self._kinds = {name: kind for name in names if (kind := _kind(self._paths[name][-1])) is not None}
        self._key = key

    def page(
        self,
        request: _Listing,
        scope: str,
        plainly: Callable[[], tuple[Sequence[Listed], str]],
        every: Callable[[], Iterable[Listed]],
    ) -> tuple[Sequence[Listed], str]:
        """Return a page of a list and the token of the next.

        Args:
            request: what is asked for.
            scope: what page tokens call the list.
            plainly: returns the page where neither a filter nor an order is asked for.
            every: returns the whole list in its own order.

        Raises:
            CollectionsError: as ``read_filter``, ``read_order`` and ``read_page``.
        """
        terms, order = read_filter(request.filter, self._kinds), read_order(request.order_by, self._names)
        if not (terms or order.name):
            return plainly()
        page = read_page(f"{scope}/{terms}/{order}", request.page_size, request.page_token, "")
        found = self._ordered([each for each in every() if self._meets(each, terms)], order)
        keys = [str(self._value(each, self._key)) for each in found]
        if page.after and page.after not in keys:
            raise _token_of_another()
        start = keys.index(page.after) + 1 if page.after else 0
        shown, more = page.cut(found[start : start + page.size + 1])
        return shown, page.next_token(keys[start + len(shown) - 1]) if more else ""

    def _meets(self, item: Message, terms: Sequence[Term]) -> bool:
        values = [(term, self._value(item, term.name)) for term in terms]
        return all(value is not None and term.holds(value) for term, value in values)

    def _ordered(self, items: list[Listed], order: Order) -> list[Listed]:
        if not order.name:
            return items
        valued = [(self._value(item, order.name), item) for item in items]
        return [item for _, item in sorted(valued, key=lambda pair: _size(pair[0]), reverse=order.descending)]

    def _value(self, item: Message, name: str) -> Any:
        *outer, field = self._paths[name]
        return _plain(reduce(lambda message, each: getattr(message, each.name), outer, item), field)

    @staticmethod
    def _path(message: Descriptor, name: str) -> list[FieldDescriptor]:
        path: list[FieldDescriptor] = []
        for part in (name,) if name in message.fields_by_name else _WITHIN_STATE[name]:
            path.append((path[-1].message_type or message if path else message).fields_by_name[part])
        return path


def _plain(message: Any, field: FieldDescriptor) -> Any:
    value = getattr(message, field.name)
    if field.enum_type is not None:
        return enum_names(field.enum_type).get(value, "")
    if isinstance(value, Date):
        return date(value.year, value.month, value.day) if value.year else None
    if isinstance(value, Timestamp):
        return value.ToNanoseconds()
    return value


def _kind(field: FieldDescriptor) -> Kind | None:
    if field.enum_type is not None:
        return one_of(enum_names(field.enum_type).values())
    if field.message_type is not None:
        return DAY if field.message_type.full_name == Date.DESCRIPTOR.full_name else None
    return {field.TYPE_STRING: TEXT, field.TYPE_BOOL: TRUTH}.get(field.type, NUMBER)


def _size(value: Any) -> tuple[bool, Any]:
    return (value is not None, value) if value is not None else (False, 0)


def _is_place(value: Any) -> bool:
    return "\0" not in value if isinstance(value, str) else abs(value) < _LAST_NUMBER


def _token_of_another() -> CollectionsError:
    told = "was not issued for this call."
    return refuse(Reason.PAGE_TOKEN_INVALID, "page_token", told, "Start from the first page, without a token.")
