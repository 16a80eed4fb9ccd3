"""Settings files and JSON payloads read into the core's dataclasses, with errors that name the path."""

from __future__ import annotations

import json
from dataclasses import MISSING, Field, fields, is_dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError

from collections_opt.core.desk.queues import CapacityPlan
from collections_opt.core.errors import CollectionsError, FieldViolation, Reason
from collections_opt.core.ranking.policy import PolicyRates
from collections_opt.core.rules.eligibility import RuleTable
from collections_opt.core.value.payoffs import ValueParameters, check_parameters
from collections_opt.datasets.settings_files import read_bundled_settings, read_settings, reader_of

T = TypeVar("T")


def parse(content: object, kind: type[T]) -> T:
    """Return plain content as a core dataclass.

    Raises:
        CollectionsError: INVALID_ARGUMENT with the path of every field at fault.
    """
    adapter: TypeAdapter[T] = reader_of(kind)  # type: ignore[arg-type]
    try:
        return adapter.validate_python(content)
    except ValidationError as error:
        found = tuple(
            FieldViolation(".".join(map(str, e["loc"])) or kind.__name__, e["msg"], "Correct the value.") for e in error.errors()
        )
        raise CollectionsError(Reason.INVALID_ARGUMENT, f"{kind.__name__} has {len(found)} field(s) at fault.", found) from error


def dump(value: object) -> str:
    """Return a core dataclass as sorted JSON; without fields marked ``OMITTED_AT_DEFAULT`` that are at their default."""
    plain = reader_of(type(value)).dump_python(value, mode="json")  # type: ignore[arg-type]
    return json.dumps(_said(value, plain), sort_keys=True, ensure_ascii=False)


def _said(value: object, plain: Any) -> Any:
    """Return the plain form of a value without what it omits."""
    if is_dataclass(value) and not isinstance(value, type):
        kept = [f for f in fields(value) if not (f.metadata.get("omitted_at_default") and getattr(value, f.name) == _default(f))]
        return {f.name: _said(getattr(value, f.name), plain[f.name]) for f in kept}
    if isinstance(value, (tuple, list)):
        return [_said(item, part) for item, part in zip(value, plain, strict=True)]
    return plain


def _default(field: Field[Any]) -> object:
    return field.default if field.default_factory is MISSING else field.default_factory()


def load(text: str, kind: type[T]) -> T:
    """Return the core dataclass of its JSON."""
    return parse(json.loads(text), kind)


def _bundled(name: str, kind: type[T]) -> T:
    return read_bundled_settings(f"settings/{name}", kind)


@cache
def bundled_rules() -> RuleTable:
    """Return the shipped eligibility rules."""
    return _bundled("rules.toml", RuleTable)


@cache
def bundled_parameters() -> ValueParameters:
    """Return the shipped value parameters."""
    return _bundled("value_parameters.toml", ValueParameters)


def read_parameters(path: Path) -> ValueParameters:
    """Return value parameters of a TOML file, under the condition that a better outcome is worth at least as much as a worse.

    Raises:
        CollectionsError: INVALID_ARGUMENT when the file cannot be read, or with every field at fault, naming product and bucket.
    """
    parameters = replace(read_settings(path, ValueParameters), in_order=True)
    check_parameters(parameters)
    return parameters


@cache
def bundled_plan() -> CapacityPlan:
    """Return the shipped capacity plan."""
    return _bundled("capacity_plan.toml", CapacityPlan)


@cache
def bundled_policy_rates() -> PolicyRates:
    """Return the shipped rates that stand in when no model may serve."""
    return _bundled("policy_rates.toml", PolicyRates)
