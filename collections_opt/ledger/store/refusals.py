"""What callers are told where a database or a disk fails: truthfully, and without a path or a password of the server."""

from __future__ import annotations

from sqlalchemy.exc import DatabaseError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from collections_opt.core.errors import CollectionsError, Reason, refuse

_HELD = (
    "database is locked",
    "database table is locked",
    "lock timeout",
    "too many clients",
    "too many connections",
    "remaining connection slots",
)
"""What SQLite and PostgreSQL say where others hold the database, or all its connections."""
_READ_ONLY, _DAMAGED = ("25006",), ("malformed", "not a database")
"""SQLSTATE of PostgreSQL where nothing may be written, as after a failover; what SQLite says of a file that was spoiled. Neither
is an error of operation to the libraries."""


def failed_storage(error: BaseException) -> bool:
    """Return whether the database or its disk failed, rather than a statement of ours."""
    if isinstance(error, OperationalError):
        return True
    if not isinstance(error, DatabaseError):
        return False
    return getattr(error.orig, "sqlstate", None) in _READ_ONLY or any(sign in str(error.orig) for sign in _DAMAGED)


def unwritable(field: str, error: Exception) -> CollectionsError:
    """Return the refusal of a write that the disk or the server did not take; nothing of it was kept."""
    return refuse(
        Reason.STORAGE_UNAVAILABLE,
        field,
        f"cannot be written ({_cause(error)}); nothing was kept.",
        "Free space or restore the storage, then retry with the same request id.",
    )


def unreadable(error: Exception) -> CollectionsError:
    """Return the refusal of a read that the disk or the server failed."""
    return refuse(
        Reason.STORAGE_UNAVAILABLE, "database", f"cannot be read ({_cause(error)}).", "Retry, and check the database's log."
    )


def _cause(error: Exception) -> str:
    if isinstance(error, OSError) and error.strerror:
        return error.strerror  # without the path, which is the server's business
    return str(getattr(error, "orig", None) or error).splitlines()[0]


def unreachable(error: Exception) -> CollectionsError:
    """Return the refusal of a call for which the database has no turn, or which cannot reach it at all.

    Only where others hold it is trying again later all that is needed; that is told apart from a server that is gone, a name that
    does not exist, a password that is wrong.
    """
    cause = _cause(error)
    if isinstance(error, PoolTimeout) or any(sign in cause for sign in _HELD):
        return refuse(Reason.OVERLOADED, "database", "is held by others.", "Retry later with the same request id.")
    return refuse(
        Reason.STORAGE_UNAVAILABLE,
        "database",
        f"cannot be reached ({cause}).",
        "Check that it runs and that its URL is right, then retry with the same request id.",
    )
