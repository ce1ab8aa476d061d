"""Wires PagerDuty's webhook: what somebody does there happens here, and is not told there again."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from driftband.app_incidents import EVENTS_KNOWN, Incidents
from driftband.config import Config
from driftband.correlate import lifecycle
from driftband.correlate.context import Decision
from driftband.model.incident import Deed, Incident
from driftband.model.refusal import RefusedError, UnknownError
from driftband.respond.pagerduty_webhook import NOBODY, SIGNATURE, Act, PagerDutyHookError, Told, read, verify
from driftband.store.pagerduty_events import Event

BELIEVED = EVENTS_KNOWN - timedelta(days=1)
"""What happened before is not done any more: PagerDuty gives up long before, and it may be a repeat that is known no more."""
_DEEDS: Mapping[Act, Deed] = {
    "acknowledge": "acknowledged",
    "unacknowledge": "updated",
    "resolve": "resolved",
    "reopen": "opened",
}


@dataclass(frozen=True, kw_only=True)
class PagerDutyInbox:
    """Where PagerDuty's webhooks come in. secrets: each with the destinations that it may speak for."""

    incidents: Incidents
    secrets: Mapping[str, frozenset[str]]

    def refuse(self, body: bytes, signature: str | None) -> str | None:
        """Return why a webhook is not believed, in words for whoever set it up, or None where it is."""
        if not self.secrets:
            return "webhook_secret of the destination is not set here, so that no signature can be checked"
        if not signature:
            return f"{SIGNATURE} is missing: only PagerDuty's webhooks of version 3 are taken"
        if not verify(body, signature, self.secrets):
            return f"{SIGNATURE} does not fit the body: the secrets differ, or something changed it on its way"
        return None

    def take(self, body: bytes, signature: str | None) -> str | None:
        """Do what somebody did there; return the id of the incident that it is about, None where it is none of ours.

        Raises:
            RefusedError: where it is no webhook of PagerDuty's.
        """
        try:
            told = read(body)
        except PagerDutyHookError as error:
            raise RefusedError(str(error)) from None
        if told is None or told.at < self.incidents.clock() - BELIEVED:
            return None
        signing = [names for secret, names in self.secrets.items() if verify(body, signature, [secret])]
        # That of a destination of its own says more than one that all of them share.
        event = Event(id=told.event_id, at=told.at, destinations=min(signing, key=len, default=frozenset()))
        try:
            if told.act == "reopen" and not self.incidents.alarms(told.key):
                return told.key  # it would be resolved again at once
            return self.incidents.act(told.key, _DEEDS[told.act], lambda i, now: _step(told, i, now), event).id
        except UnknownError:
            return None


def _step(told: Told, incident: Incident, now: datetime) -> Decision:
    if told.at < _begun(incident):
        return Decision()  # it was about the time before the incident came back
    where = "" if told.by == NOBODY else " in PagerDuty"
    match told.act:
        case "acknowledge":
            return lifecycle.acknowledge(incident, told.by, now, where)
        case "unacknowledge":
            return lifecycle.unacknowledge(incident, f"by {told.by}{where}", now)
        case "resolve":
            return lifecycle.resolve(incident, told.by, now, where)
        case "reopen":
            return lifecycle.reopen(incident, f"by {told.by}{where}", now)


def _begun(incident: Incident) -> datetime:
    """Return when it opened the last time."""
    return max((one.at for one in incident.timeline if one.what == "reopened"), default=incident.opened_at)


def pagerduty_inbox(config: Config, incidents: Incidents) -> PagerDutyInbox:
    """Return the inbox of a configuration."""
    ours = [one for one in config.destinations if one.type == "pagerduty"]
    found: dict[str, frozenset[str]] = {}
    for one in ours:
        if one.webhook_secret is not None:
            secret = one.webhook_secret.get_secret_value()
            found[secret] = found.get(secret, frozenset()) | {one.name}
    if config.access.webhook_secret is not None:
        found.setdefault(config.access.webhook_secret.get_secret_value(), frozenset(one.name for one in ours))
    return PagerDutyInbox(incidents=incidents, secrets=found)
