"""Changes as our own API takes them. Format: SHAPES.md, "POST /driftband/v1/changes"."""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StrictBool,
    ValidationError,
    model_validator,
)

from driftband.model.attribute import AttributeDiff, leaves
from driftband.model.change import Change, Touched
from driftband.model.identity import LONGEST
from driftband.model.moment import parse_moment
from driftband.sources.terraform.names import names_secret
from driftband.sources.terraform.shapes import is_secret, without_shapes

MOST_RESOURCES = 20_000
_LABEL = re.compile(r"(?!__)[a-zA-Z_][a-zA-Z0-9_]*")


class ChangeError(ValueError):
    """A refused change; the text names the field and repeats no value."""


def _link(text: str) -> str:
    if text and not re.fullmatch(r"https?://[^\s\"'<>]+", text):
        raise ValueError("expected a link that begins with http:// or https://")
    return without_shapes(text)


def _labels(labels: Mapping[str, str]) -> Mapping[str, str]:
    for name in labels:
        if not _LABEL.fullmatch(name):
            raise ValueError("expected label names of letters, digits and _, not beginning with a digit or __")
        if len(labels[name]) > LONGEST:
            raise ValueError(f"expected label values of at most {LONGEST} characters")
    return {name: without_shapes(value) for name, value in labels.items() if value}


def _printable(text: str) -> str:
    if not text.isprintable() or text != text.strip():
        raise ValueError("expected a name such as prod/network, printable")
    return text


def _none_is_empty(value: Any) -> Any:
    return "" if value is None else value


def _moment(value: Any) -> Any:
    return None if value is None else parse_moment(value)


Words = Annotated[str, BeforeValidator(_none_is_empty), Field(max_length=2000), AfterValidator(without_shapes)]
Name = Annotated[str, BeforeValidator(_none_is_empty), Field(max_length=1000), AfterValidator(without_shapes)]
Key = Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]+$")]
When = Annotated[datetime, BeforeValidator(parse_moment)]
Strings = Annotated[Mapping[str, str], Field(max_length=50), AfterValidator(_labels)]


class _Form(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class _Attribute(_Form):
    path: Name
    before: Any = None
    after: Any = None
    sensitive: StrictBool = False

    def value(self) -> AttributeDiff:
        named = any(names_secret(name) for name in re.split(r"[.\[\]\"]+", self.path) if name)
        texts = [value for side in (self.before, self.after) for _, value in leaves(side) if isinstance(value, str)]
        if self.sensitive or (named and any(texts)) or any(map(is_secret, texts)):
            return AttributeDiff(path=self.path, sensitive=True)
        return AttributeDiff(path=self.path, before=self.before, after=self.after)


class _Touched(_Form):
    address: Annotated[str, Field(min_length=1, max_length=2000), AfterValidator(without_shapes)]
    type: Name = ""
    module: Name = ""
    module_version: Name = ""
    actions: Annotated[
        Sequence[Literal["create", "update", "delete", "read", "no-op", "forget"]], Field(max_length=4)
    ] = ()
    attributes: Annotated[Sequence[_Attribute], Field(max_length=500)] = ()

    def value(self) -> Touched:
        return Touched(
            address=self.address,
            type=self.type,
            module=self.module,
            module_version=self.module_version,
            actions=tuple(self.actions),
            attributes=tuple(attribute.value() for attribute in self.attributes),
        )


class _Change(_Form):
    id: Key
    kind: Literal["terraform_apply", "deploy", "manual", "other"]
    status: Literal["running", "succeeded", "failed"] | None = None
    started_at: When
    ended_at: Annotated[datetime | None, BeforeValidator(_moment)] = None
    workspace: Annotated[str, BeforeValidator(_none_is_empty), Field(max_length=200), AfterValidator(_printable)] = ""
    commit: Annotated[str, BeforeValidator(_none_is_empty), Field(max_length=200), AfterValidator(without_shapes)] = ""
    actor: Name = ""
    url: Annotated[str, BeforeValidator(_none_is_empty), Field(max_length=2000), AfterValidator(_link)] = ""
    summary: Words = ""
    identity: Strings = Field(default_factory=dict)
    resources: Annotated[Sequence[_Touched], Field(max_length=MOST_RESOURCES)] = ()

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.ended_at is not None and self.ended_at < self.started_at:
            raise ValueError("ended_at must not be before started_at")
        return self


def read_change(fields: Mapping[str, Any]) -> tuple[Change, frozenset[str]]:
    """Return a change and the names of the fields that were given.

    Without a status it has succeeded.

    Raises:
        ChangeError: naming each field that is wrong.
    """
    try:
        form = _Change.model_validate(dict(fields))
    except ValidationError as error:
        raise ChangeError("; ".join(_told(details) for details in error.errors(include_url=False)[:10])) from None
    given = form.model_fields_set - {name for name in ("status", "ended_at") if getattr(form, name) is None}
    change = Change(
        id=form.id,
        kind=form.kind,
        status=form.status or "succeeded",
        started_at=form.started_at,
        ended_at=form.ended_at,
        workspace=form.workspace,
        commit=form.commit,
        actor=form.actor,
        url=form.url,
        summary=form.summary,
        identity=dict(form.identity),
        resources=tuple(touched.value() for touched in form.resources),
    )
    return change, frozenset(given)


def _told(details: Any) -> str:
    place = ".".join(str(part)[:60] for part in details["loc"]) or "the change"
    if details["type"] == "extra_forbidden":
        return f"{place}: there is no such field"
    if details["type"] == "missing":
        return f"{place}: is required and missing"
    cause = details.get("ctx", {}).get("error")
    return f"{place}: {cause or details['msg']}"
