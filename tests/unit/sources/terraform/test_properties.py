"""What holds for any document: it is read or refused, and its redacted form reads the same and holds no secret."""

import json
from contextlib import suppress
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from driftband.sources.terraform import ReportError, read_apply, read_inventory, read_report, redacted

SECRET = "s3cret-canary"
KEYS = ["a", "b", "name", "value", "password", "tags", "we.ird", "type"]
leaves = (
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=6)
)
leaves |= st.sampled_from(
    [SECRET, f"x {SECRET}", "", "hunter2 ghp_" + "a" * 36, "<redacted>", "<redacted:2>", '{"password":"x"}']
)
trees = st.recursive(
    leaves,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=4),
    max_leaves=8,
)
values = st.none() | st.dictionaries(st.sampled_from(KEYS), trees, max_size=5)
marks = st.recursive(
    st.booleans(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=4),
    max_leaves=6,
)
addresses = st.sampled_from(
    ["a.x", "a.y[0]", 'module.m["k.1"].a.x', f'a.z["ghp_{"b" * 36}"]', f'a.z["ghp_{"c" * 36}"]']
)
actions = st.sampled_from([["update"], ["delete"], ["no-op"], ["create"], ["delete", "create"], ["read"], []])
changes = st.fixed_dictionaries(
    {"address": addresses, "type": st.sampled_from(["t", "u"]), "provider_name": st.just("p")}
    | {
        "change": st.fixed_dictionaries(
            {"actions": actions, "before": values, "after": values}
            | {"after_unknown": marks, "before_sensitive": marks, "after_sensitive": marks}
        )
    },
    optional={"previous_address": addresses, "mode": st.sampled_from(["managed", "data"])},
)
resources = st.fixed_dictionaries(
    {
        "address": addresses,
        "type": st.just("t"),
        "provider_name": st.just("p"),
        "values": values,
        "sensitive_values": marks,
    }
)
forms = st.sampled_from(
    ["string", ["set", "string"], ["list", "string"], ["map", ["set", "string"]], ["set", ["object", {"a": "string"}]]]
)
schemas = st.dictionaries(st.sampled_from(KEYS), forms.map(lambda form: {"type": form}), max_size=4).map(
    lambda attributes: {"p": {"resource_schemas": {"t": {"block": {"attributes": attributes}}}}}
)
states = st.lists(resources, max_size=3).map(
    lambda given: {"format_version": "1.0", "values": {"root_module": {"resources": given}, "outputs": {}}}
)
plans = st.fixed_dictionaries(
    {
        "format_version": st.just("1.2"),
        "terraform_version": st.sampled_from(["1.11.4", "1.5.0", "?"]),
        "configuration": st.just({"root_module": {"variables": {"v": {"sensitive": True}}}}),
        "variables": st.just({"v": {"value": SECRET}}),
    },
    optional={
        "resource_drift": st.lists(changes, max_size=3),
        "resource_changes": st.lists(changes, max_size=3),
        "prior_state": states,
        "provider_schemas": schemas,
        "applyable": st.booleans(),
        "complete": st.booleans(),
        "errored": st.booleans(),
    },
)


def encoded(document: Any) -> bytes:
    return json.dumps(document).encode()


@settings(max_examples=200, deadline=None)
@given(plans)
def test_a_redacted_plan_reads_the_same_and_holds_no_secret(plan: Any) -> None:
    body = encoded(plan)
    report = read_report(body)
    safe = redacted(body)
    assert read_report(safe) == report
    assert redacted(safe) == safe
    assert read_apply(safe, None) == read_apply(body, None)
    for shown in (repr(report), safe.decode(), repr(read_apply(body, None))):
        assert SECRET not in shown
        assert "ghp_" not in shown


@settings(deadline=None)
@given(states)
def test_a_redacted_state_reads_the_same(state: Any) -> None:
    body = encoded(state)
    assert read_inventory(redacted(body)) == read_inventory(body)
    assert redacted(redacted(body)) == redacted(body)
    assert "ghp_" not in repr(read_inventory(body)) + redacted(body).decode()


@settings(deadline=None)
@given(st.lists(st.tuples(st.sampled_from(["", 'module.m["a.b"]', "module.m[0].module.n"]), values, marks), max_size=3))
def test_a_redacted_pulled_state_reads_the_same(given_resources: Any) -> None:
    items = [
        {"module": module, "type": "t", "name": f"n{number}", "provider": 'provider["p"]'}
        | {"instances": [{"index_key": "k.1", "attributes": attributes, "sensitive_attributes": paths(mask, [])}]}
        for number, (module, attributes, mask) in enumerate(given_resources)
    ]
    body = encoded({"version": 4, "lineage": "l", "serial": 1, "resources": items})
    assert read_inventory(redacted(body)) == read_inventory(body)
    assert redacted(redacted(body)) == redacted(body)


def paths(mask: Any, above: list[Any]) -> list[Any]:
    """Return a mask as a state has it: by paths."""
    if mask is True:
        return [above]
    if isinstance(mask, dict):
        inner = [(part, {"type": "get_attr", "value": key}) for key, part in mask.items()]
    elif isinstance(mask, list):
        inner = [(part, {"type": "index", "value": {"value": n, "type": "number"}}) for n, part in enumerate(mask)]
    else:
        inner = []
    return [path for part, step in inner for path in paths(part, [*above, step])]


@settings(deadline=None)
@given(plans)
def test_values_that_are_equal_have_not_drifted(plan: Any) -> None:
    for item in plan.get("resource_drift", ()):
        item["change"] |= {"after": item["change"]["before"], "after_sensitive": item["change"]["before_sensitive"]}
    for each in read_report(encoded(plan)).drift:
        assert each.attributes == ()
        assert each.normalised == ()


documents = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
)
FIELDS = """format_version planned_values resource_drift resource_changes prior_state configuration values outputs version
lineage type @level terraform change changes hook diagnostic address actions before after after_unknown before_sensitive
root_module resources child_modules module_calls provider_schemas instances attributes sensitive_attributes""".split()  # noqa: SIM905 - words read best as words
alike = st.recursive(
    st.none() | st.booleans() | st.integers() | st.sampled_from(["1.2", "version", "managed", "update", "a.b"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(FIELDS), inner, max_size=6),
    max_leaves=30,
)
bodies = (documents | alike).map(encoded) | st.lists(documents | alike, max_size=5).map(
    lambda lines: b"\n".join([b'{"type":"version","@level":"info"}', *map(encoded, lines)])
)


@settings(max_examples=300, deadline=None)
@given(bodies | st.binary(max_size=60), st.integers(0, 200))
def test_any_body_is_read_or_refused(body: bytes, cut: int) -> None:
    for text in (body, body[:cut]):
        for reader in (read_report, read_inventory, redacted):
            with suppress(ReportError):
                reader(text)
        for plan, log in ((text, None), (None, text), (text, text)):
            with suppress(ReportError):
                read_apply(plan, log)
