"""Requests that mean nothing: each is told what is wrong with it, and none of them is a failure of the service."""

import base64
import json
from typing import Any

import pytest

from .evidence_api import Api, refused
from .hostile import BLOCK, plan

LONG = "x" * 100_000
ABOUT = [
    ({}, "workspace"),
    ({"workspace": ""}, "workspace"),
    ({"workspace": " a"}, "workspace"),
    ({"workspace": "a\nb"}, "workspace"),
    ({"workspace": "\0"}, "workspace"),
    ({"workspace": "x" * 201}, "workspace"),
    ({"workspace": "w", "run": "x" * 201}, "run"),
    ({"workspace": "w", "run": "\0"}, "run"),
    ({"workspace": "w", "lineage": "\0"}, "lineage"),
    ({"workspace": "w", "commit": "a\nb"}, "commit"),
    ({"workspace": "w", "serial": "-1"}, "serial"),
    ({"workspace": "w", "serial": "1.5"}, "serial"),
    ({"workspace": "w", "serial": "9" * 19}, "serial"),
    ({"workspace": "w", "serial": "٣"}, "serial"),
    ({"workspace": "w", "started_at": "now"}, "started_at"),
    ({"workspace": "w", "started_at": "1764000000"}, "started_at"),
    ({"workspace": "w", "started_at": "2026-11-24T10:00:00"}, "offset"),
    ({"workspace": "w", "started_at": "0001-01-01T00:00:00Z"}, "1970"),
    ({"workspace": "w", "started_at": "9999-12-31T23:59:59Z"}, "started_at"),
    ({"workspace": "w", "no_such": "1"}, "no_such"),
]


@pytest.mark.parametrize(("arguments", "word"), ABOUT)
def test_what_is_said_of_a_report_must_mean_something(api: Api, arguments: dict[str, str], word: str) -> None:
    refused(api.post("/drift-reports", plan(), **arguments), 400, word)


def test_names_are_as_long_and_wide_as_any_index_takes(api: Api) -> None:
    wide = BLOCK[:200]
    for run in ("first", "second"):
        api.report(json.dumps(plan(f'a_thing.x["{BLOCK}"]')).encode(), wide, run=run)
    api.report(json.dumps(plan()).encode(), "keys", run=wide)
    (finding,) = api.findings(wide)
    assert finding["workspace"] == wide
    change = api.change(id=wide, kind="deploy", started_at="2026-11-24T10:00:00Z", workspace=wide, commit=wide)
    assert api.get(f"/changes/{wide}") == change
    event = {"id": BLOCK[:500], "at": "2026-11-24T10:00:00Z", "actor": "a", "action": "b", "resource": BLOCK[:512]}
    assert [api.post("/audit-events", event).status_code for _ in range(2)] == [201, 201]


def _cursor(text: bytes) -> str:
    return base64.urlsafe_b64encode(text).decode()


LISTS = [
    ("/findings?state=x", "state must be one of"),
    ("/findings?layer=x", "layer must be one of"),
    ("/findings?class=x", "class must be one of"),
    ("/findings?limit=0", "limit"),
    ("/findings?limit=1001", "limit"),
    ("/findings?limit=%D9%A3", "limit"),
    ("/findings?since=yesterday", "since"),
    ("/findings?until=0001-01-01T00:00:00Z", "until"),
    ("/findings?cursor=AAAA", "cursor"),
    ("/findings?cursor=%C3%A9", "cursor"),
    (f"/runs?cursor={_cursor(b'9' * 30 + b':a')}", "cursor"),
    ("/findings?no_such=1", "no_such"),
    ("/runs?since=2026-01-01T00:00:00Z", "since"),
    ("/runs?state=open", "state"),
    ("/changes?state=open", "state"),
    ("/inventory", "workspace"),
    ("/inventory?workspace=w&no_such=1", "no_such"),
    ("/ignores?no_such=1", "no_such"),
    ("/findings/x?no_such=1", "no_such"),
    ("/changes/x?no_such=1", "no_such"),
]


@pytest.mark.parametrize(("path", "word"), LISTS)
def test_a_list_says_which_argument_means_nothing(api: Api, path: str, word: str) -> None:
    refused(api.ask("GET", path), 400, word)


@pytest.mark.parametrize(
    "path",
    [
        "/findings/x",
        "/findings/%00",
        "/findings/%ff",
        "/changes/x",
        "/changes/%00",
        "/changes/a%2F%2Fb",
        "/nothing",
        "/",
    ],
)
def test_what_is_not_there_is_not_found(api: Api, path: str) -> None:
    refused(api.ask("GET", path), 404)


@pytest.mark.parametrize("field", ["kind", "severity", "workspace", "address", "signal"])
def test_a_filter_may_hold_anything(api: Api, field: str) -> None:
    assert api.get("/findings", **{field: "\0'\"%;--"}) == {"findings": [], "next": None}
    assert api.ask("GET", f"/findings?cursor={_cursor(b'5:' + bytes([0]))}").status_code == 200


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("PUT", "/changes"),
        ("DELETE", "/changes/x"),
        ("PATCH", "/findings/x"),
        ("GET", "/findings/x/accept"),
        ("GET", "/hooks/atlantis"),
    ],
)
def test_other_methods_are_not_allowed(api: Api, method: str, path: str) -> None:
    refused(api.ask(method, path), 405)


def _change(**fields: Any) -> dict[str, Any]:
    return {"id": "bad", "kind": "deploy", "started_at": "2026-11-24T10:00:00Z", **fields}


CHANGES: list[tuple[Any, str]] = [
    (b"", "not JSON"),
    (b"[]", "object"),
    (b"x=1", "not JSON"),
    (b'{"id":' + b"[" * 100_000, "not JSON"),
    (b'{"id": "\\ud800"}', "not JSON"),
    ({}, "started_at: is required"),
    (_change(id=""), "id"),
    (_change(id="\0"), "id"),
    (_change(id="x" * 201), "id"),
    (_change(id=5), "id"),
    (_change(kind="x"), "kind"),
    (_change(status="x"), "status"),
    (_change(started_at="x"), "started_at"),
    (_change(started_at=5), "started_at"),
    (_change(started_at="0001-01-01T00:00:00Z"), "started_at"),
    (_change(ended_at="2026-11-24T09:00:00Z"), "ended_at must not be before"),
    (_change(workspace="\0"), "workspace"),
    (_change(workspace="w" * 201), "workspace"),
    (_change(identity={"a b": "5"}), "identity"),
    (_change(identity={"service": 5}), "identity.service"),
    (_change(identity={"service": LONG}), "identity"),
    (_change(identity={LONG: 5}), "identity"),
    (_change(resources="x"), "resources"),
    (_change(resources=[{"address": ""}]), "resources.0.address"),
    (_change(resources=[{"address": LONG}]), "resources.0.address"),
    (_change(url="javascript:alert(1)"), "url"),
    (_change(summary=LONG), "summary"),
    (_change(surprise=1), "surprise"),
    (_change(**{LONG: 1}), "no such field"),
]


@pytest.mark.parametrize(("body", "word"), CHANGES, ids=[word for _, word in CHANGES])
def test_a_change_says_which_field_is_wrong(api: Api, body: Any, word: str) -> None:
    refused(api.post("/changes", body), 400, word)
    refused(api.ask("GET", "/changes/bad"), 404)


def _rule(**fields: Any) -> dict[str, Any]:
    return {"reason": "r", "owner": "o", **fields}


OTHERS: list[tuple[str, Any, int, str]] = [
    ("/changes?no_such=1", _change(), 400, "no_such"),
    ("/ignores", {}, 400, "reason"),
    ("/ignores", [], 400, "object"),
    ("/ignores", _rule(), 400, "ignore everything"),
    ("/ignores", _rule(workspace="w"), 400, "ignore everything"),
    ("/ignores", _rule(address=5), 400, "address"),
    ("/ignores", _rule(address="a", reason=" "), 400, "reason"),
    ("/ignores", _rule(address="a", expires_at="x"), 400, "expires_at"),
    ("/ignores", _rule(address="a", expires_at="2020-01-01T00:00:00Z"), 400, "future"),
    ("/ignores", _rule(address="a", surprise=1), 400, "surprise"),
    ("/audit-events", b"", 400, "JSON"),
    ("/audit-events", {}, 400, "at"),
    ("/audit-events", {"at": "0001-01-01T00:00:00Z", "actor": "a", "action": "b", "resource": "c"}, 400, "at"),
    ("/audit-events", {"at": "2026-11-24T00:00:00Z", "actor": "a", "action": "b", "resource": "c\0"}, 400, "resource"),
    ("/audit-events", b'{"at":' + b"[" * 100_000, 400, "JSON"),
    ("/findings/x/accept", {"by": "a", "reason": "b"}, 404, "no finding"),
    ("/findings/%00/accept", {"by": "a", "reason": "b"}, 404, "no finding"),
    ("/findings/x/accept", {"by": "a"}, 400, "reason"),
    ("/findings/x/accept", {"by": "a", "reason": "b", "until": "2020-01-01T00:00:00Z"}, 400, "future"),
    ("/inventory", b"{}", 400, "workspace"),
    ("/inventory?workspace=w", b"", 400, "empty"),
    ("/inventory?workspace=w", plan(), 400, "drift report"),
    ("/hooks/atlantis", b"", 400, "JSON"),
    ("/hooks/atlantis", {}, 400, "Atlantis"),
    ("/hooks/hcp-terraform", [], 400, "object"),
    ("/hooks/hcp-terraform", {}, 400, "HCP Terraform"),
    ("/hooks/nothing", {}, 404, ""),
]


@pytest.mark.parametrize(("path", "body", "status", "word"), OTHERS)
def test_everything_else_says_what_is_wrong(api: Api, path: str, body: Any, status: int, word: str) -> None:
    refused(api.post(path, body), status, word)
    assert api.get("/ignores") == {"ignores": [], "proposals": []}


@pytest.mark.parametrize("rule", ["x", "%00"])
def test_no_rule_is_taken_back_that_is_not_there(api: Api, rule: str) -> None:
    refused(api.ask("DELETE", f"/ignores/{rule}"), 404, "no ignore rule")
