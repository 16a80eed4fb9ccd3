"""One Spark session of this machine for all tests of a process, and rows put into parts for it."""

from __future__ import annotations

import functools
import importlib.util
import itertools
import os
import shutil

import pytest

from collections_opt.engines.parts import in_order, write_columns

MASTER = "local[2,4]"
"""Two workers, and four tries of a task whose worker dies: plain ``local[2]`` gives up at the first."""


def why_no_spark() -> str:
    """What is missing, "" if nothing is."""
    if importlib.util.find_spec("pyspark") is None:
        return "pyspark is not installed: make test installs requirements/spark.txt"
    return "" if shutil.which("java") else "there is no java: Spark needs version 17"


def required():
    """Skip the test with a sentence where there is no Spark; where CI=true nothing may be skipped."""
    missing = why_no_spark()
    if missing:
        assert os.environ.get("CI") != "true", missing
        pytest.skip(missing)


@functools.cache
def spark_session():
    """Return the session, or skip as ``required``."""
    required()
    from collections_opt.engines.sessions import session_of  # noqa: PLC0415 - not everybody has Spark

    return session_of(MASTER, {"spark.ui.enabled": "false", "spark.driver.memory": "1g"})


def on_spark(columns, folder, parts, **options):
    """Return rows in memory as rows on Spark, cut into a number of parts."""
    from collections_opt.engines.on_spark import OnSpark  # noqa: PLC0415 - not everybody has Spark

    rows = len(next(iter(columns.values())))
    cuts = [rows * k // parts for k in range(parts + 1)]
    written = []
    for number, (start, stop) in enumerate(itertools.pairwise(cuts)):
        path = str(folder / f"part-{number:06}.arrow")
        write_columns(path, {name: column[start:stop] for name, column in columns.items()}, "driver")
        written.append((path, stop - start))
    return OnSpark(spark_session(), in_order(written), str(folder), **options)
