"""The commit of a working copy."""

import re
import subprocess
from pathlib import Path


def head(directory: Path) -> str:
    """Return the commit that is checked out in ``directory``, empty where there is none or no git."""
    try:
        done = subprocess.run(  # noqa: S603 - the directory is the user's
            ["git", "-C", str(directory), "rev-parse", "--verify", "--quiet", "HEAD"],  # noqa: S607 - the user's own git
            capture_output=True, text=True, timeout=10, check=False,
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired):
        return ""
    commit = done.stdout.strip()
    return commit if done.returncode == 0 and re.fullmatch(r"[0-9a-f]{40,64}", commit) else ""
