"""The registry of destinations: each type with what delivers to it. A type has a docs page and a test of its own name."""

from collections.abc import Callable, Mapping

from driftband.respond.alertmanager import Alertmanager
from driftband.respond.apprise import Chat
from driftband.respond.pagerduty import PagerDuty
from driftband.respond.sender import Sender, Setup
from driftband.respond.webhook import Webhook

DESTINATIONS: Mapping[str, Callable[[Setup], Sender]] = {
    "pagerduty": PagerDuty,
    "alertmanager": Alertmanager,
    "webhook": Webhook,
    "apprise": Chat,
}


def sender(kind: str, setup: Setup) -> Sender:
    """Return what delivers to a destination of a type of ``DESTINATIONS``."""
    return DESTINATIONS[kind](setup)
