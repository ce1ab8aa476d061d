"""The demo, started as a user starts it, and waited for until it has caught up with its past."""

import sys
import time
from pathlib import Path
from typing import Any, Self

from .driftband_server import DriftbandServer

_CAUGHT_UP_WITHIN = 180.0


class DemoServer(DriftbandServer):
    """``driftband demo`` in a process of its own."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self._command = [sys.executable, "-m", "driftband", "demo"]
        self._environ = {"PATH": "/usr/bin:/bin", "DRIFTBAND_LISTEN": self.url.removeprefix("http://")}

    def __enter__(self) -> Self:
        super().__enter__()
        deadline = time.monotonic() + _CAUGHT_UP_WITHIN
        while time.monotonic() < deadline:
            if self.explained():
                return self
            time.sleep(0.5)
        self.stop()
        raise RuntimeError(f"the demo has no incident that a change explains:\n{self.log.read_text()[-4000:]}")

    def explained(self) -> dict[str, Any] | None:
        """Return the first incident that a change explains, None where there is none yet."""
        listed = self.get("/driftband/v1/incidents", state="all").json()["incidents"]
        return min((one for one in listed if one["suspects"]), key=lambda one: one["opened_at"], default=None)
