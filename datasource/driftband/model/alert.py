"""Alerts that others raise: one alert of a webhook, as it was told."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

AlertSource = Literal["grafana", "alertmanager"]
AlertStatus = Literal["firing", "resolved"]


@dataclass(frozen=True, kw_only=True)
class Alert:
    """An alert. fingerprint: of its labels, the sender's. ends_at: None where it fires, or nobody told.

    link: where a person reads more, empty where no address was told that a page may link to. generator: the address of the
    rule, as it was told. values: what the rule's expressions gave, by their names; image: the
    address of a picture of the panel. Both are Grafana's alone.
    """

    source: AlertSource
    status: AlertStatus
    labels: Mapping[str, str]
    annotations: Mapping[str, str] = field(default_factory=dict)
    starts_at: datetime
    ends_at: datetime | None = None
    fingerprint: str
    link: str = ""
    generator: str = ""
    values: Mapping[str, float] = field(default_factory=dict)
    image: str = ""

    def __post_init__(self) -> None:
        """Refuse an alert that cannot be told from others."""
        if not self.fingerprint:
            raise ValueError("an alert needs a fingerprint")

    @property
    def name(self) -> str:
        """The name of its rule."""
        return self.labels.get("alertname", "") or "alert"


@dataclass(frozen=True, kw_only=True)
class Webhook:
    """What one webhook told. truncated: how many alerts its sender left out."""

    alerts: tuple[Alert, ...]
    truncated: int = 0
