"""A server starts without what only training and evaluation need: those libraries take longer to load than all the rest."""

import subprocess
import sys

LATER = ("sklearn", "scipy.stats", "scipy.optimize", "pandas", "lightgbm", "matplotlib", "pyspark")
CODE = f"""
import sys
import collections_opt.cli.running.serve, collections_opt.service.server.build, collections_opt.service.server.services
print([name for name in {LATER!r} if name in sys.modules])
"""


def test_what_learns_and_judges_is_not_loaded_before_it_is_asked_for():
    done = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
