"""Reads ahead what the bands of named signals stand on: the first panel need not wait for weeks of history."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import structlog

from driftband.app_evidence import Chore
from driftband.model.band import DAY
from driftband.model.moment import to_ms
from driftband.query.errors import QueryError
from driftband.query.fetch import Fetch
from driftband.query.leaves import Engine
from driftband.query.native import Signal
from driftband.query.question import Question

log = structlog.get_logger(__name__)

EVERY, RETRY = 300.0, 15.0
"""Seconds between two rounds, and after one in which the source did not answer."""
_UNAVAILABLE = 503


@dataclass
class Ahead:
    """What is asked for before anybody asks. room: whether there is memory for a signal that is not in it yet."""

    signals: Sequence[Signal]
    engine: Engine
    fetch: Callable[[], Fetch]
    room: Callable[[], bool]
    _due: float = 0.0
    _refused: set[str] = field(default_factory=set)

    def look(self, now: datetime) -> None:
        """Ask for the bands of a day ago and of now, if it is time."""
        if time.monotonic() < self._due:
            return
        self._due = time.monotonic() + EVERY
        for signal in self.signals:
            try:
                self._read(signal, to_ms(now))
            except QueryError as error:
                if error.status == _UNAVAILABLE:
                    self._due = time.monotonic() + RETRY
                    return
                if signal.name not in self._refused:
                    log.info("not read ahead", signal=signal.name, reason=str(error))
                self._refused.add(signal.name)

    def _read(self, signal: Signal, now: int) -> None:
        fetch = self.fetch()
        if not self.room() and fetch.is_cold(signal.expr, now - DAY):
            return
        self.engine.answer(Question(f'driftband_expected{{signal="{signal.name}"}}', now - DAY, now, DAY), fetch, now)


def reading_ahead(ahead: Ahead) -> Chore:
    """Return the chore, which every instance has for itself."""
    return Chore("read ahead", None, ahead.look)
