"""What is let go of goes back to the system, so that a large import does not leave a large server behind."""

import subprocess
import sys

import pytest

PROGRAM = """
import sys
import numpy as np
from collections_opt.service.server.memory import give_large_arrays_back

def resident():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * 4096

told = sys.argv[1] == "told" and give_large_arrays_back()
kept = []
for _ in range(12):  # arrays of 8 MB come and go between small ones that stay
    gone = [np.ones(2**20) for _ in range(4)]
    kept.append(np.ones(2**12))
    first = gone.pop()
    kept.append(np.ones(2**12))
    del gone, first
print(resident() // 2**20, told)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_large_arrays_end_with_their_pages():
    sizes = {}
    for how in ("told", "left"):
        ended = subprocess.run([sys.executable, "-c", PROGRAM, how], capture_output=True, text=True, check=True)
        size, told = ended.stdout.split()
        sizes[how] = int(size)
        if how == "told" and told == "False":
            pytest.skip("no glibc")
    assert sizes["told"] <= sizes["left"]
