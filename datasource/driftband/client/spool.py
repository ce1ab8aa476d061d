"""What could not be sent, kept in a file until it can be: one call a line, each written whole or not at all.

Every call carries its sender's key, so that one that is sent twice, after a crash or by two senders, does no harm.
"""

import fcntl
import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from driftband.client.call import Call, read_call
from driftband.client.server import RefusedError, UnreachedError

ASIDE = ".aside"
"""Beside the spool: lines that cannot be read, and calls that the server will never take."""


@dataclass(frozen=True, kw_only=True)
class Emptied:
    """What became of a spool's calls. left: how many still wait, and why. aside: why some were put beside."""

    sent: int = 0
    left: int = 0
    why: str = ""
    aside: tuple[str, ...] = ()


def keep(path: Path, call: Call) -> None:
    """Append a call; OSError where that cannot be done, and then the file is as it was before."""
    _append(path, json.dumps(call.json(), ensure_ascii=True).encode())


def empty(path: Path, send: Callable[[Call], Any], in_time: Callable[[], bool]) -> Emptied:
    """Send what the file holds, oldest first, until one cannot be sent or ``in_time`` says no more; keep the rest.

    The lock is not held while sending: an apply must not wait for another's network.
    """
    with _locked(path, create=False) as file:
        lines = file.read().splitlines(keepends=True) if file else []
    done, sent, why, aside = 0, 0, "", []
    try:
        for number, line in enumerate(lines, 1):
            if not in_time():
                why = "there was no time for more"
                break
            try:
                send(_read(line))
                sent += 1
            except ValueError as error:
                aside.append(f"line {number} of {path} is {error}")
                _append(_beside(path), line.rstrip(b"\n"))
            except RefusedError as error:
                if not error.input_is_bad:
                    why = str(error)
                    break
                aside.append(f"line {number} of {path}: {error}")
                _append(_beside(path), line.rstrip(b"\n"))
            except UnreachedError as error:
                why = str(error)
                break
            done += 1
    finally:
        _drop(path, b"".join(lines[:done]))
    return Emptied(sent=sent, left=len(lines) - done, why=why, aside=tuple(aside))


def _read(line: bytes) -> Call:
    try:
        document = json.loads(line)
    except (ValueError, RecursionError):
        raise ValueError("broken: its writer was stopped, or something else wrote to it") from None
    return read_call(document)


def _beside(path: Path) -> Path:
    return path.with_name(path.name + ASIDE)


def _append(path: Path, line: bytes) -> None:
    with _locked(path, create=True) as file:
        size = file.seek(0, os.SEEK_END)
        torn = size > 0 and _last_byte(file) != b"\n"
        try:
            _write(file, (b"\n" if torn else b"") + line + b"\n")
        except OSError:
            file.truncate(size)
            raise


def _drop(path: Path, head: bytes) -> None:
    """Take the lines that are done from the file, unless another sender has."""
    if not head:
        return
    with _locked(path, create=False) as file:
        if file is None or not (rest := file.read()).startswith(head):
            return
        rest = rest[len(head) :]
        if not rest:
            path.unlink()
            return
        beside = path.with_name(f"{path.name}.{os.getpid()}.new")
        with _opened(beside, os.O_CREAT | os.O_TRUNC) as fresh:
            _write(fresh, rest)
        beside.replace(path)


def _write(file: Any, content: bytes) -> None:
    view = memoryview(content)
    while view:
        view = view[file.write(view) :]
    os.fsync(file.fileno())


def _last_byte(file: Any) -> bytes:
    file.seek(-1, os.SEEK_END)
    return bytes(file.read(1))


@contextmanager
def _locked(path: Path, *, create: bool) -> Iterator[Any]:
    """Open and lock the file; None where there is none. One who waited may hold what has been replaced: look again."""
    while True:
        try:
            file = _opened(path, os.O_CREAT if create else 0)
        except FileNotFoundError:
            if create:
                raise
            yield None
            return
        with file:
            fcntl.flock(file, fcntl.LOCK_EX)
            if _is_still(path, file):
                yield file
                return


def _is_still(path: Path, file: Any) -> bool:
    try:
        return path.stat().st_ino == os.fstat(file.fileno()).st_ino
    except FileNotFoundError:
        return False


def _opened(path: Path, flags: int) -> Any:
    descriptor = os.open(path, os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC | flags, 0o600)
    os.fchmod(descriptor, 0o600)
    return os.fdopen(descriptor, "r+b", buffering=0)
