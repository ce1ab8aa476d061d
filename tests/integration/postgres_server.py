"""A real PostgreSQL for tests: in a temporary folder, on a free port of loopback, and gone afterwards."""

import getpass
import os
import pwd
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any, Self

from .program import free_port

PROGRAMS = ("initdb", "pg_ctl", "createdb", "pg_dump")


def missing_programs() -> list[str]:
    """Return which of PostgreSQL's programs this machine lacks."""
    return [program for program in PROGRAMS if _find(program) is None]


def _find(program: str) -> str | None:
    """Return a program's path; Debian keeps most of them off the PATH."""
    debian = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{program}"), reverse=True)
    return str(debian[0]) if debian else shutil.which(program)


class PostgresServer:
    """A PostgreSQL, running within a ``with``. As root it runs as an ordinary user, since it refuses root."""

    def __init__(self) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="postgres-"))
        self._user = next(u for u in ("postgres", "nobody") if _exists(u)) if os.getuid() == 0 else None
        if self._user:
            shutil.chown(self._folder, self._user)
        self._port = free_port()
        self._databases = 0

    def __enter__(self) -> Self:
        self._run("initdb", "--auth=trust", "--no-sync", "--encoding=UTF8", "--locale=C", "-D", str(self._data))
        options = (
            f"-p {self._port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={self._folder} -c fsync=off"
        )
        self._run("pg_ctl", "-D", str(self._data), "-w", "-l", str(self._folder / "log"), "-o", options, "start")
        return self

    def __exit__(self, *_: object) -> None:
        self._run("pg_ctl", "-D", str(self._data), "-m", "immediate", "stop")
        shutil.rmtree(self._folder, ignore_errors=True)

    def new_database(self) -> str:
        """Make an empty database and return its URL."""
        self._databases += 1
        name = f"test_{self._databases}"
        self._run("createdb", "-h", "127.0.0.1", "-p", str(self._port), name)
        return f"postgresql+psycopg://{self._user or getpass.getuser()}@127.0.0.1:{self._port}/{name}"

    def dump(self, url: str) -> bytes:
        """Return all that a database holds, as pg_dump writes it."""
        command = [str(_find("pg_dump")), "--inserts", url.replace("+psycopg", "")]
        return subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout

    @property
    def _data(self) -> Path:
        return self._folder / "data"

    def _run(self, program: str, *arguments: str) -> None:
        as_whom: dict[str, Any] = {"user": self._user, "env": {"PATH": os.environ["PATH"], "HOME": str(self._folder)}}
        command = [str(_find(program)), *arguments]
        with tempfile.TemporaryFile() as said:  # a pipe would stay open in the server that pg_ctl leaves behind
            done = subprocess.run(command, stdout=said, stderr=said, cwd="/", check=False, **as_whom)
            said.seek(0)
            if done.returncode:
                raise RuntimeError(f"{program} failed: {said.read().decode(errors='replace')[-1000:]}")


def _exists(user: str) -> bool:
    try:
        pwd.getpwnam(user)
    except KeyError:
        return False
    return True
