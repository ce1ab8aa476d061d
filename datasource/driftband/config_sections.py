"""The sections of the configuration, and what must hold within each.

Lengths of time are milliseconds, sizes are bytes. Secrets are ``SecretStr`` and are dumped as ``<secret>``.
"""

from collections.abc import Mapping
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from driftband.config_values import (
    Count,
    Duration,
    EnvironmentText,
    ExistingPath,
    HttpUrl,
    ImpossibleError,
    LabelName,
    Level,
    Secret,
    SecretToken,
    Size,
    Text,
    TimeZone,
    VariableName,
    WorkspaceName,
)
from driftband.model.band import BandSettings

Model = Literal["seasonal", "prophet"]

_PLAIN = {bool, int, float, float | None}
_FEWEST_STEPS = 12


class Section(BaseModel):
    """Frozen, and without keys that nobody reads."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, strict=True, hide_input_in_errors=True, use_attribute_docstrings=True
    )

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


class Grafana(Section):
    """The Grafana that annotations are written to; an Editor's service account token is enough."""

    url: HttpUrl
    """Where it is, as driftband reaches it."""
    token: SecretToken
    """Of a service account with the role Editor."""


class Bands(Section):
    """How bands are made; lengths of time in milliseconds."""

    step: Duration = BandSettings.step
    """The grid that models are fitted on."""
    history: Duration = BandSettings.history
    """How much of the past a fit sees; a multiple of `step`."""
    min_history: Duration = BandSettings.min_history
    """With less there is no band, and a warning."""
    refit: Duration = BandSettings.refit
    """Models are fitted anew at each multiple of it since the epoch; a multiple of `step`."""
    level: Level = BandSettings.level
    """How much of the usual lies within the band."""
    horizon: Duration = BandSettings.horizon
    """How far the band goes into the future."""
    accept_after: Duration = BandSettings.accept_after
    """A departure that lasted so long counts as the new level."""
    model: Model = "seasonal"
    """`seasonal`, or `prophet` (slow; fitted in the background)."""
    timezone: TimeZone = BandSettings.timezone
    """In which days and weeks repeat."""

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
    """An operand of ours with more series is refused."""
    query_timeout: Duration = 30_000
    """A query that takes longer is given up."""
    body: Size = 32 * 2**20
    """A larger body is refused with a 413."""


class Workspace(Section):
    """A Terraform root module and its state."""

    name: WorkspaceName
    """As reports name it: `prod/network`."""
    path: ExistingPath | None = None
    """A folder, or an archive of one, to scan from here."""
    every: Duration | None = None
    """How often to scan it, with jitter; without it only reports tell of it."""
    timeout: Duration = 30 * 60_000
    """A scan that takes longer is ended."""
    tool: Literal["terraform", "tofu"] = "terraform"
    """`terraform` or `tofu`."""
    normal_plan: bool = True
    """Also plan changes: drift that a plan would not undo is told from the rest."""
    identity: Mapping[LabelName, Text] = Field(default_factory=dict)
    """Labels for resources whose tags do not tell."""
    environment: Mapping[VariableName, Secret] = Field(default_factory=dict)
    """What Terraform is given besides the service's own environment, such as credentials; never shown."""

    @model_validator(mode="after")
    def _scanned(self) -> Self:
        if self.every is not None and self.path is None:
            raise ImpossibleError((("every",), "needs a path beside it: the folder or the archive to scan"))
        return self


class Incidents(Section):
    """How incidents end: when all their findings have been closed for so long; within which time they come back."""

    resolve_after: Duration = 2 * 60_000
    """An incident ends once all its findings have been closed for so long."""
    reopen_within: Duration = 30 * 60_000
    """Trouble that comes back within this time is the same incident."""
