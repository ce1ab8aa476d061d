"""Bodies beyond the limit: refused with 413, whether they say their length or not, and never kept in memory."""

import threading
from collections.abc import Iterator

import pytest

from .evidence_api import Api, B, C, StartApi, capture, refused
from .hostile import plan

MIB = 1 << 20
LIMIT = 4 * MIB
GROWTH = 48 * MIB
"""Of the whole service, which other threads and its allocator may use as well; ten times less than what is sent."""


class _Sized:
    """A body of so many bytes that is never made as a whole."""

    def __init__(self, size: int) -> None:
        self._size = self._left = size

    def __len__(self) -> int:
        return self._size

    def read(self, most: int = -1) -> bytes:
        part = min(MIB if most < 0 else most, self._left)
        self._left -= part
        return b" " * part


def _chunks(first: bytes, blanks: int) -> Iterator[bytes]:
    yield first
    for _ in range(blanks):
        yield b" " * MIB


@pytest.fixture(scope="module")
def small(start_api: StartApi) -> Api:
    return start_api(limits={"body": "4MiB"})


@pytest.fixture
def peak(small: Api) -> Iterator[list[int]]:
    """Give what the service has grown by, in a list that is filled meanwhile."""
    for _ in range(3):
        small.report(capture(B), "warm")
    before, grown, done = small.server.memory(), [0], threading.Event()

    def watch() -> None:
        while not done.wait(0.02):
            grown.append(small.server.memory() - before)

    watching = threading.Thread(target=watch)
    watching.start()
    yield grown
    done.set()
    watching.join()


@pytest.mark.parametrize(
    "path", ["/drift-reports?workspace=w", "/inventory?workspace=w", "/changes", "/audit-events", "/hooks/atlantis"]
)
@pytest.mark.parametrize("told", [True, False], ids=["of a told length", "in chunks"])
def test_500_mb_are_refused_and_not_kept(small: Api, peak: list[int], path: str, told: bool) -> None:
    body = _Sized(500_000_000) if told else _chunks(capture(B), 477)
    refused(small.ask("POST", path, data=body), 413, "limits.body")
    assert max(peak) < GROWTH


@pytest.mark.parametrize("kind", ["plan.json", "stream.jsonl"])
def test_a_body_that_was_cut_at_the_limit_is_not_taken_for_the_whole(small: Api, kind: str) -> None:
    content = capture(C, kind)
    ahead = b" " if kind == "plan.json" else b"\n"
    for body in (content + b" " * LIMIT, ahead * (LIMIT - len(content) // 2) + content):
        refused(small.ask("POST", f"/drift-reports?workspace=cut/{kind}", data=_chunks(body, 0)), 413)
    assert small.get("/runs", workspace=f"cut/{kind}")["runs"] == []


def test_a_body_in_chunks_within_the_limit_is_taken(small: Api) -> None:
    answer = small.ask("POST", "/drift-reports?workspace=chunks", data=_chunks(capture(C), 2))
    assert (answer.status_code, answer.json()["opened"]) == (201, 4)


def test_the_connection_serves_on_after_a_refusal(small: Api) -> None:
    refused(small.ask("POST", "/drift-reports?workspace=w", data=_chunks(b"", 20)), 413)
    assert small.post("/drift-reports", plan(), workspace="after").status_code == 201
