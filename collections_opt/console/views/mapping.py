"""A lender's file: its mapping drafted, corrected by a person, tried, and the file imported by it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from collections_opt.api.v1 import portfolio_service_pb2 as pb
from collections_opt.client.portfolios import draft_mapping, import_file
from collections_opt.console.forms import SentFile
from collections_opt.console.pages import Content, Page, Part
from collections_opt.console.views.call import Call
from collections_opt.core.errors import CollectionsError, Reason, refuse
from collections_opt.wire.common import write_date

MAX_SHOWN_FINDINGS = 50
LIKELY, SURE = 0.6, 0.8
"""From where on a draft is likely, and sure."""


def mapping(call: Call) -> Page:
    """Return what was drafted, tried or imported, with the mapping to be corrected; nothing is stored before it is imported."""
    answer = _ANSWERS.get(call.form.get("what", "draft"))
    if answer is None:
        raise refuse(Reason.INVALID_ARGUMENT, "form", "asks for nothing known.", "Send it from the page.")
    return Page("/data", "Data", answer(call))


def _drafted(call: Call) -> list[Part]:
    def load() -> Content:
        if call.file is None:
            raise refuse(Reason.INVALID_ARGUMENT, "file", "is missing.", "Choose the file to import.")
        call.uploads.keep(call.session, call.file)
        header = pb.DraftMappingHeader(
            file_name=call.file.name,
            time_zone=call.said("time_zone"),
            currency_code=call.said("currency").upper(),
            product=call.said("product"),
        )
        if day := call.day("as_of"):
            header.as_of_date.CopyFrom(write_date(day))
        made = draft_mapping(call.client, call.file.content, header)
        columns = sorted(made.columns, key=lambda one: one.sureness)
        lines = [(one, "sure" if one.sureness >= SURE else "likely" if one.sureness >= LIKELY else "NOT SURE") for one in columns]
        portfolio = call.said("portfolio") or call.file.name.partition(".")[0]
        given = {"text": made.mapping, "portfolio": portfolio, "as_of": call.said("as_of"), "allow_missing": ""}
        return {"made": made, "lines": lines, "file": call.file.name, **given}

    return [Part("data/mapping_drafted.html", load)]


def _tried(call: Call) -> list[Part]:
    return [Part("data/mapping_tried.html", lambda: _imported(call, only_try=True))]


def _stored(call: Call) -> list[Part]:
    return [Part("data/mapping_tried.html", lambda: _imported(call, only_try=False))]


def _imported(call: Call, only_try: bool) -> Content:
    file = _held(call)
    header = pb.ImportFileHeader(
        portfolio_id=call.said("portfolio"),
        file_name=file.name,
        mapping=call.form.get("text", "").replace("\r\n", "\n"),
        allow_missing=bool(call.form.get("allow_missing")),
        validate_only=only_try,
    )
    content: Content = {
        "file": file.name,
        "only_try": only_try,
        "text": header.mapping,
        "portfolio": header.portfolio_id,
        "as_of": call.said("as_of"),
        "allow_missing": call.form.get("allow_missing", ""),
        "most": MAX_SHOWN_FINDINGS,
    }
    try:
        found = import_file(call.client, file.content, header, call.day("as_of"))
    except CollectionsError as error:  # the mapping is shown again: a person corrects it where it is
        return {**content, "refusal": error, "found": None, "shown": []}
    if not only_try:
        call.uploads.drop(call.session)
    return {**content, "refusal": None, "found": found, "shown": found.findings[:MAX_SHOWN_FINDINGS]}


def _held(call: Call) -> SentFile:
    file = call.uploads.find(call.session)
    if file is None:
        raise refuse(Reason.NOT_FOUND, "file", "is not held any more.", "Choose it again on the page of data.")
    return file


_ANSWERS: Mapping[str, Callable[[Call], list[Part]]] = MappingProxyType({"draft": _drafted, "try": _tried, "import": _stored})
"""What may be asked, by the form's button."""
