"""Telling what a body is, before anything of it is read."""

import re
from collections.abc import Set as AbstractSet
from typing import Literal

import msgspec
from msgspec import Raw

from driftband.sources.terraform.errors import ReportError, explain

Kind = Literal["plan", "stream", "state", "pulled"]

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_VERSION_LINE = re.compile(rb'^[ \t]*\{[^{}\[\]\n]*"type"\s*:\s*"version"', re.MULTILINE)
_STREAM_LINE = re.compile(rb'^[ \t]*\{[^{}\[\]\n]*"@level"\s*:', re.MULTILINE)
_FILES = {
    b"PK\x03\x04": "this is a plan file: send the output of `terraform show -json PLANFILE`",
    b"\x1f\x8b": "this is compressed: send the JSON itself",
    b"\xff\xfe": "this is UTF-16, as PowerShell writes it: write the file in UTF-8",
    b"\xfe\xff": "this is UTF-16, as PowerShell writes it: write the file in UTF-8",
}
_NEEDED = "expected the output of `terraform show -json` or of `terraform plan -json`"


_PLAN = frozenset({"planned_values", "resource_changes", "resource_drift", "prior_state", "configuration"})
_STATE = frozenset({"format_version", "terraform_version", "values", "checks"})


def recognise(body: bytes) -> tuple[Kind, bytes]:
    """Return what a body is, and the body without a byte order mark.

    Raises:
        ReportError: it is empty, not JSON, or JSON of something else.

    """
    body = body.removeprefix(_BYTE_ORDER_MARK)
    if not body.strip():
        raise ReportError(f"the document is empty: {_NEEDED}")
    for beginning, advice in _FILES.items():
        if body.startswith(beginning):
            raise ReportError(advice)
    try:
        return _kind(msgspec.json.decode(body, type=dict[str, Raw]).keys()), body
    except msgspec.ValidationError:
        raise ReportError(f"the JSON is not an object: {_NEEDED}") from None
    except msgspec.DecodeError as error:
        if _VERSION_LINE.search(body) or _STREAM_LINE.search(body):
            return "stream", body
        raise ReportError(explain(error)) from None


def _kind(given: AbstractSet[str]) -> Kind:
    if "type" in given and given & {"@level", "terraform", "tofu"}:
        return "stream"
    if "format_version" in given and given & _PLAN:
        return "plan"
    if "format_version" in given and given <= _STATE:
        return "state"
    if {"version", "lineage"} <= given:
        return "pulled"
    raise ReportError(f"this is {_something(given)}: {_NEEDED}")


def _something(given: AbstractSet[str]) -> str:
    if "provider_schemas" in given:
        return "the output of `terraform providers schema -json`"
    if "provider_selections" in given:
        return "the output of `terraform version -json`"
    if "diagnostics" in given:
        return "the output of `terraform validate -json`"
    return "JSON of something else"
