"""A real Alertmanager for tests: on a free port of loopback, alone, and gone afterwards."""

import shutil
from pathlib import Path
from typing import Any

from .program import Program, free_port

PROGRAM = "prometheus-alertmanager"


def is_missing() -> bool:
    """Whether this machine lacks it."""
    return shutil.which(PROGRAM) is None


class AlertmanagerServer(Program):
    """An Alertmanager that tells a webhook; it keeps its port over a restart, as one that clients know has to."""

    def __init__(self, data_dir: Path, webhook: str) -> None:
        super().__init__(data_dir)
        self._webhook = webhook
        self._known = 0

    def command(self) -> list[str]:
        """Write the configuration, and return what starts it."""
        if self._known:
            self.port = self._known
        self._known = self.port
        config = self.data_dir / "alertmanager.yml"
        config.write_text(
            "route: {receiver: hook, group_by: [incident], group_wait: 0s, group_interval: 1s, repeat_interval: 4h}\n"
            f"receivers: [{{name: hook, webhook_configs: [{{url: '{self._webhook}'}}]}}]\n"
        )
        return [
            PROGRAM,
            f"--config.file={config}",
            f"--storage.path={self.data_dir}",
            f"--web.listen-address=127.0.0.1:{self.port}",
            "--cluster.listen-address=",
            "--log.level=debug",
        ]

    def alerts(self) -> list[dict[str, Any]]:
        """Return the alerts that fire now."""
        found: list[dict[str, Any]] = self.get("/api/v2/alerts").json()
        return found


__all__ = ["AlertmanagerServer", "free_port", "is_missing"]
