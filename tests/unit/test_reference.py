"""The reference pages say what the code does."""

import subprocess
import sys
from pathlib import Path

DOCS = Path(__file__).parents[2] / "docs"


def test_the_pages_are_as_the_code_is() -> None:
    # In a process of its own: click remembers in its commands how they were asked for help before.
    told = subprocess.run(
        [sys.executable, DOCS / "reference.py", "--check"], capture_output=True, text=True, check=False
    )
    assert told.returncode == 0, told.stderr


def test_every_setting_is_described() -> None:
    assert "| None |" not in (DOCS / "settings.md").read_text(encoding="utf-8")
