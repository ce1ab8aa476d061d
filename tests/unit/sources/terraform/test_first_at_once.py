"""The first documents that a service reads may come at the same moment."""

import subprocess
import sys
from pathlib import Path

import pytest

CAPTURES = Path(__file__).parents[3] / "captures/b_attr_drift"
FIRST = """
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

from driftband.sources.terraform.read import read_report

body, together = Path(sys.argv[1]).read_bytes(), Barrier(16)
sys.setswitchinterval(1e-6)


def first(_):
    together.wait()
    return read_report(body)


with ThreadPoolExecutor(16) as pool:
    reports = list(pool.map(first, range(16)))
assert all(report == reports[0] for report in reports)
"""


@pytest.mark.parametrize("document", ["plan.json", "stream.jsonl"])
def test_the_first_documents_are_read_at_once(document: str) -> None:
    for _ in range(3):
        command = [sys.executable, "-c", FIRST, str(CAPTURES / document)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr[-2000:]
