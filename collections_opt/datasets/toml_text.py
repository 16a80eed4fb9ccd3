"""Settings as TOML text that ``settings_files`` reads as the same."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import MISSING, Field, fields, is_dataclass
from datetime import date, time
from enum import Enum
from typing import Any


def said_fields(item: Any) -> list[tuple[str, Any]]:
    """Return the fields of a dataclass that are not at their default, in order."""
    return [(f.name, value) for f in fields(item) if (value := getattr(item, f.name)) != _default(f)]


def toml_value(value: Any) -> str:
    """Return a value as TOML; texts are written as JSON writes them, which TOML reads alike."""
    if isinstance(value, tuple):
        return f"[{', '.join(map(toml_value, value))}]"
    if is_dataclass(value):
        return f"{{ {', '.join(f'{name} = {toml_value(part)}' for name, part in said_fields(value))} }}"
    if isinstance(value, Mapping):
        return f"{{ {', '.join(f'{toml_value(key)} = {toml_value(part)}' for key, part in sorted(value.items()))} }}"
    if isinstance(value, time):
        return f'"{value:%H:%M}"'
    if isinstance(value, date):
        return value.isoformat()
    text: object = value.value if isinstance(value, Enum) else value
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def _default(field: Field[Any]) -> object:
    return field.default if field.default_factory is MISSING else field.default_factory()
