"""Where tests keep their files, and databases for them: a SQLite file, and PostgreSQL where one is to be had."""

from __future__ import annotations

import gc
import os
import shutil
import tempfile
from pathlib import Path

import pytest
import structlog
from hypothesis import HealthCheck, settings
from pytest_postgresql import factories
from xdist.scheduler import LoadFileScheduling

from tests.support.costs import Costs
from tests.support.databases import Databases, begin_migrated, made_database, named_server, pg_ctl_found, why_not_started

MEMORY = Path("/dev/shm")
LEAST_FREE_BYTES = 4 * 2**30

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
"""Each worker of the tests has a core; threads of linear algebra that wait for one another cost eight times what they compute."""

os.environ.setdefault("JDK_JAVA_OPTIONS", "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC")
"""A Java of the tests lives for seconds: compiling well what runs once costs more than running it."""


def _use_memory_for_files() -> None:
    """Keep the files of tests, and of every process that they start, in memory where there is room and nobody said where.

    A ledger waits for the disk at every commit. What is synced, and in which order, is the same here.
    """
    if "TMPDIR" in os.environ or not os.access(MEMORY, os.W_OK) or shutil.disk_usage(MEMORY).free < LEAST_FREE_BYTES:
        return
    os.environ["TMPDIR"] = tempfile.tempdir = str(MEMORY)


_use_memory_for_files()
begin_migrated()
settings.register_profile("busy", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("busy")  # how long an example takes says how busy the machine is
started_postgres = factories.postgresql_proc(executable=pg_ctl_found(), port=None)


SLOW = (
    *(
        f"tests/{room}/"
        for room in ("application", "benchmarks", "cli", "console", "contracts", "docs", "faults", "golden", "properties")
    ),
    *(f"tests/{room}/" for room in ("scripts", "service", "worlds")),
    "tests/experiments/test_year",
    *(f"tests/scoring/{room}/" for room in ("contact", "effect", "outcome", "recovery")),
    *(f"tests/client/test_{name}" for name in ("account_changes", "comparison", "jobs", "persons", "tls")),
    *(f"tests/core/{name}" for name in ("evaluation/", "outcomes/test_alarm_promises", "rules/test_budgets")),
    *(f"tests/datasets/files/test_{name}" for name in ("drafting", "ugly_files")),
    *(f"tests/datasets/{name}" for name in ("simulated_lender/", "test_roll_rates")),
    *(f"tests/ledger/{name}" for name in ("test_crashes", "store/test_moving", "objects/test_remote")),
    *(f"tests/solvers/{name}" for name in ("pricing/", "test_gap_instances", "test_random_instances")),
)
"""Where tests train, sweep, simulate, start processes or rank again and again: all the rest take two minutes on two cores."""

QUICK = (
    "tests/application/answers/",
    "tests/application/test_logs",
    "tests/application/test_persons",
    "tests/contracts/test_ledger_contract",
    "tests/contracts/test_served_models_contract",
    "tests/docs/test_house",
    "tests/docs/test_test_house",
    "tests/service/access/test_access",
    "tests/service/converters/",
)
"""Of them those that a change meets first: a ranking from import to evidence, its ledger, its answers, who may ask."""

LONG = (
    "tests/scripts/morning/test_scripts",
    "tests/contracts/test_passes",
    "tests/properties/test_ranking_laws",
    "tests/application/rankings/test_on_engine",
    "tests/application/day/test_day_machine",
    *(f"tests/{room}/" for room in ("worlds", "cli", "console", "faults", "golden")),
    *(f"tests/docs/test_{name}" for name in ("readme", "other_clients", "containerfile")),
    *(f"tests/service/test_{name}" for name in ("invalid_requests", "no_internal", "nearly_good")),
    "tests/service/access/test_scopes",
    *(f"tests/scoring/{name}" for name in ("outcome/test_model", "outcome/test_outcome_weights", "contact/")),
    *(f"tests/scripts/learning/test_{name}" for name in ("evaluate_models", "evaluate_policy", "models")),
    "tests/scripts/training/",
    *(
        f"tests/scripts/{name}"
        for name in ("desk/test_capacity", "morning/test_own_", "running/test_backup", "desk/test_parameters")
    ),
    *(f"tests/application/rankings/test_{name}" for name in ("ranking_runs", "rankings")),
    *(f"tests/contracts/test_{name}" for name in ("solve_contract", "served_models")),
    "tests/properties/test_what_if_laws",
)
"""Files of more than about ten seconds, about by what they cost: handed out first, so that no worker ends long after another."""


def _turn(item) -> int:
    """Return when a test's file is handed out: by its place among the long ones, the others after them."""
    return next((turn for turn, start in enumerate(LONG) if item.nodeid.startswith(start)), len(LONG))


SPARK = ("tests/contracts/test_passes", "tests/application/rankings/test_on_engine", "tests/scripts/morning/test_rank_on_engine")
"""Files that ask Spark: one worker runs them one after another, since a session costs more to start than most of its tests."""


def pytest_configure(config):
    """Say at the end what the dearest files cost."""
    config.pluginmanager.register(Costs(), "costs")


def pytest_collection_finish():
    """Leave what was loaded and collected, which stays to the end, out of every later search for garbage."""
    gc.collect()
    gc.freeze()


class ByFile(LoadFileScheduling):
    """Keeps the tests of a file in one worker, and those of all files that ask Spark."""

    def _split_scope(self, nodeid):
        return "spark" if nodeid.startswith(SPARK) else super()._split_scope(nodeid)


def pytest_xdist_make_scheduler(config, log):
    """Hand tests out by file where several workers run them."""
    return ByFile(config, log)


def pytest_collection_modifyitems(items):
    """Mark the slow tests, file by file, and put the files that take long first."""
    items.sort(key=_turn)
    for item in items:
        if item.nodeid.startswith(SLOW) and not item.nodeid.startswith(QUICK):
            item.add_marker(pytest.mark.slow)


@pytest.fixture(scope="session")
def postgres_server(request):
    """Return the URL of a PostgreSQL server: named by the environment, or started from installed binaries, else say why not."""
    named = named_server(dict(os.environ))
    if named:
        return named
    reason = why_not_started(pg_ctl_found(), os.geteuid() == 0)
    if reason:
        pytest.skip(reason)
    server = request.getfixturevalue("started_postgres")
    return f"postgresql+psycopg://{server.user}@{server.host}:{server.port}/postgres"


@pytest.fixture(scope="session")
def postgres_databases(postgres_server):
    """Return databases that tests take in turn."""
    databases = Databases(postgres_server)
    yield databases
    databases.close()


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request, tmp_path):
    """Return the URL of a database without a row; what it has of the ledger's schema is what migrations make."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'ledger.db'}"
        return
    with request.getfixturevalue("postgres_databases").taken() as url:
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def new_database_url(request, tmp_path):
    """Return the URL of a database in which nothing is, no table either; dropped after the test."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'ledger.db'}"
        return
    with made_database(request.getfixturevalue("postgres_server")) as url:
        yield url


@pytest.fixture
def postgres_url(postgres_databases):
    """Return the URL of a PostgreSQL database without a row."""
    with postgres_databases.taken() as url:
        yield url


@pytest.fixture(autouse=True)
def logs_as_they_come():
    """Leave logging as it comes: a test that opens a data folder as commands do lets warnings pass only, for all after it."""
    yield
    structlog.reset_defaults()
