"""Sending with a spool behind it: what waits goes first, and what cannot go now waits."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from driftband.client import spool
from driftband.client.call import Call
from driftband.client.server import RefusedError, Server, UnreachedError


class Delivery:
    """Sends calls in order. server: None where none is named, then everything is spooled. warn: takes one sentence."""

    def __init__(self, server: Server | None, file: Path | None, warn: Callable[[str], None]) -> None:
        if server is None and file is None:
            raise ValueError("needs a server or a spool")
        self._server = server
        self._file = file
        self._warn = warn
        self._emptied = False
        self._holds = "no server is named (DRIFTBAND_URL)" if server is None else ""

    def send(self, call: Call) -> Any:
        """Return the server's answer, or None where the call has been spooled.

        UnreachedError where it is neither; RefusedError, OSError of the spool.
        """
        self._empty_once()
        if self._server is None or self._holds:
            return self._keep(call, self._holds)
        try:
            return self._server.send(call)
        except UnreachedError as error:
            if self._file is None:
                raise
            # The next ones must not overtake this one.
            self._holds = str(error)
            return self._keep(call, str(error))
        except RefusedError as error:
            if self._file is not None and not error.input_is_bad:
                self._keep(call, str(error))
            raise

    def _empty_once(self) -> None:
        if self._emptied or self._server is None or self._file is None:
            return
        self._emptied = True
        until = time.monotonic() + self._server.within
        emptied = spool.empty(self._file, self._server.send, lambda: time.monotonic() < until)
        for why in emptied.aside:
            self._warn(f"put into {self._file}{spool.ASIDE}: {why}")
        if emptied.sent:
            self._warn(f"sent {emptied.sent} from {self._file}")
        if emptied.left:
            self._holds = emptied.why

    def _keep(self, call: Call, why: str) -> None:
        assert self._file is not None  # noqa: S101 - without a spool there is a server, and it has been asked
        spool.keep(self._file, call)
        self._warn(f"{why}; kept in {self._file}, the next call with this --spool sends it")
