"""The encoding of a text file: checked byte by byte against the one declared; where it is another, the likely one is named."""

from __future__ import annotations

import codecs
from dataclasses import dataclass
from typing import IO

from collections_opt.core.accounts.row_faults import shown_cell
from collections_opt.core.errors import CollectionsError, Reason, refuse
from collections_opt.datasets.files.opening.packed import PackedFile

_BLOCK_BYTES = 4 * 1024 * 1024
_SAMPLE_BYTES = 64 * 1024
_ENOUGH = 32
_MARKS = {codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16", codecs.BOM_UTF32_LE: "utf-32"}


@dataclass(frozen=True)
class TextSurvey:
    """What a look at all bytes tells."""

    has_quotes: bool


def survey(file: PackedFile, encoding: str) -> TextSurvey:
    """Look at every byte of a text file once.

    Raises:
        CollectionsError: INVALID_ARGUMENT naming line, cell and remedy where the bytes are not in the encoding declared.
    """
    decoder = codecs.getincrementaldecoder(encoding)()
    lines, quotes, tail = 0, False, b""
    with file.open() as stream:
        start = stream.read(4)
        _check_mark(file, start, encoding)
        block = start + stream.read(_BLOCK_BYTES)
        while block:
            try:
                decoder.decode(block)
            except UnicodeDecodeError as error:
                raise _misread(file, error, lines, tail + block, encoding) from error
            lines += block.count(b"\n")
            quotes = quotes or b'"' in block
            tail = block[-_SAMPLE_BYTES:]
            block = stream.read(_BLOCK_BYTES)
    try:
        decoder.decode(b"", final=True)
    except UnicodeDecodeError as error:
        raise _misread(file, error, lines, tail, encoding) from error
    return TextSurvey(quotes)


def likely_encoding(sample: bytes) -> str:
    """Return the encoding that bytes are most likely in; windows-1252 where nothing better is found."""
    for mark, name in _MARKS.items():
        if sample.startswith(mark):
            return name
    try:
        sample.decode("utf-8")
    except UnicodeDecodeError as error:
        if error.start < len(sample) - 4:  # else the sample ends within a character
            if sum(byte > 127 for byte in sample) < _ENOUGH:
                return "windows-1252"  # too little to tell more
            from charset_normalizer import from_bytes  # noqa: PLC0415 - only texts in another encoding need it

            found = from_bytes(sample, cp_isolation=["cp1252", "cp1250", "cp1251", "utf_16", "cp932", "big5", "gb18030"]).best()
            alike = found is None or sample.decode(found.encoding, "replace") == sample.decode("cp1252", "replace")
            return "windows-1252" if found is None or alike else found.encoding
    return "utf8"


def sample_of(stream: IO[bytes], wanted: int = 1024 * 1024) -> bytes:
    """Return the first bytes of a file, to guess by."""
    return stream.read(wanted)


def _check_mark(file: PackedFile, start: bytes, encoding: str) -> None:
    for mark, name in _MARKS.items():
        if start.startswith(mark) and codecs.lookup(encoding).name not in ("utf-16", "utf-32", "utf-16-le", "utf-16-be"):
            remedy = f'Declare csv.encoding = "{name}", or save the file as UTF-8.'
            raise refuse(Reason.INVALID_ARGUMENT, file.path.name, f"is {name} text, not {encoding}.", remedy)


def _misread(file: PackedFile, error: UnicodeDecodeError, lines: int, content: bytes, encoding: str) -> CollectionsError:
    block = bytes(error.object)
    begin = block.rfind(b"\n", 0, error.start) + 1
    end = block.find(b"\n", error.start)
    text = block[begin : end if end >= 0 else begin + 400]
    line = lines + block.count(b"\n", 0, error.start) + 1
    near = content[max(0, len(content) - _SAMPLE_BYTES) :] if error.start >= len(block) else _around(block, error.start)
    likely = likely_encoding(near)
    column = text[: error.start - begin].count(b",") + 1
    problem = f"line {line}, cell {column} is not {encoding}: {shown_cell(text.decode('latin-1'))}"
    other = likely if likely not in ("utf8", encoding) else "windows-1252"
    remedy = f'Save the file as UTF-8, or declare csv.encoding = "{other}" in a mapping.'
    return refuse(Reason.INVALID_ARGUMENT, file.path.name, problem, remedy)


def _around(block: bytes, place: int) -> bytes:
    return block[max(0, place - _SAMPLE_BYTES // 2) : place + _SAMPLE_BYTES // 2]
