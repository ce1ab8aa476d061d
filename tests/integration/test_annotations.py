"""Changes as annotations in a real Grafana, written with an Editor's token."""

import secrets
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from grafana_client import GrafanaApi

from driftband.grafana.annotations import AnnotationError, Reconciled, put, reconcile
from driftband.grafana.client import connect
from driftband.model.change import Change, Touched
from driftband.model.moment import to_ms

from .browser import browser_page
from .conftest import GrafanaFactory
from .grafana_server import Grafana, GrafanaServer

NOW = datetime.now(UTC).replace(microsecond=0)
START = NOW - timedelta(hours=2)
END = START + timedelta(minutes=30)

Changed = Callable[..., Change]


@pytest.fixture
def changed(grafana: Grafana) -> Iterator[Changed]:
    """Make changes whose ids no other test has; their annotations are gone afterwards."""
    made: set[str] = set()

    def make(name: str = "run", **more: Any) -> Change:
        one = f"{name}-{mark}"
        made.add(one)
        given = {"kind": "terraform_apply", "started_at": START, "ended_at": END, "workspace": "prod/checkout"}
        return Change(id=one, **{**given, **more})

    mark = secrets.token_hex(4)
    yield make
    for one in grafana.ask("GET", "/api/annotations", params={"tags": "driftband", "limit": 1000}):
        if mark in one["text"] or any(mark in tag for tag in one["tags"]):
            grafana.ask("DELETE", f"/api/annotations/{one['id']}")


def _api(grafana: Grafana, role: str) -> Iterator[GrafanaApi]:
    api = connect(grafana.url, grafana.token(role), 30.0)
    yield api
    api.client.s.close()


@pytest.fixture(scope="module")
def editor(grafana: Grafana) -> Iterator[GrafanaApi]:
    yield from _api(grafana, "Editor")


@pytest.fixture(scope="module")
def viewer(grafana: Grafana) -> Iterator[GrafanaApi]:
    yield from _api(grafana, "Viewer")


def _held(grafana: Grafana, change: Change) -> list[dict[str, Any]]:
    tags = ["driftband", f"driftband_id:{change.id}"]
    return list(grafana.ask("GET", "/api/annotations", params={"tags": tags}))


def test_a_change_is_a_region(grafana: Grafana, editor: GrafanaApi, changed: Changed) -> None:
    change = changed(identity={"service": "checkout"})
    number = put(editor, change)
    (held,) = _held(grafana, change)
    assert held["id"] == number
    assert (held["time"], held["timeEnd"]) == (to_ms(START), to_ms(END))
    assert "Terraform apply of prod/checkout succeeded" in held["text"]
    for tags in ("kind:terraform_apply", "workspace:prod/checkout", "service:checkout", "service"):
        listed = grafana.ask("GET", "/api/annotations", params={"tags": ["driftband", tags]})
        assert number in [one["id"] for one in listed], tags


def test_the_same_change_again_edits_the_one(grafana: Grafana, editor: GrafanaApi, changed: Changed) -> None:
    running = changed(status="running", ended_at=None)
    number = put(editor, running)
    (held,) = _held(grafana, running)
    assert held["timeEnd"] == held["time"]
    failed = replace(running, status="failed", ended_at=END)
    assert put(editor, failed, number) == number
    assert put(editor, failed) == number
    (held,) = _held(grafana, running)
    assert held["timeEnd"] == to_ms(END)
    assert "status:failed" in held["tags"]
    assert "status:running" not in held["tags"]
    assert put(editor, running) == number
    (held,) = _held(grafana, running)
    assert held["timeEnd"] == held["time"]


def test_one_that_a_person_deleted_is_made_anew_when_it_is_written_again(
    grafana: Grafana, editor: GrafanaApi, changed: Changed
) -> None:
    change = changed()
    number = put(editor, change)
    grafana.ask("DELETE", f"/api/annotations/{number}")
    again = put(editor, change, number)
    assert again != number
    assert [one["id"] for one in _held(grafana, change)] == [again]


@pytest.mark.parametrize("odd", ["a:b:c", "a&b=c d", "<b>'\"", "\U0001f680 ä", "x" * 3000, "%2e%2e/", "a\x00b"])
def test_hostile_ids_and_text_are_taken_and_found_again(
    grafana: Grafana, editor: GrafanaApi, changed: Changed, odd: str
) -> None:
    resources = tuple(Touched(address=odd, actions=("create",)) for _ in range(9))
    identity = {f"{odd}{n}": odd for n in range(9)}
    text = dict.fromkeys(("actor", "commit", "url"), odd)
    one = changed(odd, summary=odd, identity=identity, resources=resources, **text)
    other = changed(odd + "!", summary=odd)
    one, other = (replace(each, workspace=each.id[-12:]) for each in (one, other))
    first, second = put(editor, one), put(editor, other)
    assert first != second
    assert (put(editor, one), put(editor, other)) == (first, second)
    assert (put(editor, one, first), put(editor, other, second)) == (first, second)
    assert "<b>'" not in grafana.ask("GET", f"/api/annotations/{first}")["text"]


def test_a_viewer_is_refused_with_what_to_do(viewer: GrafanaApi, changed: Changed) -> None:
    with pytest.raises(AnnotationError, match="role Editor") as caught:
        put(viewer, changed())
    assert caught.value.for_all
    assert "glsa_" not in str(caught.value)


class _Desk:
    def __init__(self, *changes: Change) -> None:
        self.waiting = {one.id: (one, NOW) for one in changes}
        self.numbers: dict[str, int] = {}

    def due(self, limit: int) -> Sequence[tuple[Change, int | None, datetime]]:
        return [(one, self.numbers.get(one.id), at) for one, at in self.waiting.values()][:limit]

    def annotated(self, change_id: str, annotation_id: int, updated_at: datetime) -> None:
        assert self.waiting.pop(change_id)[1] == updated_at
        self.numbers[change_id] = annotation_id


def test_what_an_outage_left_undone_is_caught_up(grafana_factory: GrafanaFactory) -> None:
    server: GrafanaServer = grafana_factory()
    api = connect(server.url, server.token("Editor"), 30.0)
    running = Change(id="run-1", kind="deploy", status="running", started_at=START)
    desk = _Desk(running)
    assert reconcile(api, desk, 10) == Reconciled(written=1)

    server.stop()
    ended = replace(running, status="succeeded", ended_at=END)
    desk.waiting = {one.id: (one, NOW) for one in (ended, replace(ended, id="run-2"), replace(ended, id="run-3"))}
    done = reconcile(api, desk, 10)
    assert (done.written, done.failed) == (0, 1)
    assert "cannot be reached" in str(done.reason)
    assert len(desk.waiting) == 3

    server.start()
    assert reconcile(api, desk, 10) == Reconciled(written=3)
    held = server.ask("GET", "/api/annotations", params={"tags": "driftband"})
    assert len(held) == 3
    assert {one["timeEnd"] - one["time"] for one in held} == {30 * 60_000}
    api.client.s.close()


def _dashboard(uid: str, change: Change) -> dict[str, Any]:
    """Write a dashboard of one panel, of Grafana's own made-up data, with a change's annotation on it."""
    made_up, grafana = {"type": "grafana", "uid": "grafana"}, {"type": "grafana", "uid": "-- Grafana --"}
    target = {"limit": 100, "matchAny": False, "tags": [f"driftband_id:{change.id}"], "type": "tags"}
    return {
        "uid": uid,
        "title": uid,
        "time": {"from": "now-6h", "to": "now"},
        "annotations": {"list": [{"name": "Changes", "datasource": grafana, "enable": True, "target": target}]},
        "panels": [
            {
                "id": 1,
                "type": "timeseries",
                "title": "Made up",
                "datasource": made_up,
                "gridPos": {"x": 0, "y": 0, "w": 24, "h": 16},
                "targets": [{"refId": "A", "queryType": "randomWalk", "datasource": made_up}],
            }
        ],
    }


def test_the_region_is_on_a_dashboard_and_its_words_are_text_and_not_elements(
    grafana: Grafana, editor: GrafanaApi, changed: Changed
) -> None:
    uid = f"driftband-{secrets.token_hex(4)}"
    change = changed(summary="<img src=x onerror=alert(1)> pool size", url="https://ci.example/4711")
    put(editor, change)
    grafana.ask("POST", "/api/dashboards/db", json={"dashboard": _dashboard(uid, change)})
    try:
        with browser_page() as page:
            user, password = grafana.session.auth  # type: ignore[misc]
            page.request.post(f"{grafana.url}/login", data={"user": user, "password": password})
            page.goto(f"{grafana.url}/d/{uid}?kiosk", timeout=90_000)
            marker = page.get_by_test_id("data-testid annotation-marker").first
            marker.wait_for(timeout=60_000)
            box = marker.bounding_box()
            assert box is not None
            assert box["width"] > 50, "half an hour of six is no instant"
            marker.hover()
            words = page.get_by_text("pool size")
            words.wait_for(timeout=30_000)
            assert "<img src=x onerror=alert(1)> pool size" in words.inner_text()
            assert page.get_by_role("link", name="Open the run").get_attribute("href") == "https://ci.example/4711"
    finally:
        grafana.ask("DELETE", f"/api/dashboards/uid/{uid}")
