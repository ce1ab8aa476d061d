"""Which tool wrote a document, in which version of its format, and when."""

import re
from collections.abc import Iterable
from datetime import datetime

from driftband.model.moment import parse_moment
from driftband.model.report import Tool
from driftband.sources.terraform.errors import ReportError

_OPENTOFU = "registry.opentofu.org/"
_FIRST_APPLYABLE = (1, 8)
"""The first Terraform whose plans say ``applyable`` and ``complete``; OpenTofu's do not."""


def tool_of(providers: Iterable[str]) -> Tool:
    """Tell the tool by the registry that providers come from."""
    return "opentofu" if any(provider.startswith(_OPENTOFU) for provider in providers) else "terraform"


def planning_tool(providers: Iterable[str], version: str, *, says_applyable: bool) -> Tool:
    """Tell the tool that wrote a plan, also where no provider tells."""
    if says_applyable:
        return tool_of(providers)
    old = _number(version)
    if old is not None and old < _FIRST_APPLYABLE:
        return tool_of(providers)
    return "opentofu"


def _number(version: str) -> tuple[int, int] | None:
    found = re.match(r"(\d{1,4})\.(\d{1,4})", version)
    return (int(found[1]), int(found[2])) if found else None


def check_format(version: str, what: str) -> None:
    """Refuse another major version of the JSON format than 1."""
    if version.partition(".")[0] == "1":
        return
    shown = (
        f"format_version {version}" if re.fullmatch(r"\d{1,4}(\.\d{1,4})?", version) else "an unknown format_version"
    )
    raise ReportError(
        f"this {what} has {shown}, and driftband reads the major version 1: "
        "use a Terraform from 1.1 on, or a newer driftband"
    )


def shown_version(version: str | None) -> str:
    """Return a version if it is one, else an empty text."""
    return version if version and re.fullmatch(r"[0-9A-Za-z.+-]{1,64}", version) else ""


def moment(text: str | None) -> datetime | None:
    """Return the time that a document says; None where it says none that can be read."""
    try:
        return parse_moment(text)
    except ValueError:
        return None
