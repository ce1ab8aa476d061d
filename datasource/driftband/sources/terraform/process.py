"""Running Terraform as a process: its output in memory, never on a terminal or on a disk, and an end to every run."""

import contextlib
import os
import selectors
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

MAX_OUTPUT = 512 << 20
_GRACE = 20.0
"""Seconds for a run that is interrupted: Terraform gives the state's lock back, which a killed one never does."""
_PIECE = 1 << 18
_LOOK = 1.0


class TooMuchError(Exception):
    """The output is larger than MAX_OUTPUT."""


@dataclass(frozen=True, kw_only=True)
class Done:
    """A process that ended. timed_out: it was stopped at the deadline."""

    exit_code: int
    output: bytes
    errors: bytes
    timed_out: bool = False


def run(
    command: Sequence[str],
    directory: Path,
    environ: Mapping[str, str],
    deadline: float,
    observe: Callable[[bytes], None] = lambda _line: None,
) -> Done:
    """Run ``command`` in ``directory`` until ``deadline`` (monotonic clock); ``observe`` takes each line of its output.

    However this ends, the whole process group has ended with it. OSError where the command cannot be started.
    """
    process = subprocess.Popen(  # noqa: S603 - the command is ours; its directory and arguments are the user's
        command,
        cwd=directory,
        env=dict(environ),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    with process:
        try:
            output, errors, in_time = _collect(process, deadline, observe)
        finally:
            _end(process)
    return Done(exit_code=process.returncode, output=output, errors=errors, timed_out=not in_time)


def _collect(
    process: subprocess.Popen[bytes], deadline: float, observe: Callable[[bytes], None]
) -> tuple[bytes, bytes, bool]:
    assert process.stdout is not None  # noqa: S101 - both are pipes
    assert process.stderr is not None  # noqa: S101
    kept = {process.stdout.fileno(): bytearray(), process.stderr.fileno(): bytearray()}
    seen = 0
    with selectors.DefaultSelector() as selector:
        for descriptor in kept:
            selector.register(descriptor, selectors.EVENT_READ)
        ended = False
        while selector.get_map() and not ended and (left := deadline - time.monotonic()) > 0:
            ready = selector.select(min(left, _LOOK))
            # What it has left behind may hold the pipes open for ever.
            ended = not ready and process.poll() is not None
            for key, _ in ready:
                piece = os.read(key.fd, _PIECE)
                if not piece:
                    selector.unregister(key.fd)
                kept[key.fd] += piece
                if len(kept[key.fd]) > MAX_OUTPUT:
                    raise TooMuchError
            seen = _tell(kept[process.stdout.fileno()], seen, observe)
        in_time = ended or not selector.get_map()
    if in_time:
        try:
            process.wait(max(deadline - time.monotonic(), 0.1))
        except subprocess.TimeoutExpired:
            in_time = False
    output, errors = kept.values()
    return bytes(output), bytes(errors), in_time


def _tell(output: bytearray, seen: int, observe: Callable[[bytes], None]) -> int:
    while (end := output.find(b"\n", seen)) >= 0:
        observe(bytes(output[seen:end]))
        seen = end + 1
    return seen


def _end(process: subprocess.Popen[bytes]) -> None:
    """Interrupt what still runs, wait for it to clean up, then kill whatever is left of its group."""
    try:
        if process.poll() is None:
            _signal(process, signal.SIGINT)
            _let_end(process)
    finally:
        _signal(process, signal.SIGKILL)
        process.wait()


def _let_end(process: subprocess.Popen[bytes]) -> None:
    """Wait until it has ended. What it says meanwhile is not kept, but a full pipe would keep it from ending."""
    until = time.monotonic() + _GRACE
    with selectors.DefaultSelector() as selector:
        for pipe in (process.stdout, process.stderr):
            selector.register(pipe, selectors.EVENT_READ)  # type: ignore[arg-type]  # both are pipes
        while process.poll() is None and time.monotonic() < until:
            for key, _ in selector.select(0.05):
                if not os.read(key.fd, _PIECE):
                    selector.unregister(key.fileobj)


def _signal(process: subprocess.Popen[bytes], number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, number)
