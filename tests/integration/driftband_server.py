"""A driftband started as a user starts it: the command, a file, a port."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import requests
import yaml

from .program import free_port

_STARTS_WITHIN = 60.0


class DriftbandServer:
    """``driftband serve`` in a process of its own, with the given settings."""

    def __init__(self, folder: Path, environ: dict[str, str] | None = None, **settings: Any) -> None:
        self.url = f"http://127.0.0.1:{free_port()}"
        self.log = folder / "driftband.log"
        config = folder / "driftband.yaml"
        config.write_text(yaml.safe_dump({"listen": self.url.removeprefix("http://"), **settings}))
        self._command = [sys.executable, "-m", "driftband", "serve", "--config", str(config)]
        self._environ = {"PATH": "/usr/bin:/bin", **(environ or {})}

    def __enter__(self) -> Self:
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(self._command, stdout=log, stderr=log, env=self._environ)
        deadline = time.monotonic() + _STARTS_WITHIN
        while time.monotonic() < deadline and self._process.poll() is None:
            try:
                requests.get(f"{self.url}/healthz", timeout=1).raise_for_status()
            except requests.RequestException:
                time.sleep(0.05)
            else:
                return self
        self._process.kill()
        self._process.wait()
        raise RuntimeError(f"driftband did not start:\n{self.log.read_text()}")

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def stop(self) -> int:
        """Ask it to stop and return its exit code."""
        self._process.terminate()
        return self._process.wait(timeout=30)

    def kill(self) -> None:
        """End it at once, wherever it is; entering it again starts it anew."""
        family = self._family()
        for pid in family:
            os.kill(pid, signal.SIGKILL)
        self._process.wait(timeout=30)
        while any(Path(f"/proc/{pid}").exists() for pid in family):
            time.sleep(0.01)

    def memory(self) -> int:
        """Return the resident bytes of the processes that serve."""
        pages = sum(int(Path(f"/proc/{pid}/statm").read_text().split()[1]) for pid in self._family())
        return pages * 4096

    def _family(self) -> list[int]:
        pid = self._process.pid
        return [pid, *map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split())]

    def get(self, path: str, **parameters: Any) -> requests.Response:
        """GET an endpoint."""
        return requests.get(f"{self.url}{path}", params=parameters, timeout=60)

    def post(self, path: str, body: Any) -> int:
        """POST JSON to an endpoint and return the status."""
        return requests.post(f"{self.url}{path}", json=body, timeout=60).status_code

    def range(
        self, query: str, start: float, end: float, step: float
    ) -> dict[tuple[tuple[str, str], ...], dict[float, float]]:
        """Return the series of a range query by their labels: instant to value."""
        response = self.get("/api/v1/query_range", query=query, start=start, end=end, step=step)
        assert response.status_code == 200, response.text
        return {
            tuple(sorted(series["metric"].items())): {float(t): float(v) for t, v in series["values"]}
            for series in response.json()["data"]["result"]
        }
