"""A lender's file over the wire: its mapping drafted, the file imported by it, hostile files refused, and nothing left behind."""

from __future__ import annotations

import gzip
import io
import tempfile
import zipfile

import grpc
import pytest

from collections_opt.core.errors import CollectionsError, Reason
from collections_opt.datasets.files import uploads
from collections_opt.datasets.files.uploads import uploaded
from tests.support.serving.edge import refusal
from tests.support.serving.requests.files import CSV, drafted, file_imported

WAIT = 60.0


def refused(call, messages):
    with pytest.raises(grpc.RpcError) as caught:
        call(iter(messages), timeout=WAIT)
    return refusal(caught.value)


def test_a_file_is_drafted_corrected_tried_and_imported(client):
    draft = client.portfolios.DraftMapping(iter(drafted()), timeout=WAIT)
    found = {one.field: list(one.source_columns) for one in draft.columns}
    assert found["account_id"] == ["Loan ID"]
    assert found["balance_minor_units"] == ["Current Balance"]
    assert draft.row_count == 3
    tried = client.portfolios.ImportFile(iter(file_imported(portfolio_id="filed", mapping=draft.mapping)), timeout=WAIT)
    assert (tried.portfolio.accepted_count, tried.portfolio.quarantined_count, tried.file_row_count) == (2, 1, 3)
    (finding,) = tried.findings
    assert (finding.line, finding.column, finding.value) == (4, "Current Balance", "x")
    call = file_imported(portfolio_id="filed", mapping=draft.mapping, validate_only=False)
    stored = client.portfolios.ImportFile(iter(call), timeout=WAIT).portfolio
    assert stored.digest == tried.portfolio.digest
    assert client.portfolios.ImportFile(iter(call), timeout=WAIT).portfolio == stored  # the same content again is what is stored


@pytest.mark.parametrize("name", ["../book.csv", "a/b.csv", "", "x" * 201 + ".csv", "book\n.csv", ".csv", "C:\\book.csv"])
def test_a_name_is_no_path(client, name):
    assert refused(client.portfolios.DraftMapping, drafted(file_name=name))[1] == "INVALID_ARGUMENT"


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("book.xlsx", CSV),
        ("book.parquet", CSV),
        ("book.gz", CSV),
        ("book.zip", CSV),
        ("book.exe", CSV),
        ("book.csv", b"\x00\x01\x02" * 50),
        ("book.csv.gz", gzip.compress(CSV)[:-9]),
    ],
)
def test_a_file_that_is_not_what_it_says_is_refused(client, name, content):
    for call, messages in (
        (client.portfolios.DraftMapping, drafted(content, file_name=name)),
        (client.portfolios.ImportFile, file_imported(content, file_name=name)),
    ):
        assert refused(call, messages)[1] in ("INVALID_ARGUMENT", "SCHEMA_MISMATCH")


def test_a_mapping_that_lacks_a_column_of_the_file_says_so_at_the_mapping(client):
    messages = file_imported(CSV.replace(b"DPD", b"Late"))
    status, reason, fields = refused(client.portfolios.ImportFile, messages)[:3]
    assert reason == "SCHEMA_MISMATCH", (status, reason)
    assert "header.mapping" in str(fields)


def bomb(kind, size):
    if kind == "gz":
        return "book.csv.gz", gzip.compress(b"1,2\n" * (size // 4))
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/worksheets/sheet1.xml", b" " * size)
    return "book.xlsx" if kind == "xlsx" else "book.zip", packed.getvalue()


@pytest.mark.parametrize("kind", ["gz", "zip", "xlsx"])
def test_what_unpacks_to_too_much_is_refused_before_it_is_read(monkeypatch, kind):
    monkeypatch.setattr(uploads, "MAX_UNPACKED_BYTES", 2**20)
    name, content = bomb(kind, 2**22)
    with pytest.raises(CollectionsError) as caught, uploaded(name, [content]):
        pass
    assert caught.value.reason is Reason.LIMIT_EXCEEDED


def test_bytes_are_counted_as_they_come_and_nothing_is_left(monkeypatch, tmp_path):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(uploads, "MAX_FILE_BYTES", 100)
    taken = []

    def parts():
        for _ in range(10):
            taken.append(1)
            yield b"x" * 40

    with pytest.raises(CollectionsError) as caught, uploaded("book.csv", parts()):
        pass
    assert caught.value.reason is Reason.LIMIT_EXCEEDED
    assert len(taken) == 3
    with uploaded("book.csv", [b"a,b\n", b"1,2\n"]) as path:
        assert path.name == "book.csv"
        assert path.read_bytes() == b"a,b\n1,2\n"
    assert not list(tmp_path.iterdir())
