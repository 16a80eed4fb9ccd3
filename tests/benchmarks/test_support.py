"""The bench harness measures what it says and writes what it measured."""

from __future__ import annotations

import importlib
import json
import time
import types

import numpy as np
import pytest

from harness.benchmarks.support.cases import CaseError, run_case
from harness.benchmarks.support.keeping import held_case, kept_case
from harness.benchmarks.support.measuring import cpu_seconds
from harness.benchmarks.support.reporting import Report, by_stage, markdown, side_by_side
from harness.benchmarks.support.running import Options, benches, options_from, run_bench

MB = 1_000_000


def allocating(measure, large_mb):
    with measure.stage("small"):
        np.ones(MB)
    with measure.stage("large"):
        np.ones(large_mb * MB // 8)
    with measure.stage("small again"):
        np.ones(MB)
    measure.figures["large_mb"] = large_mb
    measure.figures["kind"] = "ones"


def failing(measure):
    raise ValueError("planted")


def test_memory_is_that_of_each_stage_in_a_process_of_its_own():
    held = np.ones(100 * MB)  # 800 MB here must not show in the case
    result = run_case("memory", allocating, runs=1, large_mb=400)
    peaks = {stage.name: stage.peak_bytes for stage in result.stages}
    assert 400 * MB < peaks["large"] < 700 * MB < held.nbytes
    assert peaks["small again"] < peaks["large"] - 300 * MB
    assert result.peak_bytes == peaks["large"]
    assert result.seconds == pytest.approx(sum(stage.seconds for stage in result.stages))


def test_a_failing_case_says_why():
    with pytest.raises(CaseError, match="planted"):
        run_case("failing", failing, runs=1)


def test_medians_ratios_and_pages(tmp_path):
    small, large = (run_case(name, allocating, runs=2, large_mb=size) for name, size in (("small", 1), ("large", 50)))
    table = side_by_side("Sizes", [small, large], "small", ["large_mb", "kind"])
    assert [line[0] for line in table.lines] == ["small", "large"]
    assert table.lines[0][2] == "1.00"
    assert table.lines[1][4:] == ("50", "ones") or table.lines[1][4:] == ("50.00", "ones")
    assert markdown(table).count("\n") == 3
    module = types.ModuleType("harness.benchmarks.example")
    module.__doc__ = "An example.\n\nWhat it shows."
    module.bench = lambda options: Report([table, by_stage("Stages", large)], [small, large], ["Met."])
    run_bench(module, Options(), tmp_path)
    text = (tmp_path / "example.md").read_text()
    assert text.startswith("# An example\n\nWhat it shows.")
    assert "make bench BENCH=example" in text
    assert "cores" in text
    written = json.loads((tmp_path / "example.json").read_text())
    assert [result["name"] for result in written["results"]] == ["small", "large"]
    run_bench(module, Options(small=True), tmp_path / "quick")
    assert not (tmp_path / "quick").exists()


def test_options():
    assert options_from(["--small", "--runs", "1", "a"]) == (Options(1, small=True), ["a"])


@pytest.mark.parametrize("name", benches())
def test_every_bench_has_an_entry_and_an_introduction(name):
    module = importlib.import_module(benches()[name])
    assert callable(module.bench)
    assert len(module.__doc__.splitlines()) >= 3


def test_processor_time_grows_with_work():
    before = cpu_seconds()
    end = time.process_time() + 0.1
    while time.process_time() < end:
        pass
    assert cpu_seconds() > before


def test_a_long_bench_that_was_cut_off_goes_on_where_it_was(tmp_path):
    first = kept_case("long", "one", allocating, False, tmp_path, large_mb=8)
    held = tmp_path / "long" / "one.json"
    held.write_text(held.read_text().replace('"ones"', '"kept"'))
    assert kept_case("long", "one", allocating, True, tmp_path, large_mb=8).figures["kind"] == "kept"
    assert kept_case("long", "one", allocating, True, tmp_path, large_mb=16).figures["large_mb"] == 16  # another case
    assert kept_case("long", "one", allocating, False, tmp_path, large_mb=8).stages[0].name == first.stages[0].name
    assert held_case("long", "one", allocating, tmp_path, large_mb=8).name == "one"
    assert held_case("long", "one", allocating, tmp_path, large_mb=32) is None  # nothing is run to have it
    assert held_case("long", "two", allocating, tmp_path, large_mb=8) is None
    assert '"ones"' in held.read_text()
