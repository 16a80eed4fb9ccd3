"""The ids, codes and texts of a capacity plan."""

from __future__ import annotations

import re
from collections.abc import Iterator

from collections_opt.core.accounts.schema import BLOCK_FLAGS
from collections_opt.core.codes.iso_639 import LANGUAGES
from collections_opt.core.codes.languages import languages_near, read_language
from collections_opt.core.desk.queues import CapacityPlan, Queue
from collections_opt.core.errors import FieldViolation
from collections_opt.core.names import id_violation, label_violations, list_violations, text_violation

BUCKETS = range(7)
_STATE = re.compile(r"[A-Z]{2}(-[A-Z0-9]{1,3})?")


def text_violations(plan: CapacityPlan) -> Iterator[FieldViolation]:
    """Yield every id, code and text of a plan that is at fault."""
    yield from label_violations("labels", plan.labels)
    for index, queue in enumerate(plan.queues):
        yield from _queue_violations(queue, f"queues[{index}]")


def _queue_violations(queue: Queue, path: str) -> Iterator[FieldViolation]:
    for found in (
        id_violation(f"{path}.queue_id", queue.queue_id),
        text_violation(f"{path}.name", queue.name, may_be_empty=True),
    ):
        if found:
            yield found
    for name in ("skills", "specialisms", "products", "buckets", "states", "languages"):
        yield from list_violations(f"{path}.{name}", getattr(queue, name))
    yield from _language_violations(queue, path)
    for index, specialism in enumerate(queue.specialisms):
        if specialism not in BLOCK_FLAGS:
            remedy = f"Use some of {', '.join(BLOCK_FLAGS)}."
            yield FieldViolation(f"{path}.specialisms[{index}]", f"{specialism[:40]!r} is not a block flag.", remedy)
    for index, bucket in enumerate(queue.buckets):
        if bucket not in BUCKETS:
            yield FieldViolation(f"{path}.buckets[{index}]", f"{bucket} is not a bucket.", "Use 0 to 6.")
    for index, state in enumerate(queue.states):
        if not _STATE.fullmatch(state):
            yield FieldViolation(f"{path}.states[{index}]", f"{state[:40]!r} is not ISO 3166.", "Use codes such as TW or US-MA.")


def _language_violations(queue: Queue, path: str) -> Iterator[FieldViolation]:
    for index, language in enumerate(queue.languages):
        if language not in LANGUAGES:
            reading = read_language(language)
            near = (reading.code,) if reading.known else languages_near(language[:40])
            remedy = f"Use {' or '.join(near)}." if near else "Use codes such as en or es."
            yield FieldViolation(f"{path}.languages[{index}]", f"{language[:40]!r} is not a code of ISO 639.", remedy)
