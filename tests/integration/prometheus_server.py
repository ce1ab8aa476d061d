"""A real Prometheus for tests: on a free port of loopback, with a past that the test writes, and gone afterwards."""

import shutil
import socket
import subprocess
import tempfile
import time
import urllib.request
from collections.abc import Sequence
from pathlib import Path
from typing import Self

PROGRAMS = ("prometheus", "promtool")

_READY_WITHIN = 30.0
_STOPS_WITHIN = 10.0
_ATTEMPTS = 3


def missing_programs() -> list[str]:
    """Return which of Prometheus's programs this machine lacks."""
    return [program for program in PROGRAMS if shutil.which(program) is None]


def free_port() -> int:
    """Return a TCP port of loopback that nothing listens on; somebody else may take it before you do."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def backfill(data_dir: Path, openmetrics: str) -> None:
    """Write samples into a Prometheus's data folder before it starts.

    openmetrics: lines such as ``up{job="a"} 1 1700000000`` (time in epoch *seconds*), a family's lines together and
    each series in order of time; the closing ``# EOF`` is added where it is missing. RuntimeError has promtool's words.
    """
    data_dir.mkdir(parents=True, exist_ok=True)
    text = openmetrics if openmetrics.endswith("\n") else openmetrics + "\n"
    with tempfile.NamedTemporaryFile("w", suffix=".om", encoding="utf-8") as file:
        file.write(text if text.endswith("# EOF\n") else text + "# EOF\n")
        file.flush()
        # promtool reads the whole text once a block: three weeks in blocks of two hours take fifty times as long.
        blocks = ["promtool", "tsdb", "create-blocks-from", "--max-block-duration=8760h"]
        command = [*blocks, "openmetrics", "--quiet", file.name, str(data_dir)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"promtool refused the samples: {done.stderr.strip()}")


class PrometheusServer:
    """A Prometheus on ``data_dir``, running from ``start`` to ``stop`` or within a ``with``.

    It scrapes nothing unless ``config`` (the text of a prometheus.yml) says so, and forgets nothing.
    """

    def __init__(self, data_dir: Path, *, config: str = "", flags: Sequence[str] = ()) -> None:
        self.data_dir = data_dir
        self._config, self._flags = config, tuple(flags)
        self._process: subprocess.Popen[bytes] | None = None
        self._port = 0

    @property
    def url(self) -> str:
        """Its address, without a slash at the end."""
        return f"http://127.0.0.1:{self._port}"

    @property
    def log(self) -> str:
        """What it has written to its log."""
        path = self.data_dir / "prometheus.log"
        return path.read_text(errors="replace") if path.exists() else ""

    def start(self) -> Self:
        """Start it and wait until it answers; again after a ``stop``, it has its data but another port."""
        for _ in range(_ATTEMPTS):
            self._launch()
            if self._is_ready():
                return self
            self.stop()
            if "address already in use" not in self.log:
                break
        raise RuntimeError(f"Prometheus did not start:\n{self.log[-2000:]}")

    def stop(self) -> None:
        """Stop it, in order if it is able to, and wait for its end; its data stays."""
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(_STOPS_WITHIN)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process = None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _launch(self) -> None:
        self.data_dir.mkdir(parents=True, exist_ok=True)
        config = self.data_dir / "prometheus.yml"
        config.write_text(self._config or "global: {scrape_interval: 1h}\n")
        self._port = free_port()
        command = [
            "prometheus",
            f"--config.file={config}",
            f"--storage.tsdb.path={self.data_dir}",
            "--storage.tsdb.retention.time=100y",
            f"--web.listen-address=127.0.0.1:{self._port}",
            *self._flags,
        ]
        with (self.data_dir / "prometheus.log").open("wb") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT)

    def _is_ready(self) -> bool:
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        deadline = time.monotonic() + _READY_WITHIN
        while time.monotonic() < deadline and self._process is not None and self._process.poll() is None:
            try:
                with opener.open(f"{self.url}/-/ready", timeout=1):
                    return True
            except OSError:
                time.sleep(0.05)
        return False
