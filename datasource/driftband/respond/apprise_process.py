"""Calling the process that apprise runs in (``apprise_child``).

Apprise takes proxies and credentials from the environment, follows redirects, writes addresses to logs and has no end in time;
there it has no environment, no redirects, no log, and a deadline. What it is told goes in by a pipe, so that no list of
processes shows the address.
"""

import os
import subprocess
import sys
from typing import Any

import orjson

_CHILD = "driftband.respond.apprise_child"
_KEPT = ("PATH", "PYTHONPATH", "LANG", "LC_ALL", "TZ", "SSL_CERT_FILE", "SSL_CERT_DIR", "SYSTEMROOT", "VIRTUAL_ENV")


class AppriseError(Exception):
    """The process told nothing. late: it was cut off."""

    def __init__(self, *, late: bool) -> None:
        super().__init__("did not end in time" if late else "could not be run")
        self.late = late


def ask(question: dict[str, Any], within: float) -> dict[str, Any]:
    """Return what the process answers. Raises AppriseError."""
    environ = {name: os.environ[name] for name in _KEPT if name in os.environ}
    command = [sys.executable, "-P", "-W", "ignore", "-m", _CHILD]
    try:
        done = subprocess.run(  # noqa: S603 - our own module, and nothing of a message
            command, input=orjson.dumps(question), capture_output=True, env=environ, timeout=within, check=False
        )
        told = orjson.loads(done.stdout)
    except subprocess.TimeoutExpired:
        raise AppriseError(late=True) from None
    except (OSError, ValueError):
        raise AppriseError(late=False) from None
    if not isinstance(told, dict):
        raise AppriseError(late=False)
    return told
