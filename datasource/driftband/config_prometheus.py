"""The section ``prometheus``: the source, and what is shown to it."""

from collections.abc import Mapping
from typing import Any, Self
from urllib.parse import unquote, urlsplit

from pydantic import Field, model_validator

from driftband.config_sections import Section
from driftband.config_values import (
    ExistingFile,
    HeaderName,
    ImpossibleError,
    Secret,
    SecretHeader,
    SecretToken,
    SourceUrl,
)

_HOP_BY_HOP = {"connection", "content-length", "host", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade"}


class BasicAuth(Section):
    """User and password for the source."""

    username: Secret
    """User."""
    password: Secret
    """Password."""


class Tls(Section):
    """How the source's certificate is checked, and which one is shown to it; paths from the file's folder."""

    ca_file: ExistingFile | None = None
    """Certificates of the authorities to trust, instead of the system's."""
    cert_file: ExistingFile | None = None
    """The client's certificate; with `key_file`."""
    key_file: ExistingFile | None = None
    """Its key."""
    insecure_skip_verify: bool = False
    """Believe any certificate. For tests."""

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
    """A Prometheus, Mimir, Thanos or VictoriaMetrics; `sample:` for the made-up shop, `replay:DIR` for [files](replay.md)."""
    headers: Mapping[HeaderName, SecretHeader] = Field(default_factory=dict)
    """Sent with each request, such as `X-Scope-OrgID`."""
    bearer_token: SecretToken | None = None
    """Sent as `Authorization: Bearer`."""
    basic_auth: BasicAuth | None = None
    """Or user and password."""
    tls: Tls = Tls()
    """How its certificate is checked."""
    forward_headers: tuple[HeaderName, ...] = ()
    """Headers of a request that are handed on to the source, such as `X-Scope-OrgID`; each value has a cache of its own."""

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
