"""Tell the store what became of the sample world's Terraform: scans, applies and audit events, up to now.

Usage: evidence.py FOLDER, where ``backfill.py`` left the world's anchor. Again it tells only what is new.
"""
# ruff: noqa: INP001 - a script of the image

import os
import sys
import time
from pathlib import Path

from driftband.app_demo import tell_all
from driftband.app_evidence import open_evidence
from driftband.config import load
from driftband.sources.sample.script import Script


def main(folder: Path) -> None:
    """Tell it to the store of the configuration in the environment."""
    script = Script(int((folder / "anchor").read_text()))
    tell_all(script, open_evidence(load(None, os.environ)), time.time_ns() // 1_000_000)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
