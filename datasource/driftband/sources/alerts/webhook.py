"""The bodies of Grafana's (version 1) and Alertmanager's (version 4) webhooks, which have their alerts in common.

Sources of the forms: Grafana's ``notifiers/webhook`` and Alertmanager's ``template.Data``. The end of an alert that fires is
Go's zero time, year 1. ``values``, ``imageURL`` and the links to dashboard and panel are Grafana's alone.
"""

import hashlib
import math
from datetime import datetime
from typing import Any

from driftband.model.alert import Alert, AlertSource, Webhook
from driftband.model.moment import parse_moment
from driftband.sources.fields import Fields, link, read_json, tidy

MOST_LABELS = 64
_LONGEST_ADDRESS = 2000
_LINKS = ("panelURL", "dashboardURL", "generatorURL")


class AlertError(ValueError):
    """A refused webhook. Its text names the field, is for a person, and repeats no value of the body."""


def read_alerts(body: bytes, source: AlertSource) -> Webhook:
    """Read a webhook.

    Raises:
        AlertError: where it is none, or a field is not as expected.
    """
    fields = Fields.of(read_json(body, AlertError), "", AlertError)
    if not isinstance(fields.raw.get("alerts"), list):
        raise fields.refuse("alerts", f"the list of alerts that {source.capitalize()}'s webhook has")
    alerts = tuple(_alert(one, source) for one in fields.objects("alerts"))
    return Webhook(alerts=alerts, truncated=fields.number("truncatedAlerts"))


def _alert(fields: Fields, source: AlertSource) -> Alert:
    status = fields.text("status")
    if status not in ("firing", "resolved"):
        raise fields.refuse("status", "firing or resolved")
    labels = _texts(fields, "labels")
    return Alert(
        source=source,
        status=status,  # type: ignore[arg-type]  # it is one of the two
        labels=labels,
        annotations=_texts(fields, "annotations"),
        starts_at=fields.moment("startsAt"),
        ends_at=_end(fields.raw.get("endsAt")) if status == "resolved" else None,
        fingerprint=fields.optional("fingerprint") or _fingerprint(labels),
        link=next((found for name in _LINKS if (found := _address(fields.raw.get(name)))), ""),
        generator=tidy(str(fields.raw.get("generatorURL") or "")),
        values=_values(fields.raw.get("values")),
        image=_address(fields.raw.get("imageURL")),
    )


def _texts(fields: Fields, name: str) -> dict[str, str]:
    raw = fields.inner(name).raw
    found = {}
    for key, value in list(raw.items())[:MOST_LABELS]:
        if not isinstance(value, str):
            raise fields.refuse(name, "texts by their names")
        if tidied := tidy(value):
            found[tidy(key)] = tidied
    return found


def _end(value: object) -> datetime | None:
    try:
        return parse_moment(value)
    except ValueError:  # Go's zero time, or none
        return None


def _address(value: object) -> str:
    return link(value) if isinstance(value, str) and len(value) <= _LONGEST_ADDRESS else ""


def _fingerprint(labels: dict[str, str]) -> str:
    return hashlib.blake2b(repr(sorted(labels.items())).encode(), digest_size=8).hexdigest()


def _values(raw: Any) -> dict[str, float]:
    """Return the finite numbers: of no data, errors and NaN there is nothing to show."""
    if not isinstance(raw, dict):
        return {}
    numbers = {tidy(k): float(v) for k, v in list(raw.items())[:MOST_LABELS] if isinstance(v, int | float)}
    return {name: number for name, number in numbers.items() if math.isfinite(number)}
