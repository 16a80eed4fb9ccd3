"""Run a command: its options, its refusals as sentences with an exit code, its end."""

from __future__ import annotations

import inspect
import os
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields
from typing import Any, NoReturn, get_args, get_type_hints

import typer

from collections_opt.cli import PROGRAM
from collections_opt.cli.common.console_options import ConsolePages, OpenIdSignIn
from collections_opt.cli.common.product import Product
from collections_opt.cli.common.stores import Stores
from collections_opt.cli.common.terminal import PlainConsole
from collections_opt.core.errors import CollectionsError, Reason, refuse

_SCRIPT = re.compile(r"python scripts/\w+\.py")

REFUSED = 2
"""Exit code of a refusal that the caller can act on."""

GROUPS = (Product, Stores, ConsolePages, OpenIdSignIn)
"""Options that several commands share."""


@dataclass(frozen=True)
class Prefix:
    """A word before the names of a group's options, where a command has others of the same name."""

    word: str


def run(command: Callable[..., Any]) -> None:
    """Run a typer command; a refusal prints what to do next and exits with ``REFUSED``.

    A parameter annotated with one of ``GROUPS`` becomes the options of its fields; ``Annotated[group, Prefix("console")]`` puts a
    word before their names.
    """
    app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
    app.command()(with_groups(_named_as_called(command)))
    with _left_at_once(), _refusals():
        app(prog_name=_called_as())


def run_commands(purpose: str, *commands: Callable[..., Any]) -> None:
    """Run one of several typer commands, named as their functions with hyphens; refusals and groups as in ``run``."""
    app = typer.Typer(help=purpose, no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
    for command in commands:
        name = command.__name__.removesuffix("_command").replace("_", "-")
        app.command(name)(with_groups(_named_as_called(command)))
    with _left_at_once(), _refusals():
        app(prog_name=_called_as())


def _called_as() -> str | None:
    """Return the program's name where it runs as a command of ``collections-opt``."""
    return sys.argv[0] if sys.argv[0].startswith(f"{PROGRAM} ") else None


def _named_as_called(command: Callable[..., Any]) -> Callable[..., Any]:
    """Let the example in a command's help name the program that shows it."""
    if called := _called_as():
        command.__doc__ = _SCRIPT.sub(called, command.__doc__ or "")
    return command


@contextmanager
def _left_at_once() -> Iterator[None]:
    """End the process without tearing the interpreter down where a file was read with Arrow.

    Arrow's threads let go of Python's objects when they come to it. One that does so while the interpreter ends is stopped in the
    midst, which aborts the process after its work is done and told. Only a process that was started for the script is its to end.
    """
    try:
        yield
    except SystemExit as ended:
        code = 0 if ended.code is None else ended.code
        started_for_it = sys.argv[0] in sys.orig_argv or _called_as() is not None
        if not started_for_it or "pyarrow.csv" not in sys.modules or not isinstance(code, int):
            raise
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


@contextmanager
def _refusals() -> Iterator[None]:
    try:
        yield
    except CollectionsError as error:
        _tell(error)
    except OSError as error:
        if error.filename is None:
            raise
        _tell(
            refuse(
                Reason.STORAGE_UNAVAILABLE,
                str(error.filename)[:512],
                f"cannot be used: {(error.strerror or 'unknown').lower()}.",
                "Name another, or let this user read and write it.",
            )
        )


def _tell(error: CollectionsError) -> NoReturn:
    PlainConsole(stderr=True, highlight=False).print(f"{error.reason}: {error}", style="red")
    sys.exit(REFUSED)


def with_groups(command: Callable[..., Any]) -> Callable[..., Any]:
    """Return a command whose groups are options of its own."""
    hints = get_type_hints(command, include_extras=True)
    own = [p.replace(annotation=hints[p.name]) for p in inspect.signature(command).parameters.values()]
    groups = {p.name: found for p in own if (found := _group_of(p.annotation))}
    if not groups:
        return command
    kind = inspect.Parameter.KEYWORD_ONLY
    named = [p.replace(kind=kind) for p in own if p.name not in groups]
    taken = {p.name for p in named}  # a script's own option of the same name stays
    offered: dict[str, dict[str, inspect.Parameter]] = {}
    for name, (group, prefix) in groups.items():
        reached = get_type_hints(group, include_extras=True)
        offered[name] = {
            f.name: inspect.Parameter(prefix + f.name, kind, default=f.default, annotation=reached[f.name])
            for f in fields(group)
            if prefix + f.name not in taken
        }

    def expanded(**given: Any) -> Any:
        made = {
            name: groups[name][0](**{field: given.pop(p.name) for field, p in parts.items()}) for name, parts in offered.items()
        }
        return command(**made, **given)

    expanded.__name__, expanded.__doc__ = command.__name__, command.__doc__
    parameters = [*named, *(p for parts in offered.values() for p in parts.values())]
    expanded.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    expanded.__annotations__ = {p.name: p.annotation for p in parameters}
    return expanded


def _group_of(annotation: Any) -> tuple[Any, str] | None:
    """Return the group that a parameter is and what stands before its options; None for an option."""
    held, *told = get_args(annotation) or (annotation,)
    if held not in GROUPS:
        return None
    return held, "".join(f"{one.word}_" for one in told if isinstance(one, Prefix))
