"""The section ``destinations``: where incidents go, which ones, and when not."""

import difflib
import re
from datetime import time
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field, PlainSerializer, SecretStr, model_validator

from driftband.config_sections import Section
from driftband.config_values import SECRET, DestinationName, Duration, ImpossibleError, Secret, SecretToken, TimeZone
from driftband.respond.matchers import MatcherError, parse_matchers

Kind = Literal["pagerduty", "alertmanager", "webhook", "apprise"]

_KINDS: tuple[Kind, ...] = ("pagerduty", "alertmanager", "webhook", "apprise")
_PAGERDUTY = "https://events.pagerduty.com"
_NEEDS: dict[str, tuple[str, ...]] = {
    "pagerduty": ("routing_key",),
    "alertmanager": ("url",),
    "webhook": ("url", "secret"),
    "apprise": ("url",),
}
_ONLY = {"routing_key": "pagerduty", "webhook_secret": "pagerduty", "changes": "pagerduty", "secret": "webhook"}
_WORD, _TOKEN_LENGTH = 6, 16
_MISSING = "is required and missing; add it"


def _kind(text: object) -> object:
    if not isinstance(text, str) or text in _KINDS:
        return text
    near = difflib.get_close_matches(text.lower(), _KINDS, n=1, cutoff=0.5)
    hint = f'; did you mean "{near[0]}"?' if near else "; chat and the rest go by apprise"
    raise ValueError(f"expected {', '.join(_KINDS[:-1])} or {_KINDS[-1]}{hint}")


def _matcher(text: str) -> str:
    try:
        parse_matchers(text)
    except MatcherError as error:
        raise ValueError(str(error)) from None
    return text


def _clock(text: str) -> str:
    if not re.fullmatch(r"([01][0-9]|2[0-3]):[0-5][0-9]", text):
        raise ValueError('expected a time of day such as "22:00"')
    return text


def _shown_url(value: SecretStr) -> str:
    """Return a URL without user, password, path and query: any of them may be a token, for apprise the host too."""
    text = value.get_secret_value()
    if not text.startswith(("http://", "https://")):
        return f"{text.partition('://')[0]}://{SECRET}"
    parts = urlsplit(text)
    _, found, host = parts.netloc.rpartition("@")
    user = f"{SECRET}@" if found else ""
    return f"{parts.scheme}://{user}{host}{f'/{SECRET}' if parts.path.strip('/') or parts.query else ''}"


def _web(text: str) -> str | None:
    """Return what is wrong with an http(s) URL that may carry user:password, a path and a query."""
    try:
        parts = urlsplit(text)
        good = parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0 and not parts.fragment
    except ValueError:
        good = False
    if not good or not re.fullmatch(r"[\x21-\x7e]+", text):
        return "expected http://HOST:PORT or https://HOST, with a path where there is one, in ASCII"
    return None


MatcherText = Annotated[str, AfterValidator(_matcher)]
ClockTime = Annotated[str, AfterValidator(_clock)]
DestinationUrl = Annotated[SecretStr, PlainSerializer(_shown_url, return_type=str)]


class QuietHours(Section):
    """Every day ``from`` one time ``to`` another, by the wall clock of ``timezone``; ``except``: who is told of all the same."""

    model_config = ConfigDict(serialize_by_alias=True, validate_by_name=False)

    begins: ClockTime = Field(alias="from")
    """A time of day."""
    ends: ClockTime = Field(alias="to")
    """A time of day; before `from` it is that of the next morning."""
    timezone: TimeZone = "UTC"
    """Whose clock."""
    excepted: tuple[MatcherText, ...] = Field(default=(), alias="except")
    """Who meets all these matchers is told of all the same."""

    @model_validator(mode="after")
    def _some_time(self) -> Self:
        if self.begins == self.ends:
            raise ImpossibleError((("to",), "must be another time than from: nobody would ever be told"))
        return self

    def times(self) -> tuple[time, time]:
        """Return both times of day."""
        return time.fromisoformat(self.begins), time.fromisoformat(self.ends)


class Escalate(Section):
    """Tell the destination ``to`` as well where nobody acknowledges within ``after``."""

    after: Duration
    """Nobody has acknowledged for so long."""
    to: DestinationName
    """Another destination."""


class Destination(Section):
    """Where incidents go."""

    name: DestinationName
    """Unique; notifications carry it."""
    type: Annotated[Kind, BeforeValidator(_kind)]
    """`pagerduty`, `alertmanager`, `webhook` or `apprise`."""
    url: DestinationUrl | None = None
    """Where it is; for apprise its own kind of URL. PagerDuty's is known."""
    routing_key: SecretToken | None = None
    """PagerDuty's integration key."""
    webhook_secret: SecretToken | None = None
    """Of the webhook by which PagerDuty tells what was acknowledged and resolved there."""
    changes: bool = False
    """PagerDuty is told of changes too."""
    secret: Secret | None = None
    """Signs the messages of a webhook."""
    match: tuple[MatcherText, ...] = ()
    """Matchers as Alertmanager has them, all of which must hold; none: every incident."""
    quiet: QuietHours | None = None
    """When nothing new is told."""
    updates_every: Duration | None = None
    """Updates go together, at most one in this time."""
    escalate: Escalate | None = None
    """Whom else to tell where nobody acknowledges."""

    @model_validator(mode="before")
    @classmethod
    def _usual_url(cls, values: Any) -> Any:
        if isinstance(values, dict) and values.get("type") == "pagerduty" and values.get("url") is None:
            return {**values, "url": _PAGERDUTY}
        return values

    @model_validator(mode="after")
    def _as_its_type_wants(self) -> Self:
        wrong = [((key,), _MISSING) for key in _NEEDS[self.type] if not _given(getattr(self, key))]
        wrong += [
            ((key,), f"is for type: {kind} alone; remove it")
            for key, kind in _ONLY.items()
            if kind != self.type and getattr(self, key)
        ]
        if self.url is not None and (problem := self._problem_with_url(self.url.get_secret_value())):
            wrong.append((("url",), problem))
        if self.type == "alertmanager" and (self.quiet or self.updates_every):
            key = "quiet" if self.quiet else "updates_every"
            wrong.append(((key,), "is not for type: alertmanager, which groups and mutes by itself; remove it"))
        if wrong:
            raise ImpossibleError(*wrong)
        return self

    def hides_nothing(self) -> bool:
        """Whether the URL is shown as it is."""
        return self.url is not None and _shown_url(self.url) == self.url.get_secret_value()

    def secret_parts(self) -> frozenset[str]:
        """Return the parts of the URL that may be tokens, as errors and logs would tell them; not those that are mere words."""
        url = self.url.get_secret_value() if self.url is not None else ""
        try:
            parts = urlsplit(url)
            pair = (parts.username or "", parts.password or "")
        except ValueError:
            return frozenset({url})
        host = "" if parts.scheme in {"http", "https"} else parts.netloc
        long = (segment for segment in parts.path.split("/") if len(segment) >= _TOKEN_LENGTH)
        return frozenset(
            text for text in (*pair, host, parts.path.strip("/"), parts.query, *long) if len(text) >= _WORD
        )

    def _problem_with_url(self, url: str) -> str | None:
        if self.type != "apprise":
            return _web(url)
        from driftband.respond.apprise_address import problem_with  # noqa: PLC0415 - apprise takes a while to load

        return problem_with(url)


def _given(value: SecretStr | None) -> bool:
    return value is not None and bool(value.get_secret_value())


def check_escalations(destinations: tuple[Destination, ...]) -> tuple[Destination, ...]:
    """Refuse an escalation to nobody and one to itself."""
    names = [one.name for one in destinations]
    wrong: list[tuple[tuple[str | int, ...], str]] = []
    for index, one in enumerate(destinations):
        if one.escalate is None:
            continue
        if one.escalate.to == one.name:
            wrong.append(((index, "escalate", "to"), "must be another destination"))
        elif one.escalate.to not in names:
            near = difflib.get_close_matches(one.escalate.to, names, n=1, cutoff=0.5)
            hint = f'; did you mean "{near[0]}"?' if near else ""
            wrong.append(((index, "escalate", "to"), f"there is no destination of this name{hint}"))
    if wrong:
        raise ImpossibleError(*wrong)
    return destinations
