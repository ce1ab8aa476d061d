"""The section ``access``: tokens, and a proxy that people sign in at."""

from typing import Literal, Self

from pydantic import model_validator

from driftband.config_sections import Section
from driftband.config_values import AccessToken, HeaderName, ImpossibleError, Network, SecretToken

_OF_OTHERS = {"authorization", "cookie", "host", "connection", "content-length", "transfer-encoding"}
"""Headers that a client sends for reasons of its own."""


class TrustedProxy(Section):
    """A proxy that people sign in at, and that names them in a header of each request."""

    header: HeaderName
    """The header that names the person, as the proxy writes it: `X-Forwarded-User`."""
    addresses: tuple[Network, ...]
    """Where the proxy asks from, addresses or networks: the header is believed from there alone."""
    allow: Literal["read", "write"] = "read"
    """What those whom it names may do on the pages. The API's writes want a write token all the same."""

    @model_validator(mode="after")
    def _tells_people_apart(self) -> Self:
        wrong: list[tuple[tuple[str | int, ...], str]] = []
        if not self.addresses:
            wrong.append((("addresses",), "name the addresses that the proxy asks from, such as 127.0.0.1"))
        if self.header.lower() in _OF_OTHERS:
            wrong.append((("header",), "must be one of the proxy's own, such as X-Forwarded-User"))
        if "_" in self.header:
            wrong.append((("header",), "must have no _: servers take it for the same as -, and others could send it"))
        if wrong:
            raise ImpossibleError(*wrong)
        return self


class Access(Section):
    """Who may read, write and approve."""

    read_tokens: tuple[AccessToken, ...] = ()
    """For reading. Required where others can reach `listen`."""
    write_tokens: tuple[AccessToken, ...] = ()
    """For CI, audit events and Alertmanager. Required where others can reach `listen`."""
    approve_tokens: tuple[AccessToken, ...] = ()
    """For approving remediations; without one nothing can be approved."""
    webhook_secret: SecretToken | None = None
    """Of the signed webhooks of Grafana, HCP Terraform and PagerDuty."""
    proxy: TrustedProxy | None = None
    """People who have signed in at a proxy need no token on the pages."""

    @model_validator(mode="after")
    def _closed_to_others(self) -> Self:
        if self.proxy is not None and not (self.read_tokens and self.write_tokens):
            message = "needs read_tokens and write_tokens beside it: without them nobody has to pass the proxy"
            raise ImpossibleError((("proxy",), message))
        return self

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
