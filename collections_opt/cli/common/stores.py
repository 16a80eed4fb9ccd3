"""Where a ledger is, as operators' commands are told: the data folder, or database, objects, keys and checkpoints by name.

URLs may hold passwords. The arguments of a process are shown to everyone on its machine, so a URL with a password is taken from a
file or from the environment alone, and no refusal repeats it.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from urllib.parse import urlparse

import typer

from collections_opt.cli.common.product import DataOption, require_ledger
from collections_opt.core.errors import Reason, refuse

if TYPE_CHECKING:
    from collections_opt.application.records.opening import Whereabouts

DATABASE_VARIABLE, OBJECTS_VARIABLE = "COLLECTIONS_OPT_DATABASE_URL", "COLLECTIONS_OPT_OBJECTS_URL"


@dataclass(frozen=True)
class Stores:
    """Where the parts of a ledger are; ``run`` turns the fields into options of a command that takes one first."""

    data: DataOption = Path("var/demo")
    database_url: Annotated[
        str, typer.Option(help=f"SQLAlchemy URL of the ledger, without password; or set {DATABASE_VARIABLE}. Default: in --data.")
    ] = ""
    database_url_file: Annotated[Path | None, typer.Option(help="File that holds that URL, with its password.")] = None
    objects_url: Annotated[
        str,
        typer.Option(
            help=f"Folder or pyarrow URL of the objects, without secret; or set {OBJECTS_VARIABLE}. Default: in --data."
        ),
    ] = ""
    objects_url_file: Annotated[Path | None, typer.Option(help="File that holds that URL, with its secret.")] = None
    keys: Annotated[Path | None, typer.Option(help="Folder of the keys; default in the data folder.")] = None
    checkpoints_at: Annotated[
        list[str] | None, typer.Option(help="Folder or URL that gets a copy of every checkpoint; may be repeated.")
    ] = None

    def whereabouts(self, may_make: bool = False) -> Whereabouts:
        """Return where everything is.

        Args:
            may_make: whether the command may make a data folder that is not there; elsewhere it was misspelt.

        Raises:
            CollectionsError: as ``secret_url`` and ``require_ledger``.
        """
        # Imported here: commands that ask a remote server start without database and models.
        from collections_opt.application.records.opening import Whereabouts  # noqa: PLC0415

        database = secret_url("database_url", self.database_url, self.database_url_file, DATABASE_VARIABLE)
        objects = secret_url("objects_url", self.objects_url, self.objects_url_file, OBJECTS_VARIABLE)
        if not database and not may_make:
            require_ledger(self.data)
        return Whereabouts(self.data, database, objects, self.keys, tuple(self.checkpoints_at or ()))


def secret_url(field: str, given: str, file: Path | None, variable: str) -> str:
    """Return a URL from its option, from a file, or from the environment, in this order; empty where none gives one.

    Raises:
        CollectionsError: INVALID_ARGUMENT for an option that holds a password, for two that are given, or an unreadable file.
    """
    if given and file is not None:
        raise refuse(Reason.INVALID_ARGUMENT, field, "is given twice, as an option and as a file.", "Leave one of them out.")
    if given:
        if urlparse(given).password:
            remedy = f"Give the URL in a file with --{field.replace('_', '-')}-file, or set {variable}."
            raise refuse(Reason.INVALID_ARGUMENT, field, "holds a password, which everyone on this machine could read.", remedy)
        return given
    if file is None:
        return os.environ.get(variable, "").strip()
    try:
        return file.read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        cause = getattr(error, "strerror", None) or "is not text"
        raise refuse(Reason.INVALID_ARGUMENT, f"{field}_file", f"{file} cannot be read: {cause}.", "Check the file.") from error
