"""A program that serves on a free port of loopback for the length of a test."""

import itertools
import os
import random
import socket
import subprocess
import time
from abc import ABC, abstractmethod
from contextlib import suppress
from pathlib import Path
from typing import Any, Self

import requests

_READY_WITHIN = 30.0
_STOPS_WITHIN = 10.0
_ATTEMPTS = 3


_WORKER = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
# Below the ports that the system gives to whoever asks for any: between asking and listening another test would take one of those.
_OF_EACH = 2500
_FIRST = 11_000 + _WORKER % 8 * _OF_EACH
# Another run on this machine begins elsewhere.
_turns = itertools.count(random.randrange(_OF_EACH))


def free_port() -> int:
    """Return a TCP port of loopback that nothing listens on, and that no other worker is given."""
    while True:
        port = _FIRST + next(_turns) % _OF_EACH
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


class Program(ABC):
    """A server on ``data_dir``, running from ``start`` to ``stop`` or within a ``with``."""

    ready_path = "/-/ready"

    def __init__(self, data_dir: Path) -> None:
        self.data_dir = data_dir
        self.port = 0
        self._process: subprocess.Popen[bytes] | None = None

    @abstractmethod
    def command(self) -> list[str]:
        """Return what starts it on ``port``; called anew for each attempt."""

    @property
    def url(self) -> str:
        """Its address, without a slash at the end."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def log(self) -> str:
        """What it has written to its log."""
        path = self.data_dir / "server.log"
        return path.read_text(errors="replace") if path.exists() else ""

    def get(self, path: str, **more: Any) -> requests.Response:
        """GET a path of it as one who may; ``more`` is for requests."""
        with requests.Session() as session:
            session.trust_env = False
            return session.get(self.url + path, **{"timeout": 30, **more})

    def start(self) -> Self:
        """Start it and wait until it answers; again after a ``stop``, it has its data but another port."""
        self.data_dir.mkdir(parents=True, exist_ok=True)
        for _ in range(_ATTEMPTS):
            self.port = free_port()
            with (self.data_dir / "server.log").open("wb") as log:
                self._process = subprocess.Popen(self.command(), stdout=log, stderr=subprocess.STDOUT)
            if self._is_ready():
                return self
            self.stop()
            if "address already in use" not in self.log:
                break
        raise RuntimeError(f"{type(self).__name__} did not start:\n{self.log[-2000:]}")

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

    def _is_ready(self) -> bool:
        deadline = time.monotonic() + _READY_WITHIN
        while time.monotonic() < deadline and self._process is not None and self._process.poll() is None:
            try:
                if self.get(self.ready_path, timeout=1).ok:
                    return True
            except requests.RequestException:
                pass
            time.sleep(0.05)
        return False
