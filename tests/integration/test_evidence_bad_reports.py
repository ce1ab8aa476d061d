"""Drift reports that are none, broken, or hostile: a clear refusal, or all of it kept; never half of it, never a failure."""

import json
from typing import Any

import pytest
import requests

from .evidence_api import B2, Api, B, C, capture, refused
from .hostile import BLOCK, plan, with_after

REFUSED = {
    "nothing": (b"", "empty"),
    "blanks": (b" \n\t", "empty"),
    "no JSON": (b"Error: no such file", "not JSON"),
    "HTML": (b"<!DOCTYPE html><html>", "not JSON"),
    "a list": (b"[]", "not an object"),
    "a number": (b"5", "not an object"),
    "null": (b"null", "not an object"),
    "an empty object": (b"{}", "something else"),
    "JSON of something else": (b'{"hello": "world"}', "something else"),
    "a state": (capture("m_misc", "show_state.json"), "inventory"),
    "a pulled state": (capture("m_misc", "state_pull.json"), "inventory"),
    "schemas": (capture("m_misc", "providers_schema.json"), "providers schema"),
    "a version": (capture("m_misc", "version.json"), "terraform version"),
    "an apply's log": (capture("l_apply_stream", "apply_ok_12s.jsonl"), "change record"),
    "a plan file": (b"PK\x03\x04rest", "terraform show -json"),
    "compressed": (b"\x1f\x8brest", "compressed"),
    "UTF-16": ("\ufeff{}".encode("utf-16"), "UTF-8"),
    "Latin-1": (capture(B).replace(b"shard_1", b"sh\xe4rd"), "UTF-8"),
    "truncated": (capture(B)[:5_000], "truncated"),
    "another major version": (plan(format_version="2.0"), "major version 1"),
    "an old version": (plan(format_version="0.2"), "major version 1"),
    "a version that is none": (plan(format_version="new"), "major version 1"),
    "a wrong type": (plan(resource_drift="all of it"), "resource_drift"),
    "deep lists": (with_after("[" * 100_000 + "]" * 100_000), "nested too deeply"),
    "deep objects": (with_after('{"a":' * 100_000 + "1" + "}" * 100_000), "nested too deeply"),
    "a number out of range": (with_after("1e999"), "out of range"),
    "half a surrogate": (with_after('"\\ud800"'), "not JSON"),
    "not a number": (with_after("NaN"), "not JSON"),
    "a form": (b"plan=%7B%7D", "not JSON"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_report_is_refused_and_leaves_nothing(api: Api, name: str) -> None:
    body, word = REFUSED[name]
    refused(api.post("/drift-reports", body, workspace=f"refused/{name}"), 400, word)
    assert api.get("/runs", workspace=f"refused/{name}")["runs"] == []
    assert api.get("/inventory", workspace=f"refused/{name}")["resources"] == []


TAKEN: dict[str, Any] = {
    "a long address": plan("a_thing." + "x" * 100_000),
    "a wide address": plan(f'a_thing.x["{BLOCK}"]'),
    "quotes": plan('a_thing.x["it\'s \\"quoted\\""]'),
    "NUL": plan('a_thing.x["\0"]', before="\0a", after="\0b"),
    "a line break": plan('a_thing.x["a\nb\r\n"]'),
    "HTML": plan('a_thing.x["<script>alert(1)</script>"]', after="<img src=x onerror=alert(1)>"),
    "other scripts": plan('a_thing.x["żółw \u202e\u2028 \U0001f422"]'),
    "a long type": plan(kind="t" * 100_000),
    "a long tag": json.dumps(plan()).replace('"orders"', json.dumps("o" * 100_000)).encode(),
    "a long value": plan(after="v" * 1_000_000),
    "a number beyond 64 bits": with_after("1" + "0" * 30),
    "a timestamp of the year 1": plan(timestamp="0001-01-01T00:00:00Z"),
    "a timestamp of the year 9999": plan(timestamp="9999-12-31T23:59:59Z"),
    "a timestamp that is none": plan(timestamp="yesterday"),
    "the same resource twice": plan(resource_drift=[*plan()["resource_drift"]] * 2),
    "unknown fields": plan(surprise={"deep": [1, 2, 3]}),
}


@pytest.mark.parametrize("name", TAKEN)
def test_what_is_hostile_is_kept_and_shown(api: Api, name: str) -> None:
    body, workspace = TAKEN[name], f"hostile/{name}"
    first = api.post("/drift-reports", body, workspace=workspace)
    assert (first.status_code, first.json()["run"]["status"], first.json()["opened"]) == (201, "drifted", 1)
    again = api.post("/drift-reports", body, workspace=workspace)
    assert (again.status_code, again.json()) == (200, first.json())
    (finding,) = api.findings(workspace)
    (resource,) = api.get("/inventory", workspace=workspace)["resources"]
    assert resource["address"] == finding["address"]
    assert finding["address"].isprintable()
    for query in ("driftband_drift", "driftband_resource_info"):
        ((labels, value),) = api.instant(f'{query}{{workspace="{workspace}"}}')
        assert (labels["address"], value) == (finding["address"], 1)
        assert max(map(len, labels.values())) <= 600


def test_addresses_that_begin_alike_stay_two(api: Api) -> None:
    one, other = plan("a_thing." + "x" * 700 + "1"), plan("a_thing." + "x" * 700 + "2")
    root = one["prior_state"]["values"]["root_module"]
    root["resources"] += other["prior_state"]["values"]["root_module"]["resources"]
    one["resource_drift"] += other["resource_drift"]
    for run in ("first", "second"):
        api.report(json.dumps(one).encode(), "alike", run=run)
    assert len(api.findings("alike")) == 2
    assert len(api.get("/inventory", workspace="alike")["resources"]) == 2


def test_a_number_beyond_64_bits_keeps_its_digits(api: Api) -> None:
    report = json.dumps(plan(before=10**30, after=10**30 + 1)).encode()
    (finding,) = api.report(report, "digits")["findings"]
    (attribute,) = finding["attributes"]
    assert (attribute["before"], attribute["after"]) == (str(10**30), str(10**30 + 1))


def test_a_stream_that_was_cut_is_partial(api: Api) -> None:
    api.report("b_attr_drift", "cut", run="whole")
    taken = api.report(capture(C, "stream.jsonl")[:3_000], "cut", run="cut")
    assert (taken["run"]["status"], taken["closed"]) == ("partial", 0)
    assert len(api.open("cut")) == 2


@pytest.mark.parametrize(
    "kind", ["application/json", "application/x-www-form-urlencoded", "text/html", "nonsense", None]
)
def test_the_content_type_does_not_matter(api: Api, kind: str | None) -> None:
    answer = requests.post(
        f"{api.server.url}/driftband/v1/drift-reports",
        params={"workspace": f"type/{kind}"},
        data=capture(B2),
        headers={"Content-Type": kind},
        timeout=60,
    )
    assert (answer.status_code, answer.json()["opened"]) == (201, 3)


def test_a_file_of_a_form_is_no_report(api: Api) -> None:
    answer = api.ask("POST", "/drift-reports", params={"workspace": "form"}, files={"plan": capture(B)})
    refused(answer, 400, "not JSON")
