"""Waiting for how things stand after a change."""

from typing import Any

import pytest

from driftband.client.call import Call
from driftband.client.server import RefusedError, UnreachedError
from driftband.client.verify import EVERY, Follower, verification_lines


class Told:
    """A server that answers one thing after the other, the last one for ever."""

    def __init__(self, *answers: Any) -> None:
        self.answers, self.asked = list(answers), list[Call]()

    def send(self, call: Call) -> Any:
        self.asked.append(call)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer


def follower(server: Told, shown: list[str], patience: float = 60) -> Follower:
    clock = iter(range(0, 10_000, int(EVERY)))
    return Follower(
        server=server, change="run-1", seconds=900, patience=patience, show=shown.append,  # type: ignore[arg-type]
        clock=lambda: float(next(clock)), sleep=lambda _: None,
    )  # fmt: skip


def at(status: str, evaluated: str | None = None, **more: Any) -> dict[str, Any]:
    return {
        "change": "run-1",
        "status": status,
        "reason": "so",
        "evaluated_until": evaluated,
        "signals": {"latency": 2},
        **more,
    }


def test_it_asks_until_it_is_known() -> None:
    shown: list[str] = []
    server = Told(
        at("running"), at("watching", "10:00", until="10:15"), at("watching", "10:01", until="10:15"), at("calm")
    )
    assert follower(server, shown).follow() == at("calm")
    assert {call.path for call in server.asked} == {"/driftband/v1/verification"}
    assert server.asked[0].query == {"change": "run-1", "seconds": "900"}
    assert shown == [
        "run-1: so; 2 series watched",
        "run-1: so; 2 series watched until 10:15, evaluated until 10:00",
        "run-1: so; 2 series watched until 10:15, evaluated until 10:01",
    ]


def test_a_watcher_that_stands_still_is_no_calm() -> None:
    told = follower(Told(at("watching", "10:00", reason="the source is down")), []).follow()
    assert (told["status"], told["reason"]) == ("unknown", "nothing was evaluated for 60 seconds: the source is down")


def test_one_that_goes_on_slowly_is_waited_for() -> None:
    steps = [at("watching", str(minute)) for minute in range(20) for _ in range(10)]
    assert follower(Told(*steps, at("calm")), []).follow()["status"] == "calm"


def test_a_long_run_is_no_standstill() -> None:
    assert follower(Told(*[at("running")] * 100, at("calm")), []).follow()["status"] == "calm"


def test_what_is_not_on_record_is_not_known() -> None:
    told = follower(Told(RefusedError(404, "there is no change")), []).follow()
    assert (told["status"], "not on record" in told["reason"]) == ("unknown", True)


def test_a_server_that_is_away_for_moments_is_asked_again_and_not_for_ever() -> None:
    away = [UnreachedError("away")] * 3
    shown: list[str] = []
    assert follower(Told(at("running"), *away, at("watching", "10:00"), *away, at("calm")), shown).follow() == at(
        "calm"
    )
    assert shown.count("run-1: away; it is asked again") == 6
    with pytest.raises(UnreachedError):
        follower(Told(at("watching", "10:00"), UnreachedError("away")), []).follow()


@pytest.mark.parametrize("error", [RefusedError(401, "token"), UnreachedError("away")])
def test_what_goes_wrong_is_an_error(error: Exception) -> None:
    with pytest.raises(type(error)):
        follower(Told(error), []).follow()


def test_the_end_is_told_in_lines_that_no_terminal_obeys() -> None:
    found = {
        "kind": "band_breach", "signal": "latency\x1b[31m", "severity": "error", "identity": {"service": "checkout"},
        "reason": "::error::it moved", "opened_at": "10:04", "incident": "i1", "score": 0.8, "reasons": ["just before"],
    }  # fmt: skip
    text = "\n".join(verification_lines(at("drift", findings=[found], others=2)))
    assert "\x1b" not in text
    assert "\n::" not in text
    assert "- band breach of latency�[31m (error), service checkout" in text
    assert "suspected with 0.8:\n  . just before" in text
    assert text.endswith("2 more that it is not suspected of")
