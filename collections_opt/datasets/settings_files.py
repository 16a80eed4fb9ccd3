"""Settings from TOML files: one generic reader, strict about names and types, with errors that say where and what to do."""

from __future__ import annotations

import json
import tomllib
from datetime import date, datetime, time
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError

from collections_opt.core.errors import CollectionsError, FieldViolation, Reason, refuse

T = TypeVar("T")

_REMEDIES = {
    "missing": "Add it.",
    "unexpected_keyword_argument": "Remove it or correct its spelling.",
    "extra_forbidden": "Remove it or correct its spelling.",
    "enum": "Use one of the values listed.",
}


@cache
def reader_of(kind: type[Any]) -> TypeAdapter[Any]:
    """Return the reader of a dataclass; making one costs more than a scoring call of one account."""
    return TypeAdapter(kind)


def read_settings(path: Path, settings_type: type[T]) -> T:
    """Return a TOML file as a (frozen) dataclass of the core; unknown keys and retyped values are refused.

    Raises:
        CollectionsError: NOT_FOUND when the file cannot be read; INVALID_ARGUMENT with every field at fault, each naming the
            file, the path in it and the remedy.
    """
    try:
        text = path.read_text("utf-8")
    except OSError as error:
        raise refuse(
            Reason.NOT_FOUND, path.name, f"cannot be read: {error.strerror}.", "Name an existing settings file."
        ) from error
    except UnicodeDecodeError as error:
        raise refuse(Reason.INVALID_ARGUMENT, path.name, "is not UTF-8 text.", "Save it as UTF-8.") from error
    return parse_settings(text, settings_type, path.name)


def parse_settings(text: str, settings_type: type[T], file_name: str) -> T:
    """Return TOML text as a dataclass; as ``read_settings``, for text that is already at hand."""
    try:
        content = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise refuse(Reason.INVALID_ARGUMENT, file_name, f"is not TOML: {error}.", "Correct the line named.") from error
    # Through JSON, because strict JSON reads dates, enums and tuples from their text forms and still refuses "5" for 5.
    as_json = json.dumps(content, default=_plain)
    try:
        read: T = reader_of(settings_type).validate_json(as_json, strict=True, extra="forbid")  # type: ignore[arg-type]
    except ValidationError as error:
        violations = tuple(_violation(file_name, dict(detail)) for detail in error.errors(include_url=False))
        message = f"{file_name} has {len(violations)} field(s) at fault."
        raise CollectionsError(Reason.INVALID_ARGUMENT, message, violations) from error
    return read


def read_bundled_settings(name: str, settings_type: type[T]) -> T:
    """Return a settings file shipped with the package, such as ``settings/rules.toml`` or ``mappings/credit_card.toml``.

    Raises:
        CollectionsError: as ``read_settings``.
    """
    with resources.as_file(resources.files("collections_opt.datasets").joinpath("bundled").joinpath(name)) as path:
        return read_settings(path, settings_type)


def _plain(value: object) -> str:
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    raise TypeError(f"TOML holds no {type(value).__name__}")


def _violation(file_name: str, detail: dict[str, Any]) -> FieldViolation:
    path = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in detail["loc"]).lstrip(".")
    remedy = _REMEDIES.get(str(detail["type"]), "Correct the value or its type.")
    return FieldViolation(f"{file_name}: {path}", f"{detail['msg']}.", remedy)
