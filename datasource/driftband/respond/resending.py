"""Keeps destinations reminded that forget: what stands is told again, round after round."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

import structlog

from driftband.model.notification import Notification
from driftband.respond.outcome import Failed
from driftband.respond.sender import Reminder

log = structlog.get_logger(__name__)

REMEMBERED = timedelta(hours=1)
"""How long after it was told that an incident is resolved it is looked at here; the destination knows how long it repeats it."""


class Standing(Protocol):
    """What destinations were told, kept in the store."""

    def standing(self, destination: str, resolved_since: datetime) -> Sequence[Notification]:
        """Return the last sent notification of each incident to a destination.

        Not of those incidents whose last one is ``resolved`` and was sent before ``resolved_since``.
        """


@dataclass(frozen=True)
class Reminding:
    """Reminds; a round that fails is made up for by the next."""

    standing: Standing
    reminders: Mapping[str, Reminder]
    clock: Callable[[], datetime]

    def run(self) -> None:
        """Tell each of these destinations once more how things stand."""
        for name, reminder in self.reminders.items():
            now = self.clock()
            standing = self.standing.standing(name, now - REMEMBERED)
            if not standing:
                continue
            outcome = reminder.remind(standing, now)
            if isinstance(outcome, Failed):
                log.warning("not reminded", destination=name, error=outcome.error)
