"""A real Prometheus for tests: on a free port of loopback, with a past that the test writes, and gone afterwards."""

import shutil
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import requests

from .program import Program

PROGRAMS = ("prometheus", "promtool")


def missing_programs() -> list[str]:
    """Return which of Prometheus's programs this machine lacks."""
    return [program for program in PROGRAMS if shutil.which(program) is None]


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


class PrometheusServer(Program):
    """A Prometheus; it scrapes nothing unless ``config`` (the text of a prometheus.yml) says so, and forgets nothing.

    prefix: the path under which all of it is served. web: the text of a web configuration, with TLS or users.
    reach: what requests needs to be let in (``auth``, ``verify``, ``cert``).
    """

    def __init__(
        self,
        data_dir: Path,
        *,
        config: str = "",
        flags: Sequence[str] = (),
        prefix: str = "",
        web: str = "",
        reach: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(data_dir)
        self._config, self._flags, self._prefix, self._web = config, tuple(flags), prefix, web
        self._reach = dict(reach or {})

    @property
    def url(self) -> str:
        """Its address with the prefix, without a slash at the end."""
        scheme = "https" if "tls_server_config" in self._web else "http"
        return f"{scheme}://127.0.0.1:{self.port}{self._prefix}"

    def get(self, path: str, **more: Any) -> requests.Response:
        """GET a path of it as one who may; ``more`` is for requests."""
        return super().get(path, **{**self._reach, **more})

    def command(self) -> list[str]:
        """Write the configuration, and return what starts it."""
        config, web = self.data_dir / "prometheus.yml", self.data_dir / "web.yml"
        config.write_text(self._config or "global: {scrape_interval: 1h}\n")
        web.write_text(self._web)
        return [
            "prometheus",
            f"--config.file={config}",
            f"--web.config.file={web}",
            f"--web.external-url={self._prefix}",
            f"--storage.tsdb.path={self.data_dir}",
            "--storage.tsdb.retention.time=100y",
            f"--web.listen-address=127.0.0.1:{self.port}",
            *self._flags,
        ]
