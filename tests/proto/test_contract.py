"""The contract keeps its habits, equals the generated code, and its checks can fail."""

from __future__ import annotations

import importlib.util
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from google.api import field_behavior_pb2
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.descriptor_pb2 import FileDescriptorSet

from collections_opt.api.v1 import (
    account_pb2,
    error_reason_pb2,
)
from collections_opt.client.policy import CONTRACT
from collections_opt.core.accounts.schema import ACCOUNT_SCHEMA, BLOCK_FLAGS
from collections_opt.core.errors import Reason
from collections_opt.service.converters.accounts import MONTH_FIELDS, field_of

ROOT = Path(__file__).parents[2]
PREFIX = "collections_opt.api.v1."
SERVICES = [service for file in CONTRACT for service in file.services_by_name.values()]


@pytest.fixture(scope="module")
def script():
    """Return scripts/generate_proto.py as a module."""
    spec = importlib.util.spec_from_file_location("generate_proto", ROOT / "scripts/generate_proto.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules["generate_proto"] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def planted(tmp_path):
    """Return a copy of the contract and a function that edits one of its files."""
    folder = tmp_path / "proto"
    shutil.copytree(ROOT / "proto", folder)

    def edit(name: str, old: str, new: str) -> Path:
        path = folder / "collections_opt/api/v1" / name
        text = path.read_text("utf-8")
        assert old in text
        path.write_text(text.replace(old, new, 1), "utf-8")
        return folder

    return edit


def reachable(messages):
    seen = {}
    todo = list(messages)
    while todo:
        message = todo.pop()
        if message.full_name in seen or not message.full_name.startswith(PREFIX):
            continue
        seen[message.full_name] = message
        todo += [field.message_type for field in message.fields if field.message_type]
    return list(seen.values())


REQUESTS = reachable(method.input_type for service in SERVICES for method in service.methods)
MESSAGES = reachable(t for service in SERVICES for m in service.methods for t in (m.input_type, m.output_type))


def test_reasons_are_twins_of_the_core():
    prefix = "ERROR_REASON_"
    names = [v.name.removeprefix(prefix) for v in error_reason_pb2.ErrorReason.DESCRIPTOR.values]
    assert names == ["UNSPECIFIED", *(reason.value for reason in Reason)]


def test_account_rows_carry_exactly_the_schema():
    flags = {field.name for field in account_pb2.BlockFlags.DESCRIPTOR.fields}
    scalars = {field.name for field in account_pb2.Account.DESCRIPTOR.fields} - {"block_flags", "months", "own_values"}
    months = {field.name for field in account_pb2.MonthlyFigures.DESCRIPTOR.fields}
    assert flags == set(BLOCK_FLAGS)
    assert months == set(MONTH_FIELDS.values())
    assert scalars == {field_of(c) for c in ACCOUNT_SCHEMA.values() if not c.is_history and c.name not in BLOCK_FLAGS}
    assert set(MONTH_FIELDS) == {c.name for c in ACCOUNT_SCHEMA.values() if c.is_history}


def test_every_request_field_says_how_it_behaves():
    columns = {PREFIX + name for name in ("ColumnChunk", "Column", "HistoryColumn", "Int64Column", "DoubleColumn")}
    columns |= {PREFIX + name for name in ("TextColumn", "BoolColumn", "ImportPortfolioRequest", "CheckPortfolioRequest")}
    columns |= {PREFIX + name for name in ("ImportFileRequest", "DraftMappingRequest")}
    silent = [
        field.full_name
        for message in REQUESTS
        if message.full_name not in columns and not message.GetOptions().map_entry
        for field in message.fields
        if not field.GetOptions().Extensions[field_behavior_pb2.field_behavior]
    ]
    assert silent == []


def test_no_unsigned_integers_and_money_and_time_name_their_unit_last():
    unsigned = {getattr(FieldDescriptor, f"TYPE_{name}") for name in ("UINT32", "UINT64", "FIXED32", "FIXED64")}
    fields = [field for message in MESSAGES for field in message.fields]
    assert [f.full_name for f in fields if f.type in unsigned] == [], "use int64: not every language has unsigned numbers"
    inside = re.compile(r"(^|_)(minor_units|minutes|seconds|count)_|_minor(?!_units$)")
    misplaced = [f.full_name for f in fields if inside.search(f.name)]
    assert inside.search("minutes_talk")
    assert inside.search("fee_minor")
    assert misplaced == [], "name the unit last and whole: increment_minor_units, talk_minutes, account_count"


def test_every_list_call_is_paged_with_opaque_tokens():
    for service in SERVICES:
        for method in service.methods:
            if method.name.startswith("List"):
                assert {"page_size", "page_token"} <= set(method.input_type.fields_by_name), method.full_name
                assert "next_page_token" in method.output_type.fields_by_name, method.full_name


def test_the_contract_is_in_order(script):
    proto = ROOT / "proto"
    assert script.stale_files(proto, ROOT) == []
    assert script.lint_problems(proto) == []
    assert script.breaking_problems(proto) == []


def test_the_baseline_holds_every_service():
    baseline = FileDescriptorSet.FromString((ROOT / "proto/baseline.binpb").read_bytes())
    found = {f"{file.package}.{service.name}" for file in baseline.file for service in file.service}
    assert {service.full_name for service in SERVICES} <= found


def test_lint_catches_a_missing_comment(script, planted):
    folder = planted("capacity_service.proto", "  // Which plan.\n", "")
    assert any("COMMENT" in line or "comment" in line for line in script.lint_problems(folder))


def test_lint_catches_a_value_without_its_prefix(script, planted):
    folder = planted("ranking.proto", "ORDERING_BALANCE", "BALANCE")
    assert any("prefixed" in line for line in script.lint_problems(folder))


def test_breaking_catches_a_renumbered_field(script, planted):
    folder = planted("ranking_service.proto", "string queue_id = 2 [", "string queue_id = 9 [")
    assert any("queue_id" in line for line in script.breaking_problems(folder))


def test_freshness_catches_an_edited_contract(script, planted):
    folder = planted("model_service.proto", "string card = 11;", "string card = 11;\n  // More.\n  string more = 99;")
    stale = script.stale_files(folder, ROOT)
    assert any("model_service_pb2.py" in line for line in stale)
    assert any("model_service_pb2.pyi" in line for line in stale)


def test_the_contract_builds_from_a_clone(tmp_path):
    """With what the repository holds and nothing else."""
    image = tmp_path / "image.binpb"
    built = subprocess.run([str(Path(sys.executable).parent / "buf"), "build", "-o", str(image)], cwd=ROOT, check=False)
    assert (built.returncode, image.stat().st_size > 100_000) == (0, True)


@pytest.mark.parametrize("file", CONTRACT, ids=lambda file: file.name.rpartition("/")[2])
def test_every_file_names_the_packages_of_other_languages(file):
    options = file.GetOptions()
    assert (options.go_package, options.java_package) == ("collections_opt/api/v1;collectionsoptv1", "org.collectionsopt.api.v1")
    assert (options.java_multiple_files, options.csharp_namespace) == (True, "CollectionsOpt.Api.V1")
