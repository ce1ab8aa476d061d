"""Streams: the lines of ``plan -json`` and of ``apply -json``, read without their secrets."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import msgspec
from msgspec import Struct
from msgspec import field as named

from driftband.model.report import Tool
from driftband.sources.terraform.address import Addresses
from driftband.sources.terraform.errors import ReportError, explain
from driftband.sources.terraform.known import Known

LONGEST_ERROR = 300
"""Characters of a diagnostic's summary that are kept."""


class Subject(Struct, gc=False, omit_defaults=True):
    """A resource as a line names it."""

    addr: str = ""
    resource_type: str = ""


class Hook(Struct, gc=False, omit_defaults=True):
    """What happens to a resource. Its id is left out: it may be a secret."""

    resource: Subject | None = None
    action: str = ""


class Planned(Struct, gc=False, omit_defaults=True):
    """A drifted resource, or one that would change."""

    resource: Subject | None = None
    previous_resource: Subject | None = None
    action: str = ""


class Counts(Struct, gc=False, omit_defaults=True):
    """A summary: of a plan, or of an apply."""

    operation: str = ""
    add: int = 0
    change: int = 0
    remove: int = 0
    imported: int = named(default=0, name="import")
    forget: int = 0


class Diagnostic(Struct, gc=False, omit_defaults=True):
    """An error or a warning. Its detail is left out: it may hold anything."""

    severity: str = ""
    summary: str = ""
    address: str = ""


class Line(Struct, gc=False, omit_defaults=True):
    """A line."""

    type: str = ""
    timestamp: str | None = named(default=None, name="@timestamp")
    terraform: str | None = None
    tofu: str | None = None
    hook: Hook | None = None
    change: Planned | None = None
    changes: Counts | None = None
    diagnostic: Diagnostic | None = None


class _Kind(Struct, gc=False):
    type: Any = None


KINDS = frozenset(
    {
        "version",
        "refresh_start",
        "refresh_complete",
        "resource_drift",
        "planned_change",
        "change_summary",
        "diagnostic",
        "apply_start",
        "apply_complete",
        "apply_errored",
    }
)
"""The types of lines that are read; the others tell nothing that is needed, or too much."""

_LINE = msgspec.json.Decoder(Line)
_KIND = msgspec.json.Decoder(_Kind)


@dataclass(frozen=True, kw_only=True, slots=True)
class SafeStream:
    """A stream whose lines carry no secret. truncated: it ends within a line."""

    lines: list[Line]
    truncated: bool = False

    @property
    def version(self) -> Line:
        """The line that says which tool it is."""
        return next(line for line in self.lines if line.type == "version")

    @property
    def tool(self) -> Tool:
        """The tool that wrote it."""
        return "opentofu" if self.version.tofu is not None else "terraform"

    @property
    def errors(self) -> list[Diagnostic]:
        """The errors, in order."""
        return [
            line.diagnostic
            for line in self.lines
            if line.type == "diagnostic" and line.diagnostic and line.diagnostic.severity == "error"
        ]

    @property
    def applies(self) -> bool:
        """Whether it tells of an apply. Reading a data source is an ``apply_start`` too, also in a plan."""
        return any(
            (line.changes is not None and line.changes.operation in ("apply", "destroy"))
            or (line.type.startswith("apply_") and line.hook is not None and line.hook.action != "read")
            for line in self.lines
        )


def open_stream(body: bytes, known: Known) -> SafeStream:
    """Read the lines of a stream; plain text between them, as CI logs have it, is passed over.

    Raises:
        ReportError: a line is broken, or none says which Terraform wrote this.

    """
    addresses = Addresses()
    found = []
    truncated = False
    texts = [(number, text) for number, text in enumerate(body.split(b"\n"), start=1) if text.strip()]
    for number, text in texts:
        try:
            line = _line(text.strip())
        except (msgspec.MsgspecError, RecursionError, UnicodeError) as error:
            if number != texts[-1][0] or not isinstance(error, msgspec.DecodeError):
                raise ReportError(f"line {number} of the stream is broken: {explain(error)}") from None
            truncated = True
            break
        if line is not None:
            found.append(_safe(line, addresses, known))
    if not any(line.type == "version" for line in found):
        raise ReportError(
            "no line of this stream says which Terraform wrote it: "
            "expected all of what `terraform plan -json` or `apply -json` wrote"
        )
    return SafeStream(lines=found, truncated=truncated)


def _line(text: bytes) -> Line | None:
    """Return a line, None for plain text and for lines that are not read."""
    if not text.startswith(b"{"):
        if b"\0" in text:
            raise msgspec.DecodeError("it is binary")
        text.decode()
        return None
    try:
        line = _LINE.decode(text)
    except msgspec.ValidationError:
        # Other programs write JSON lines too.
        if _KIND.decode(text).type in list(KINDS):
            raise
        return None
    return line if line.type in KINDS else None


def _safe(line: Line, addresses: Addresses, known: Known) -> Line:
    for subject in _subjects(line):
        subject.addr = addresses.safe(subject.addr)
    if line.diagnostic is not None:
        line.diagnostic.address = addresses.safe(line.diagnostic.address)
        line.diagnostic.summary = known.without(line.diagnostic.summary)[:LONGEST_ERROR]
    return line


def _subjects(line: Line) -> Iterator[Subject]:
    given = [line.hook.resource] if line.hook else []
    given += [line.change.resource, line.change.previous_resource] if line.change else []
    yield from (subject for subject in given if subject is not None)


def written(stream: SafeStream) -> bytes:
    """Return the stream in its own form again."""
    lines = b"".join(msgspec.json.encode(line) + b"\n" for line in stream.lines)
    # What ends within a line still does.
    return lines + (b'{"type"' if stream.truncated else b"")
