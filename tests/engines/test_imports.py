"""Spark is a matter of those who ask for it: neither the package nor a server imports it."""

from __future__ import annotations

import subprocess
import sys

import pytest

WITHOUT = """
import sys
sys.modules["pyspark"] = None
{imports}
assert not any(name == "pyspark" or name.startswith(("pyspark.", "py4j")) for name, found in sys.modules.items() if found)
"""


@pytest.mark.parametrize(
    "imports",
    [
        "import collections_opt",
        "import collections_opt.engines, collections_opt.solvers",
        "import collections_opt.service.server.build, collections_opt.application.rankings.making",
        "import collections_opt.cli.main",
    ],
)
def test_nothing_imports_spark_unless_an_engine_is_asked_for(imports):
    ran = subprocess.run([sys.executable, "-c", WITHOUT.format(imports=imports)], capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
