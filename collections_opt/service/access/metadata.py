"""What came with a call beside its message: single values of its metadata, and the certificate of its connection."""

from __future__ import annotations

from collections_opt.core.errors import Reason, refuse
from collections_opt.service.access.call import CallFacts


def one_value(call: CallFacts, wanted: str) -> str:
    """Return the value of a key, empty where it is missing.

    Raises:
        CollectionsError: INVALID_ARGUMENT at the key when it is given more than once.
    """
    found = [value for key, value in call.invocation_metadata() or () if key == wanted]
    if len(found) > 1:
        raise refuse(Reason.INVALID_ARGUMENT, wanted, f"is given {len(found)} times.", "Give it once.")
    return str(found[0]) if found else ""


def names_of(call: CallFacts) -> tuple[str, ...]:
    """Return every name in a verified client certificate: its common name and its alternative names."""
    found = call.auth_context()
    keys = ("x509_common_name", "x509_subject_alternative_name")
    return tuple(bytes(name).decode("utf-8", "backslashreplace") for key in keys for name in found.get(key) or ())


def system_of(call: CallFacts) -> str:
    """Return the common name that grpc read from a client certificate it has verified; empty without one."""
    names = call.auth_context().get("x509_common_name") or ()
    name = bytes(next(iter(names), b"")).decode("utf-8", "backslashreplace")
    return name if name.isprintable() else name.encode("unicode_escape").decode()
