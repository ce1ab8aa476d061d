import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from driftband.client import spool
from driftband.client.call import Call, change_call, report_call
from driftband.client.delivery import Delivery
from driftband.client.server import RefusedError, Server, UnreachedError

from .stand_in import TOKEN, Reply, StandIn


def always() -> bool:
    return True


def changes(*ids: str) -> list[Call]:
    return [
        change_call(json.dumps({"id": i, "kind": "deploy", "started_at": "2026-11-24T10:00:00Z"}).encode()) for i in ids
    ]


def sent_by(path: Path) -> tuple[list[Call], spool.Emptied]:
    sent: list[Call] = []
    return sent, spool.empty(path, sent.append, always)


def test_what_is_kept_is_sent_in_order_and_then_gone(tmp_path: Path) -> None:
    path = tmp_path / "spool"
    calls = [*changes("1", "2"), report_call('{"n": "\u00e4\\n"}'.encode(), "prod/a b", "r", serial=4, lineage=None)]
    for call in calls:
        spool.keep(path, call)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert sent_by(path) == (calls, spool.Emptied(sent=3))
    assert not path.exists()
    assert sent_by(path) == ([], spool.Emptied())


def test_what_still_fails_stays_and_nothing_overtakes_it(tmp_path: Path) -> None:
    path = tmp_path / "spool"
    first, second, third = changes("1", "2", "3")
    for call in (first, second, third):
        spool.keep(path, call)

    def send(call: Call) -> None:
        if call == second:
            raise UnreachedError("away")

    assert spool.empty(path, send, always) == spool.Emptied(sent=1, left=2, why="away")
    assert sent_by(path)[0] == [second, third]


def test_a_wrong_token_loses_nothing(tmp_path: Path) -> None:
    path = tmp_path / "spool"
    spool.keep(path, *changes("1"))

    def send(_: Call) -> None:
        raise RefusedError(401, "the token")

    assert spool.empty(path, send, always).left == 1
    assert len(sent_by(path)[0]) == 1


def test_bad_input_is_put_aside_and_holds_nobody_up(tmp_path: Path) -> None:
    path = tmp_path / "spool"
    first, second = changes("1", "2")
    spool.keep(path, first)
    spool.keep(path, second)

    def send(call: Call) -> None:
        if call == first:
            raise RefusedError(422, "too odd")

    emptied = spool.empty(path, send, always)
    assert (emptied.sent, emptied.left) == (1, 0)
    assert "too odd" in emptied.aside[0]
    aside = path.with_name("spool.aside")
    assert json.loads(aside.read_text()) == first.json()
    assert stat.S_IMODE(aside.stat().st_mode) == 0o600


@pytest.mark.parametrize("rubbish", [b'{"method": "POST", "pa', b"\xff\xfe", b"[[[" * 9_999, b'{"path": "/etc"}', b""])
def test_a_broken_last_line_is_kept_aside_and_reported(tmp_path: Path, rubbish: bytes) -> None:
    path = tmp_path / "spool"
    first, second = changes("1", "2")
    spool.keep(path, first)
    with path.open("ab") as file:
        file.write(rubbish)
    spool.keep(path, second)
    sent, emptied = sent_by(path)
    assert sent == [first, second]
    assert len(emptied.aside) == (1 if rubbish else 0)
    if rubbish:
        assert path.with_name("spool.aside").read_bytes() == rubbish + b"\n"
        assert "line 2 of" in emptied.aside[0]


def test_another_path_is_never_called(tmp_path: Path) -> None:
    path = tmp_path / "spool"
    path.write_text(
        json.dumps({"method": "POST", "path": "/driftband/v1/incidents/1/resolve", "query": {}, "body": ""})
    )
    assert sent_by(path)[0] == []


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    target = tmp_path / "target"
    target.write_text("mine")
    (tmp_path / "spool").symlink_to(target)
    with pytest.raises(OSError, match="symbolic link"):
        spool.keep(tmp_path / "spool", *changes("1"))
    assert target.read_text() == "mine"


def test_a_full_disk_leaves_the_file_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "spool"
    spool.keep(path, *changes("1"))
    before = path.read_bytes()
    monkeypatch.setattr(os, "fsync", _full)
    with pytest.raises(OSError, match="No space"):
        spool.keep(path, *changes("2"))
    assert path.read_bytes() == before


def _full(_: int) -> None:
    raise OSError(28, "No space left on device")


def test_what_is_kept_while_another_sends_is_not_lost(tmp_path: Path) -> None:
    path = tmp_path / "spool"
    first, second = changes("1", "2")
    spool.keep(path, first)
    spool.empty(path, lambda _: spool.keep(path, second), always)
    assert sent_by(path)[0] == [second]


def test_two_senders_lose_nothing(tmp_path: Path) -> None:
    path = tmp_path / "spool"
    first, second = changes("1", "2")
    spool.keep(path, first)
    inner: list[Call] = []

    def send(_: Call) -> None:
        spool.empty(path, inner.append, always)
        spool.keep(path, second)

    spool.empty(path, send, always)
    assert inner == [first]
    assert sent_by(path)[0] == [second]


WRITER = """
import sys
from pathlib import Path
from driftband.client import spool
from driftband.client.call import change_call
for number in range(50):
    spool.keep(Path(sys.argv[1]), change_call(b'{"id": "%s-%d"}' % (sys.argv[2].encode(), number)))
"""


def test_writers_side_by_side_write_whole_lines(tmp_path: Path) -> None:
    path = tmp_path / "spool"
    writers = [subprocess.Popen([sys.executable, "-c", WRITER, str(path), name]) for name in "ab"]
    sent: list[Call] = []
    while any(writer.poll() is None for writer in writers):
        assert spool.empty(path, sent.append, always).aside == ()
    assert [writer.wait() for writer in writers] == [0, 0]
    spool.empty(path, sent.append, always)
    ids = [json.loads(call.body)["id"] for call in sent]
    assert sorted(ids) == sorted(f"{name}-{number}" for name in "ab" for number in range(50))


def test_a_delivery_keeps_the_order_through_an_outage(tmp_path: Path, stand_in: StandIn) -> None:
    path, said = tmp_path / "spool", list[str]()
    first, second, third = changes("1", "2", "3")
    stand_in.replies = [Reply(status=500)]
    down = Delivery(Server(url=stand_in.url, token=TOKEN), path, said.append)
    assert (down.send(first), down.send(second)) == (None, None)
    assert "the server failed (500); kept in" in said[0]
    again = Delivery(Server(url=stand_in.url, token=TOKEN), path, said.append)
    assert again.send(third)["id"] == "3"
    assert [json.loads(body)["id"] for _, _, body in stand_in.taken] == ["1", "2", "3"]
    assert TOKEN not in "".join(said)


def test_without_a_server_everything_is_kept(tmp_path: Path, stand_in: StandIn) -> None:
    path = tmp_path / "spool"
    assert Delivery(None, path, lambda _: None).send(changes("1")[0]) is None
    assert Delivery(Server(url=stand_in.url, token=TOKEN), path, lambda _: None).send(changes("2")[0])["id"] == "2"
    assert len(stand_in.taken) == 2


def test_a_refused_token_keeps_the_call_and_says_so(tmp_path: Path, stand_in: StandIn) -> None:
    path = tmp_path / "spool"
    with pytest.raises(RefusedError):
        Delivery(Server(url=stand_in.url, token="wrong-token"), path, lambda _: None).send(changes("1")[0])
    assert b"wrong-token" not in path.read_bytes()
    assert sent_by(path)[0] == changes("1")
