"""A real VictoriaMetrics for tests: on a free port of loopback, with a past that the test writes, and gone afterwards."""

import shutil

import requests

from .program import Program

PROGRAM = "victoria-metrics"


def is_missing() -> bool:
    """Whether this machine lacks the program."""
    return shutil.which(PROGRAM) is None


class VictoriaServer(Program):
    """A VictoriaMetrics of one node that forgets nothing."""

    ready_path = "/health"

    def command(self) -> list[str]:
        """Return what starts it."""
        return [
            PROGRAM,
            f"-storageDataPath={self.data_dir / 'data'}",
            f"-httpListenAddr=127.0.0.1:{self.port}",
            "-retentionPeriod=100y",
        ]

    def write(self, text: str) -> None:
        """Write samples that can be read at once.

        text: lines such as ``up{job="a"} 1 1700000000000`` (time in epoch *milliseconds*).
        """
        requests.post(f"{self.url}/api/v1/import/prometheus", data=text.encode(), timeout=60).raise_for_status()
        self.get("/internal/force_flush").raise_for_status()
