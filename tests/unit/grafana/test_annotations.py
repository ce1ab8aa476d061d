"""Writing annotations, against a stand-in for Grafana."""

import socket
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from grafana_client import GrafanaApi

from driftband.grafana.annotations import AnnotationError, Reconciled, put, reconcile
from driftband.grafana.client import connect
from driftband.model.change import Change

from .stand_in import TOKEN, Answer, GrafanaStandIn

AT = datetime(2026, 11, 24, 10, tzinfo=UTC)
MS = 1_795_514_400_000


def change(**more: Any) -> Change:
    given = {"id": "run-1", "kind": "deploy", "started_at": AT, "ended_at": AT + timedelta(seconds=60), **more}
    return Change(**given)


@pytest.fixture(name="grafana")
def _grafana() -> Iterator[GrafanaStandIn]:
    with GrafanaStandIn() as stand_in:
        yield stand_in


@pytest.fixture(name="api")
def _api(grafana: GrafanaStandIn) -> Iterator[GrafanaApi]:
    api = connect(grafana.url, TOKEN, 5.0)
    yield api
    api.client.s.close()


def test_the_same_change_twice_is_one_annotation(grafana: GrafanaStandIn, api: GrafanaApi) -> None:
    number = put(api, change())
    assert put(api, change()) == number
    assert put(api, change(), number) == number
    assert list(grafana.held) == [number]
    assert (grafana.held[number]["time"], grafana.held[number]["timeEnd"]) == (MS, MS + 60_000)


def test_it_is_edited_when_the_change_goes_on_and_when_it_begins_anew(grafana: GrafanaStandIn, api: GrafanaApi) -> None:
    number = put(api, change(status="running", ended_at=None))
    assert grafana.held[number]["timeEnd"] == MS
    assert put(api, change(status="failed"), number) == number
    assert grafana.held[number]["timeEnd"] == MS + 60_000
    assert "failed" in grafana.held[number]["text"]
    assert "status:failed" in grafana.held[number]["tags"]
    put(api, change(status="running", ended_at=None), number)
    assert grafana.held[number]["timeEnd"] == MS


def test_an_attempt_whose_answer_was_lost_is_not_doubled(grafana: GrafanaStandIn, api: GrafanaApi) -> None:
    number = grafana.hold(tags=["driftband", "driftband_id:run-1"])
    assert put(api, change()) == number
    assert list(grafana.held) == [number]


def test_what_grafana_has_forgotten_is_made_anew(grafana: GrafanaStandIn, api: GrafanaApi) -> None:
    first = put(api, change())
    del grafana.held[first]
    second = put(api, change(), first)
    assert list(grafana.held) == [second]
    assert second != first


def test_an_annotation_that_vanishes_under_the_edit_is_made_anew(grafana: GrafanaStandIn, api: GrafanaApi) -> None:
    first = put(api, change())

    def vanish(method: str, _path: str) -> Answer | None:
        if method == "PUT":
            grafana.held.pop(first, None)
        return None

    grafana.turn = vanish
    assert put(api, change(), first) != first
    assert len(grafana.held) == 1


def test_a_known_id_that_belongs_to_others_by_now_is_left_alone(grafana: GrafanaStandIn, api: GrafanaApi) -> None:
    theirs = grafana.hold(text="of a person", tags=["driftband", "driftband_id:run-2"])
    ours = put(api, change(), theirs)
    assert ours != theirs
    assert grafana.held[theirs]["text"] == "of a person"


def test_ids_that_differ_in_case_alone_stay_two(grafana: GrafanaStandIn, api: GrafanaApi) -> None:
    assert put(api, change(id="run-A")) != put(api, change(id="run-a"))
    assert len(grafana.held) == 2


@pytest.mark.parametrize("odd", ["a&tags=driftband", "a%20b", "ä b:c#d", "x" * 5000, "a+b", "'; drop table annotation"])
def test_a_hostile_id_finds_itself_and_nothing_else(grafana: GrafanaStandIn, api: GrafanaApi, odd: str) -> None:
    other = put(api, change(id="other"))
    number = put(api, change(id=odd))
    assert put(api, change(id=odd)) == number != other
    assert len(grafana.held) == 2


ALL = [
    ((401, {"message": "Invalid API key"}), "(401)"),
    ((403, {"message": "Access denied"}), "role Editor"),
    ((404, {"message": "Not found"}), "path prefix"),
    ((429, {}), "(429)"),
    ((502, b"<html>bad gateway"), "(502)"),
    ((503, {}), "(503)"),
    ((200, b"<html>sign in"), "not as Grafana does"),
    ((200, {"message": "no list, no id"}), "not as Grafana does"),
    ((302, {}), "not as Grafana does"),
]


@pytest.mark.parametrize(("answer", "words"), ALL)
def test_what_fails_for_all_is_told_as_such(
    grafana: GrafanaStandIn, api: GrafanaApi, answer: Answer, words: str
) -> None:
    grafana.turn = lambda _method, _path: answer
    with pytest.raises(AnnotationError, match=r"Grafana at http://127\.0\.0\.1") as caught:
        put(api, change())
    assert words in str(caught.value)
    assert caught.value.for_all
    assert TOKEN not in repr(caught.value)


@pytest.mark.parametrize("answer", [(400, {"message": TOKEN}), (500, {"message": TOKEN}), (500, TOKEN.encode())])
def test_what_fails_for_one_is_told_as_such_and_repeats_nothing(
    grafana: GrafanaStandIn, api: GrafanaApi, answer: Answer
) -> None:
    grafana.turn = lambda method, _path: answer if method == "POST" else None
    with pytest.raises(AnnotationError, match=f"status {answer[0]}") as caught:
        put(api, change())
    assert not caught.value.for_all
    assert TOKEN not in str(caught.value)


def test_a_wrong_token_is_not_repeated(grafana: GrafanaStandIn) -> None:
    api = connect(grafana.url, "glsa_another-canary", 5.0)
    with pytest.raises(AnnotationError, match="401") as caught:
        put(api, change())
    assert "canary" not in str(caught.value)
    api.client.s.close()


def _nobody() -> str:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{probe.getsockname()[1]}"


def test_a_grafana_that_is_away_or_silent_is_told(grafana: GrafanaStandIn) -> None:
    with pytest.raises(AnnotationError, match="cannot be reached") as caught:
        put(connect(_nobody(), TOKEN, 5.0), change())
    assert caught.value.for_all

    def sleep(_method: str, _path: str) -> Answer:
        time.sleep(0.3)
        return 200, []

    grafana.turn = sleep
    api = connect(grafana.url, TOKEN, 0.05)
    with pytest.raises(AnnotationError, match="in time") as caught:
        put(api, change())
    assert caught.value.for_all
    api.client.s.close()


class _Desk:
    """Changes by id: as they are, the annotation they have, and what that shows."""

    def __init__(self, *changes: Change) -> None:
        self.changes = {one.id: (one, AT) for one in changes}
        self.shown: dict[str, tuple[int, datetime]] = {}

    def update(self, changed: Change, at: datetime) -> None:
        self.changes[changed.id] = (changed, at)

    def due(self, limit: int) -> Sequence[tuple[Change, int | None, datetime]]:
        waiting = [
            (one, self.shown.get(one.id, (None, None))[0], at)
            for one, at in self.changes.values()
            if one.id not in self.shown or self.shown[one.id][1] < at
        ]
        return waiting[:limit]

    def annotated(self, change_id: str, annotation_id: int, updated_at: datetime) -> None:
        self.shown[change_id] = (annotation_id, updated_at)


def test_an_outage_ends_the_round_and_the_next_one_goes_on(grafana: GrafanaStandIn, api: GrafanaApi) -> None:
    desk = _Desk(*(change(id=f"run-{n}") for n in range(4)))
    grafana.turn = lambda method, _path: (503, {}) if method == "POST" and len(grafana.held) == 2 else None
    first = reconcile(api, desk, 10)
    assert (first.written, first.failed) == (2, 1)
    assert "503" in str(first.reason)
    assert grafana.asked.count("POST /annotations") == 3
    grafana.turn = lambda _method, _path: None
    assert reconcile(api, desk, 10) == Reconciled(written=2)
    assert reconcile(api, desk, 10) == Reconciled()
    assert len(grafana.held) == 4


def test_one_that_is_refused_does_not_stop_the_rest(grafana: GrafanaStandIn, api: GrafanaApi) -> None:
    desk = _Desk(*(change(id=f"run-{n}") for n in range(3)))
    refusals = iter([(400, {"message": "no"})])
    grafana.turn = lambda method, _path: next(refusals, None) if method == "POST" else None
    done = reconcile(api, desk, 10)
    assert (done.written, done.failed) == (2, 1)
    assert "status 400" in str(done.reason)
    assert desk.shown.keys() == {"run-1", "run-2"}


def test_no_more_than_the_limit_and_changes_that_went_on_again(grafana: GrafanaStandIn, api: GrafanaApi) -> None:
    desk = _Desk(*(change(id=f"run-{n}", status="running", ended_at=None) for n in range(3)))
    assert reconcile(api, desk, 2).written == 2
    assert reconcile(api, desk, 2).written == 1
    desk.update(change(id="run-1", status="failed"), AT + timedelta(seconds=61))
    assert reconcile(api, desk, 2).written == 1
    assert len(grafana.held) == 3
    assert [one["timeEnd"] - one["time"] for one in grafana.held.values()] == [0, 60_000, 0]


def test_one_that_somebody_deleted_stays_away_until_its_change_goes_on(
    grafana: GrafanaStandIn, api: GrafanaApi
) -> None:
    desk = _Desk(change())
    reconcile(api, desk, 10)
    grafana.held.clear()
    assert reconcile(api, desk, 10) == Reconciled()
    assert grafana.held == {}
    desk.update(change(status="failed"), AT + timedelta(seconds=61))
    assert reconcile(api, desk, 10).written == 1
    assert len(grafana.held) == 1
