"""The demo, started as a user starts it, and waited for until it has caught up with its past and tells of itself."""

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
            if self.suspected() and self._told_of_itself():
                return self
            time.sleep(0.5)
        self.stop()
        raise RuntimeError(
            f"the demo has no incident with a suspect, or tells nothing of itself:\n{self.log.read_text()[-4000:]}"
        )

    def suspected(self) -> dict[str, Any] | None:
        """Return the first incident that has a suspect, None where there is none yet."""
        listed = self.get("/driftband/v1/incidents", state="all").json()["incidents"]
        return min((one for one in listed if one["suspects"]), key=lambda one: one["opened_at"], default=None)

    def _told_of_itself(self) -> bool:
        """Ask for a band, which it counts, and whether it has counted one long enough ago for a rate."""
        now = time.time()
        self.get("/api/v1/query_range", query="anomaly_band(queue_depth)", start=now - 3600, end=now, step=60)
        rate = 'rate(driftband_history_reads_total{result="hit"}[5m]) > 0'
        return bool(self.get("/api/v1/query", query=rate).json()["data"]["result"])
