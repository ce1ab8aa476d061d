"""Plans: modules and their versions, tags, tools, sets, and what is left out."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from driftband.model.address import module_path
from driftband.model.attribute import AttributeDiff
from driftband.model.report import Renamed, Report
from driftband.sources.terraform import ReportError, read_report, redacted

Plan = Callable[..., bytes]
AWS = "registry.terraform.io/hashicorp/aws"


def state(*resources: dict[str, Any], **modules: list[dict[str, Any]]) -> dict[str, Any]:
    children = [{"address": each[0]["address"], "resources": each} for each in modules.values()]
    return {
        "format_version": "1.0",
        "values": {"root_module": {"resources": list(resources), "child_modules": children}},
    }


def in_state(address: str, values: Any = None, **given: Any) -> dict[str, Any]:
    item = {"address": address, "mode": "managed", "type": "aws_thing", "provider_name": AWS}
    return {**item, "values": values or {}, "sensitive_values": {}, **given}


def read(body: bytes) -> Report:
    report = read_report(body)
    assert read_report(redacted(body)) == report
    return report


@pytest.mark.parametrize(
    ("address", "path"),
    [
        ("aws_thing.main", ""),
        ("module.a.aws_thing.main", "a"),
        ('module.a["x.y"].module.b[0].aws_thing.main["module.c.d"]', "a.b"),
        ('module.a["x\\"].module.q[\\""].aws_thing.main', "a"),
        ('module.my-net_1["]"].data.aws_thing.main', "my-net_1"),
        ("module.a", "a"),
        ('module.a["x"]', "a"),
        ("module_thing.module", ""),
        ("", ""),
    ],
)
def test_module_paths_have_no_instance_keys(address: str, path: str) -> None:
    assert module_path(address) == path


def test_modules_have_their_versions(plan_of: Plan) -> None:
    def call(version: str = "", source: str = "", **inner: Any) -> dict[str, Any]:
        return {"source": source, "version_constraint": version, "module": {"module_calls": inner}}

    calls = {
        "exact": call(
            "2.4.0", "registry/x", local=call(source="./sub", deep=call(source="../up")), other=call(source="r/y")
        ),
        "equals": call("= 2.4.1"),
        "range": call("~> 2.4, < 3"),
        "git": call(source="git::https://x:t0ps3cret@example.com/m.git//sub?ref=v1.2.3&depth=1"),
        "local": call(source="./m", inner=call("1.0.0")),
    }
    addresses = [
        "exact",
        "exact.local",
        "exact.local.deep",
        "exact.other",
        "equals",
        "range",
        "git",
        "local",
        "local.inner",
    ]
    modules = {
        path: [in_state("".join(f'module.{name}["k"].' for name in path.split(".")) + "aws_thing.x")]
        for path in addresses
    }
    body = plan_of(
        prior_state=state(in_state("aws_thing.y"), **modules), configuration={"root_module": {"module_calls": calls}}
    )
    assert {each.module: each.module_version for each in read(body).resources or ()} == {
        "": "",
        "exact": "2.4.0",
        "exact.local": "2.4.0",
        "exact.local.deep": "2.4.0",
        "exact.other": "",
        "equals": "2.4.1",
        "range": "~> 2.4, < 3",
        "git": "v1.2.3",
        "local": "",
        "local.inner": "1.0.0",
    }
    assert b"t0ps3cret" not in redacted(body)


@pytest.mark.parametrize(
    "values",
    [
        {"tags": {"env": "prod"}},
        {"tags": None, "tags_all": {"env": "prod"}},
        {"tags": {"env": "prod"}, "tags_all": {"env": "default"}},
        {"labels": {"env": "prod"}},
        {"metadata": [{"labels": {"env": "prod"}}]},
        {"metadata": {"labels": {"env": "prod"}}},
        {"input": {"tags": {"env": "prod"}}},
        {"tags": {"env": "prod", "none": None, "nested": {"a": 1}, "token": "abcdef"}},
    ],
)
def test_tags_are_found_where_providers_keep_them(values: Any, plan_of: Plan) -> None:
    (resource,) = read(plan_of(prior_state=state(in_state("aws_thing.x", values)))).resources or ()
    assert resource.tags == {"env": "prod"}


@pytest.mark.parametrize(
    "values", [{}, {"tags": ["a"]}, {"labels": "x"}, {"metadata": []}, {"metadata": ["x"]}, {"input": "x"}, [1], "text"]
)
def test_a_resource_without_tags_has_none(values: Any, plan_of: Plan) -> None:
    (resource,) = read(plan_of(prior_state=state(in_state("aws_thing.x", values)))).resources or ()
    assert resource.tags == {}


def test_attributes_are_leaves_by_path(plan_of: Plan) -> None:
    values = {"a": {"b.c": [1, {"d": False}, None]}, "n": None, "e": [], "t": "", "long": "x" * 9000}
    (resource,) = read(plan_of(prior_state=state(in_state("aws_thing.x", values)))).resources or ()
    assert resource.attributes == {
        'a["b.c"][0]': 1,
        'a["b.c"][1].d': False,
        "t": "",
        "long": "(a long value, 9,002 bytes)",
    }


def test_only_managed_resources_count(plan_of: Plan) -> None:
    gone = in_state("aws_thing.x", deposed_key="abc")
    report = read(plan_of(prior_state=state(in_state("data.aws_thing.x", mode="data"), in_state("aws_thing.x"), gone)))
    assert (report.read, [each.address for each in report.resources or ()]) == (1, ["aws_thing.x"])


@pytest.mark.parametrize(
    ("given", "provider", "tool"),
    [
        ({}, AWS, "terraform"),
        ({}, "registry.opentofu.org/hashicorp/aws", "opentofu"),
        ({"applyable": None, "complete": None}, AWS, "opentofu"),
        ({"applyable": None, "complete": None}, "terraform.io/builtin/terraform", "opentofu"),
        ({"applyable": None, "complete": None, "terraform_version": "1.5.7"}, AWS, "terraform"),
        ({"applyable": None, "complete": None, "terraform_version": "1.6.0"}, "registry.opentofu.org/a/b", "opentofu"),
        ({"applyable": None, "complete": None, "terraform_version": "?"}, AWS, "opentofu"),
    ],
)
def test_the_tool_is_told_by_registry_or_by_what_it_leaves_out(
    given: Any, provider: str, tool: str, plan_of: Plan
) -> None:
    configured = {"provider_config": {"p": {"name": "p", "full_name": provider}}}
    plan = {
        key: value for key, value in json.loads(plan_of(**given, configuration=configured)).items() if value is not None
    }
    assert read(json.dumps(plan).encode()).tool == tool
    plan |= {"prior_state": state(in_state("aws_thing.x", provider_name=provider)), "configuration": {}}
    assert read(json.dumps(plan).encode()).tool == tool


@pytest.mark.parametrize(
    ("errored", "complete", "expected"),
    [(False, True, True), (False, False, False), (True, True, False), (True, None, False), (None, None, True)],
)
def test_what_has_failed_is_not_complete(errored: Any, complete: Any, expected: bool, plan_of: Plan) -> None:
    report = read(plan_of(errored=errored, complete=complete))
    assert (report.errored, report.complete) == (bool(errored), expected)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-11-24T00:17:01Z", datetime(2026, 11, 24, 0, 17, 1, tzinfo=UTC)),
        ("2026-11-24T01:17:01.123456+01:00", datetime(2026, 11, 24, 0, 17, 1, 123000, tzinfo=UTC)),
        ("2026-11-24", None),
        ("9999-99-99T00:00:00Z", None),
        (None, None),
    ],
)
def test_the_timestamp_is_the_plans_own(text: str | None, moment: datetime | None, plan_of: Plan) -> None:
    assert read(plan_of(timestamp=text)).timestamp == moment


def change(address: str, *actions: str, before: Any = None, after: Any = None, **given: Any) -> dict[str, Any]:
    item = {"address": address, "mode": "managed", "type": "aws_thing", "provider_name": AWS, **given}
    return {**item, "change": {"actions": list(actions), "before": before, "after": after, "after_unknown": {}}}


def test_a_plan_that_would_change_nothing_is_a_normal_plan(plan_of: Plan) -> None:
    changes = [change("a.b", "no-op", before={"a": 1}, after={"a": 1}), change("data.a.b", "read", mode="data")]
    assert read(plan_of(resource_changes=changes)).planned == ()
    assert read(plan_of(resource_changes=[])).planned == ()
    assert read(plan_of()).planned is None


def test_every_way_to_plan_is_told(plan_of: Plan) -> None:
    changes = [
        change("a.create", "create", after={"a": 1}),
        change("a.delete", "delete", before={"a": 1}),
        change("a.forget", "forget", before={"a": 1}),
        change("a.turn", "create", "delete", before={"a": 1}, after={"a": 2}),
        change("a.gone", "delete", before={"a": 1}, deposed="abc"),
    ]
    planned = read(plan_of(resource_changes=changes)).planned or ()
    assert {each.address: (each.actions, each.attributes) for each in planned} == {
        "a.create": (("create",), (AttributeDiff(path="a", after=1),)),
        "a.delete": (("delete",), ()),
        "a.forget": (("forget",), ()),
        "a.turn": (("create", "delete"), (AttributeDiff(path="a", before=1, after=2),)),
    }


def test_a_resource_that_moved_and_drifted_is_both(plan_of: Plan) -> None:
    drift = [
        change("a.new", "update", before={"a": 1}, after={"a": 2}, previous_address="a.old"),
        change("a.moved", "no-op", before={"a": 1}, after={"a": 1}, previous_address="a.was"),
        change("a.same", "no-op", before={"a": 1}, after={"a": 1}, previous_address="a.same"),
    ]
    report = read(plan_of(resource_drift=drift, resource_changes=drift[1:]))
    assert [(each.address, each.previous_address) for each in report.drift] == [("a.new", "a.old")]
    assert report.renamed == (Renamed(source="a.old", target="a.new"), Renamed(source="a.was", target="a.moved"))
    assert report.planned == ()


def test_sets_are_told_by_the_schemas_that_come_with_a_plan(plan_of: Plan) -> None:
    block = {"attributes": {"s": {"type": ["set", "string"]}, "description": {"type": "string", "description": "long"}}}
    schemas = {AWS: {"provider": {}, "resource_schemas": {"aws_thing": {"version": 0, "block": block}, "aws_x": {}}}}
    whole = {"format_version": "1.0", "provider_schemas": schemas}
    before, after = {"s": ["a", "b", "c"]}, {"s": ["z", "a", "b"]}
    without = read(plan_of(before, after))
    assert without.drift[0].attributes == (AttributeDiff(path="s", before=["a", "b", "c"], after=["z", "a", "b"]),)
    for given in (schemas, whole):
        report = read(plan_of(before, after, provider_schemas=given))
        assert report.drift[0].attributes == (AttributeDiff(path="s", before=["c"], after=["z"]),)
        assert read_report(redacted(plan_of(before, after), json.dumps(given).encode())) == report
    kept = json.loads(redacted(plan_of(before, after), json.dumps(whole).encode()))["provider_schemas"]
    assert kept == {
        AWS: {"resource_schemas": {"aws_thing": {"block": {"attributes": {"s": {"type": ["set", "string"]}}}}}}
    }


def test_an_action_that_nobody_knows_is_taken_for_a_change_and_named(plan_of: Plan) -> None:
    secret = "hunter2 " * 3
    drift = change("aws_thing.a", secret, before={"v": 1}, after={"v": 2})
    changes = [change("aws_thing.b", "adopt", after={"v": 1}), change("aws_thing.c", "forget", before={"v": 1})]
    report = read(plan_of(resource_drift=[drift], resource_changes=changes))
    assert [(d.address, d.action, d.attributes[0].after) for d in report.drift] == [("aws_thing.a", "update", 2)]
    assert [(p.address, p.actions) for p in report.planned or ()] == [
        ("aws_thing.b", ("unknown",)),
        ("aws_thing.c", ("forget",)),
    ]
    (said,) = report.errors
    assert "none of no-op, read, create, update, delete, forget, for aws_thing.a and 1 more" in said
    assert (report.complete, "hunter2" in repr(report)) == (True, False)


@pytest.mark.parametrize(
    "actions",
    [
        ("create",),
        ("update",),
        ("delete", "create"),
        ("create", "delete"),
        ("delete",),
        ("forget",),
        ("create", "forget"),
    ],
    ids="/".join,
)
def test_terraforms_words_are_told_as_they_are(actions: tuple[str, ...], plan_of: Plan) -> None:
    report = read(plan_of(resource_changes=[change("aws_thing.a", *actions, before={"v": 1}, after={"v": 2})]))
    assert [p.actions for p in report.planned or ()] == [actions]
    assert report.errors == ()


@pytest.mark.parametrize("actions", ["update", [1], {"update": 1}, None], ids=str)
def test_actions_that_are_no_words_are_refused(actions: Any, plan_of: Plan) -> None:
    item = change("aws_thing.a")
    item["change"]["actions"] = actions
    with pytest.raises(ReportError):
        read_report(plan_of(resource_changes=[item]))
