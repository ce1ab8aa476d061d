"""What is no plan, stream or state is refused with a sentence that helps and repeats nothing of it."""

import json
import re
from collections.abc import Callable
from typing import Any

import pytest

from driftband.sources.terraform import ReportError, read_apply, read_inventory, read_report, redacted

CANARY = "canary-hunter2"
DEEP = b"[" * 100_000 + b"]" * 100_000


def plan(values: bytes) -> bytes:
    """Return a plan with raw JSON as the values of its one resource."""
    item = b'{"address":"a.b","type":"a","change":{"actions":["update"],"before":{"x":' + values + b'},"after":{}}}'
    return b'{"format_version":"1.2","planned_values":{},"resource_drift":[' + item + b"]}"


REFUSED = [
    (b"", "empty"),
    (b" \n\t ", "empty"),
    (b"hello " + CANARY.encode(), "not JSON"),
    (b"\x00\x01\x02\xff" * 9, "not JSON"),
    (b"PK\x03\x04" + CANARY.encode(), "plan file"),
    (b"\x1f\x8b\x08 rest", "compressed"),
    ('{"format_version": "1.2"}'.encode("utf-16"), "UTF-16"),
    (b'{"format_version":"1.2","planned_values":{', "truncated"),
    (b'{"format_version":"1.2","planned_values":{}} and more', "not JSON"),
    (b"[1, 2]", "not an object"),
    (b'"canary-hunter2"', "not an object"),
    (b"123", "not an object"),
    (b"null", "not an object"),
    (b"{}", "JSON of something else"),
    (b'{"canary-hunter2": 1}', "JSON of something else"),
    (b'{"format_version": "1.0", "function_signatures": {}}', "JSON of something else"),
    (b'{"format_version": "1.0", "valid": true, "diagnostics": []}', "validate"),
    (b'{"format_version": "2.0", "planned_values": {}}', "format_version 2.0"),
    (b'{"format_version": "0.2", "planned_values": {}}', "format_version 0.2"),
    (b'{"format_version": "canary-hunter2", "planned_values": {}}', "an unknown format_version"),
    (b'{"format_version": 1.2, "planned_values": {}}', "Expected `str`|expected `str`"),
    (b'{"format_version": "1.2", "resource_drift": {"a": 1}}', "resource_drift"),
    (b'{"format_version": "1.2", "resource_drift": [{"address": ["canary-hunter2"]}]}', "address"),
    (plan(b"\xff\xfe"), "not JSON|UTF-8"),
    (plan(b'"\xff\xfe"'), "UTF-8"),
    (plan(b"NaN"), "not JSON"),
    (plan(b"Infinity"), "not JSON"),
    (plan(b"1e99999"), "out of range"),
    (plan(b"9" * 5000), "out of range"),
    (plan(DEEP), "nested too deeply"),
    (DEEP, "not an object|nested"),
    (b'{"format_version":"1.2","configuration":' + DEEP + b"}", "nested too deeply"),
]


@pytest.mark.parametrize(
    ("body", "says"), REFUSED, ids=[f"{says} {number}" for number, (_, says) in enumerate(REFUSED)]
)
def test_refused_input_is_told_in_words(body: bytes, says: str) -> None:
    for reader in (read_report, redacted):
        with pytest.raises(ReportError) as caught:
            reader(body)
        assert re.search(says, str(caught.value), re.IGNORECASE)
        assert CANARY not in str(caught.value)
        assert len(str(caught.value)) < 300
        # A decoder's own error may carry the input, and a traceback would show it.
        assert caught.value.__cause__ is None
        assert caught.value.__suppress_context__ or caught.value.__context__ is None


@pytest.mark.parametrize(
    "value", ["18446744073709551617", "-9" * 1, "1" * 400, "0.1", "1e300", "12345678901234567890.5"]
)
def test_numbers_of_any_size_are_read(value: str) -> None:
    report = read_report(plan(value.encode()))
    number = json.loads(value)
    whole_beyond_64_bits = isinstance(number, int) and number >= 2**64
    assert report.drift[0].attributes[0].before == (value if whole_beyond_64_bits else number)
    assert read_report(redacted(plan(value.encode()))) == report


def test_deep_values_are_read_or_refused_but_never_crash() -> None:
    for depth in range(50, 1500, 50):
        try:
            read_report(plan(b'{"a":' * depth + b"1" + b"}" * depth))
        except ReportError as error:
            assert "nested" in str(error)  # noqa: PT017 - some depths are read


def test_a_byte_order_mark_is_passed_over(plan_of: Callable[..., bytes]) -> None:
    assert read_report(b"\xef\xbb\xbf" + plan_of({"a": 1}, {"a": 2})).drift


def test_unknown_fields_and_missing_keys_are_fine() -> None:
    report = read_report(b'{"format_version":"1.9","planned_values":{},"new":{"a":[1]},"resource_drift":[{"new":1}]}')
    assert (report.complete, report.errored, report.planned, report.read) == (True, False, None, 0)
    assert report.resources == ()


def test_an_inventory_is_no_plan_and_no_stream(plan_of: Callable[..., bytes], stream_of: Callable[..., bytes]) -> None:
    for body in (plan_of(), stream_of()):
        with pytest.raises(ReportError, match="driftband drift report"):
            read_inventory(body)


def test_a_state_of_another_version_is_refused() -> None:
    with pytest.raises(ReportError, match="another version than 4"):
        read_inventory(b'{"version": 3, "lineage": "x", "modules": []}')
    with pytest.raises(ReportError, match=r"format_version 2\.1"):
        read_inventory(b'{"format_version": "2.1", "values": {}}')


def test_an_apply_needs_a_plan_or_a_log(plan_of: Callable[..., bytes], stream_of: Callable[..., bytes]) -> None:
    with pytest.raises(ReportError, match="at least one"):
        read_apply(None, None)
    with pytest.raises(ReportError, match="terraform apply -json"):
        read_apply(None, plan_of())
    with pytest.raises(ReportError, match="show -json PLANFILE"):
        read_apply(stream_of(), None)
    summary = {"type": "change_summary", "changes": {"add": 0, "operation": "plan"}}
    with pytest.raises(ReportError, match="stream of a plan"):
        read_apply(None, stream_of(summary))


@pytest.mark.parametrize(
    "schemas", [b"", b"[]", b'{"provider_schemas": 1}', b'{"provider_schemas":{"p":{"resource_schemas":']
)
def test_broken_schemas_are_refused(schemas: bytes, plan_of: Callable[..., bytes]) -> None:
    with pytest.raises(ReportError):
        redacted(plan_of({"a": 1}, {"a": 2}), schemas)


@pytest.mark.parametrize("schema", [1, "x", [], {"block": 1}, {"block": {"attributes": [1], "block_types": {"a": 2}}}])
def test_schemas_of_no_use_are_passed_over(schema: Any, plan_of: Callable[..., bytes]) -> None:
    given = {"registry.terraform.io/hashicorp/aws": {"resource_schemas": {"aws_thing": schema}}}
    assert read_report(plan_of({"a": [1]}, {"a": [2]}, provider_schemas=given)).drift[0].attributes
