"""The sections of the configuration, and what must hold within each.

Lengths of time are milliseconds, sizes are bytes. Secrets are ``SecretStr`` and are dumped as ``<secret>``.
"""

from collections.abc import Mapping
from typing import Any, Literal, Self
from urllib.parse import unquote, urlsplit

from pydantic import BaseModel, ConfigDict, Field, model_validator

from driftband.config_values import (
    AccessToken,
    Count,
    Duration,
    EnvironmentText,
    ExistingFile,
    ExistingPath,
    HeaderName,
    HttpUrl,
    ImpossibleError,
    LabelName,
    Level,
    Secret,
    SecretHeader,
    SecretToken,
    Size,
    SourceUrl,
    Text,
    TimeZone,
    VariableName,
    WorkspaceName,
)
from driftband.model.band import BandSettings

Model = Literal["seasonal", "prophet"]

_PLAIN = {bool, int, float, float | None}
_FEWEST_STEPS = 12
_HOP_BY_HOP = {"connection", "content-length", "host", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade"}


class Section(BaseModel):
    """Frozen, and without keys that nobody reads."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, hide_input_in_errors=True)

    @model_validator(mode="before")
    @classmethod
    def _read_numbers(cls, values: Any) -> Any:
        """Environment variables know no types: what they write is read as what the setting is."""
        if not isinstance(values, dict):
            return values
        plain = {key for key, about in cls.model_fields.items() if about.annotation in _PLAIN}
        return {key: _number(value) if key in plain else value for key, value in values.items()}


def _number(value: Any) -> Any:
    if not isinstance(value, EnvironmentText):
        return value
    if value.lower() in {"true", "false"}:
        return value.lower() == "true"
    for kind in (int, float):
        try:
            return kind(value)
        except ValueError:
            continue
    return value


class BasicAuth(Section):
    """User and password for the source."""

    username: Secret
    password: Secret


class Tls(Section):
    """How the source's certificate is checked, and which one is shown to it; paths from the file's folder."""

    ca_file: ExistingFile | None = None
    cert_file: ExistingFile | None = None
    key_file: ExistingFile | None = None
    insecure_skip_verify: bool = False

    @model_validator(mode="after")
    def _pair(self) -> Self:
        if self.cert_file and not self.key_file:
            raise ImpossibleError((("cert_file",), "needs tls.key_file beside it"))
        if self.key_file and not self.cert_file:
            raise ImpossibleError((("key_file",), "needs tls.cert_file beside it"))
        return self


class Prometheus(Section):
    """The source, and what is sent with each request to it."""

    url: SourceUrl
    headers: Mapping[HeaderName, SecretHeader] = Field(default_factory=dict)
    bearer_token: SecretToken | None = None
    basic_auth: BasicAuth | None = None
    tls: Tls = Tls()
    forward_headers: tuple[HeaderName, ...] = ()

    @property
    def is_http(self) -> bool:
        """Whether the source is a server, not the sample world or a replay."""
        return self.url.startswith("http")

    @model_validator(mode="before")
    @classmethod
    def _take_userinfo(cls, values: Any) -> Any:
        """Move ``user:password@`` out of the URL, so that the URL can be shown."""
        url = values.get("url") if isinstance(values, dict) else None
        try:
            netloc = urlsplit(url).netloc if isinstance(url, str) else ""
        except ValueError:  # refused below, in words of our own
            netloc = ""
        if "@" not in netloc or not isinstance(url, str):
            return values
        if values.get("basic_auth") is not None:
            raise ImpossibleError((("url",), "carries user:password@ and there is basic_auth too; keep one of the two"))
        userinfo, _, host = netloc.rpartition("@")
        username, _, password = userinfo.partition(":")
        basic_auth = {"username": unquote(username), "password": unquote(password)}
        return {**values, "url": url.replace(netloc, host, 1), "basic_auth": basic_auth}

    @model_validator(mode="after")
    def _one_credential(self) -> Self:
        forwarded = {name.lower() for name in self.forward_headers}
        ways = {
            "bearer_token": self.bearer_token is not None,
            "basic_auth": self.basic_auth is not None,
            "headers.Authorization": "authorization" in {name.lower() for name in self.headers},
            "forward_headers with Authorization": "authorization" in forwarded,
        }
        given = [way for way, is_given in ways.items() if is_given]
        if len(given) > 1:
            raise ImpossibleError(((), f"{' and '.join(given)} are both given; keep one way to authenticate"))
        if forwarded & _HOP_BY_HOP:
            names = ", ".join(sorted(forwarded & _HOP_BY_HOP))
            raise ImpossibleError(
                (("forward_headers",), f"must not name {names}: such headers belong to one connection")
            )
        return self


class Grafana(Section):
    """The Grafana that annotations are written to; an Editor's service account token is enough."""

    url: HttpUrl
    token: SecretToken


class Access(Section):
    """Who may read, write and approve."""

    read_tokens: tuple[AccessToken, ...] = ()
    write_tokens: tuple[AccessToken, ...] = ()
    approve_tokens: tuple[AccessToken, ...] = ()
    webhook_secret: SecretToken | None = None

    @model_validator(mode="after")
    def _kinds_apart(self) -> Self:
        kinds = [
            (kind, {token.get_secret_value() for token in getattr(self, kind)})
            for kind in ("read_tokens", "write_tokens", "approve_tokens")
        ]
        shared = [
            ((later,), f"has a token that is in access.{kind} too; each kind needs tokens of its own")
            for number, (kind, tokens) in enumerate(kinds)
            for later, others in kinds[number + 1 :]
            if tokens & others
        ]
        if shared:
            raise ImpossibleError(*shared)
        return self


class Bands(Section):
    """How bands are made; lengths of time in milliseconds."""

    step: Duration = BandSettings.step
    history: Duration = BandSettings.history
    min_history: Duration = BandSettings.min_history
    refit: Duration = BandSettings.refit
    level: Level = BandSettings.level
    horizon: Duration = BandSettings.horizon
    accept_after: Duration = BandSettings.accept_after
    model: Model = "seasonal"
    timezone: TimeZone = BandSettings.timezone

    @model_validator(mode="after")
    def _fit_together(self) -> Self:
        wrong: list[tuple[tuple[str | int, ...], str]] = [
            ((key,), "must be a multiple of bands.step")
            for key in ("history", "refit")
            if getattr(self, key) % self.step
        ]
        if self.min_history < _FEWEST_STEPS * self.step:
            wrong.append((("min_history",), f"must be at least {_FEWEST_STEPS} times bands.step"))
        if self.min_history > self.history:
            wrong.append((("min_history",), "must not be longer than bands.history"))
        if wrong:
            raise ImpossibleError(*wrong)
        return self

    def settings(self) -> BandSettings:
        """Return the same as the value that the pure rooms work with."""
        return BandSettings(**dict(self))


class Limits(Section):
    """What one query may ask for; time in milliseconds, the body of a request in bytes."""

    series: Count = 200
    query_timeout: Duration = 30_000
    body: Size = 32 * 2**20


class Workspace(Section):
    """A Terraform root module and its state. path: a folder or an archive of it, from the file's folder; scanned ``every``.

    identity: labels for resources whose tags do not tell them. environment: what Terraform is given besides the
    service's own environment. normal_plan: also plan changes, which tells drift that nobody will undo from the rest.
    """

    name: WorkspaceName
    path: ExistingPath | None = None
    every: Duration | None = None
    timeout: Duration = 30 * 60_000
    tool: Literal["terraform", "tofu"] = "terraform"
    normal_plan: bool = True
    identity: Mapping[LabelName, Text] = Field(default_factory=dict)
    environment: Mapping[VariableName, Secret] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _scanned(self) -> Self:
        if self.every is not None and self.path is None:
            raise ImpossibleError((("every",), "needs a path beside it: the folder or the archive to scan"))
        return self


class Incidents(Section):
    """How incidents end: when all their findings have been closed for so long; within which time they come back."""

    resolve_after: Duration = 2 * 60_000
    reopen_within: Duration = 30 * 60_000
