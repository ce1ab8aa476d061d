"""A real Grafana for tests: the one at GRAFANA_URL, or the binary named by GRAFANA_BIN on a free port of loopback.

GRAFANA_URL: with an admin's ``user:password@``, else admin:admin. GRAFANA_BIN: Grafana 12's ``grafana``, run on the home
path GRAFANA_HOME (where it was unpacked), else the folder above the binary's own.
"""

import os
import secrets
import shutil
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit, urlunsplit

import requests

from .program import free_port

_READY_WITHIN = 120.0
_STOPS_WITHIN = 20.0
_LAST = "/api/plugins/prometheus/settings"
"""What answers last of all: it is healthy before its plugins are loaded."""
_QUIET = {
    "GF_ANALYTICS_REPORTING_ENABLED": "false",
    "GF_ANALYTICS_CHECK_FOR_UPDATES": "false",
    "GF_ANALYTICS_CHECK_FOR_PLUGIN_UPDATES": "false",
    "GF_NEWS_NEWS_FEED_ENABLED": "false",
    "GF_SECURITY_DISABLE_GRAVATAR": "true",
    "GF_PLUGINS_PREINSTALL_DISABLED": "true",
    "GF_PLUGINS_PUBLIC_KEY_RETRIEVAL_DISABLED": "true",
}
"""What keeps it from asking anybody on the Internet."""


def missing_grafana() -> str:
    """Return why no Grafana can be started here, empty where one can."""
    named = os.environ.get("GRAFANA_BIN")
    if not named:
        return "GRAFANA_BIN names no Grafana 12 binary"
    return "" if shutil.which(named) else f"GRAFANA_BIN={named} is no program"


class Grafana:
    """A Grafana that answers at ``url`` (no slash at the end), and an admin's session with it."""

    def __init__(self, url: str, user: str = "admin", password: str = "admin") -> None:
        self.url = url
        self.session = requests.Session()
        self.session.trust_env = False
        self.session.auth = (user, password)
        self._accounts: list[int] = []

    @classmethod
    def named(cls, url: str) -> Self:
        """Return the one at an address with an admin's ``user:password@``."""
        parts = urlsplit(url)
        plain = urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2])).rstrip("/")
        return cls(plain, parts.username or "admin", parts.password or "admin")

    def ask(self, method: str, path: str, **more: Any) -> Any:
        """Return the JSON of an answer of 200."""
        answer = self.session.request(method, self.url + path, timeout=60, **more)
        assert answer.status_code == 200, f"{method} {path}: {answer.status_code} {answer.text[:2000]}"
        return answer.json()

    def token(self, role: str) -> str:
        """Make a service account of a role (Viewer, Editor, Admin) and return its token."""
        name = f"driftband-test-{secrets.token_hex(4)}"
        accounts = f"{self.url}/api/serviceaccounts"
        answer = self.session.post(accounts, json={"name": name, "role": role}, timeout=60)
        answer.raise_for_status()
        self._accounts.append(answer.json()["id"])
        return str(self.ask("POST", f"/api/serviceaccounts/{self._accounts[-1]}/tokens", json={"name": name})["key"])

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for account in self._accounts:
            self.session.delete(f"{self.url}/api/serviceaccounts/{account}", timeout=60)
        self.session.close()


class GrafanaServer(Grafana):
    """The binary, running from ``start`` to ``stop`` or within a ``with``; its data and its port stay over a restart.

    Whoever opens its pages without signing in is an admin. provisioning: the folder that it mounts; environ: what it is
    told besides, as ``GF_SECTION_KEY`` or as what the provisioning asks for.
    """

    def __init__(
        self, folder: Path, *, provisioning: Path | None = None, environ: Mapping[str, str] | None = None
    ) -> None:
        port = free_port()
        super().__init__(f"http://127.0.0.1:{port}")
        self._folder = folder
        folders = {"DATA": folder / "data", "LOGS": folder / "logs", "PLUGINS": folder / "plugins"}
        folders["PROVISIONING"] = provisioning or folder / "provisioning"
        for one in folders.values():
            one.mkdir(parents=True, exist_ok=True)
        self._environ = {
            "PATH": "/usr/bin:/bin",
            "HOME": str(folder),
            "GF_SERVER_HTTP_ADDR": "127.0.0.1",
            "GF_SERVER_HTTP_PORT": str(port),
            "GF_AUTH_ANONYMOUS_ENABLED": "true",
            "GF_AUTH_ANONYMOUS_ORG_ROLE": "Admin",
            "GF_UNIFIED_ALERTING_MIN_INTERVAL": "10s",
            **{f"GF_PATHS_{name}": str(path) for name, path in folders.items()},
            **_QUIET,
            **(environ or {}),
        }
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def log(self) -> str:
        """What it has written to its log."""
        path = self._folder / "grafana.log"
        return path.read_text(errors="replace") if path.exists() else ""

    def start(self) -> Self:
        """Start it and wait until it answers."""
        binary = str(shutil.which(os.environ["GRAFANA_BIN"]))
        home = os.environ.get("GRAFANA_HOME") or str(Path(binary).resolve().parents[1])
        with (self._folder / "grafana.log").open("ab") as log:
            self._process = subprocess.Popen(
                [binary, "server", "--homepath", home], stdout=log, stderr=log, env=self._environ
            )
        deadline = time.monotonic() + _READY_WITHIN
        while time.monotonic() < deadline and self._process.poll() is None:
            try:
                if self.session.get(f"{self.url}{_LAST}", timeout=2).ok:
                    return self
            except requests.RequestException:
                pass
            time.sleep(0.2)
        self.stop()
        raise RuntimeError(f"Grafana did not start:\n{self.log[-4000:]}")

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
        self.session.close()
