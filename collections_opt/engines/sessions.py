"""Spark sessions whose workers run this interpreter and compute as one process does."""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Mapping

from pyspark.sql import SparkSession

SETTINGS: Mapping[str, str] = {
    "spark.sql.session.timeZone": "UTC",
    "spark.python.worker.reuse": "true",
    "spark.sql.execution.arrow.maxRecordsPerBatch": "0",
    "spark.ui.showConsoleProgress": "false",
    "spark.log.level": "ERROR",
}
"""What a session has unless the caller, or the session that runs already, says otherwise."""

ONE_THREAD = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS")
"""Spark runs a task per core: libraries within a task that take all cores for themselves would share each with the others."""


def session_of(master: str, settings: Mapping[str, str] | None = None) -> SparkSession:
    """Return the session that runs, or start one at ``master`` (``local[2]``, ``spark://host:7077``, ``yarn``).

    Workers on this machine run the interpreter that runs now; on a cluster ``PYSPARK_PYTHON`` says which, and it must hold the
    same version of this package.
    """
    # Spark says so at every pass; what passes here is Arrow, and pandas takes no part in it.
    warnings.filterwarnings("ignore", message="PySpark does not yet fully support pandas", category=FutureWarning)
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    builder = SparkSession.builder.appName("collections-opt").master(master)
    for name, value in {**SETTINGS, **{f"spark.executorEnv.{one}": "1" for one in ONE_THREAD}, **(settings or {})}.items():
        builder = builder.config(name, value)
    return builder.getOrCreate()
