"""Days as people live them: history laid out by local time, so that a season keeps its hour when the clocks change.

Everything before and after the refit is numbered in wall-clock *slots*, of which a day has a fixed number. Slot 0 is
the refit itself; yesterday at the same local time is one day of slots less. In spring an hour of slots stays empty,
in autumn the second of two samples for one slot is kept.
"""

from datetime import UTC, datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

import numpy as np

from driftband.model.band import DAY, HOUR
from driftband.model.series import Floats, Instants

_QUARTER = HOUR // 4


def slots_per_day(step: int) -> int:
    """Return how many slots a day has on a grid of ``step`` ms."""
    return max(DAY // step, 1)


def local_slots(instants: Instants, at: int, step: int, timezone: str) -> Instants:
    """Return the wall-clock slot of each instant (epoch ms), relative to the slot of ``at``."""
    count = slots_per_day(step)
    if timezone == "UTC":
        passed = instants - at
    else:
        passed = instants - at + local_offsets(instants, timezone) - _offset(at, timezone)
    return passed * count // DAY


def local_offsets(instants: Instants, timezone: str) -> Instants:
    """Return the offset of local time from UTC in ms at each instant."""
    days, which = np.unique(instants // DAY, return_inverse=True)
    quarters = np.array([_offsets_of_day(int(day), timezone) for day in days], dtype=np.int64).reshape(
        -1, DAY // _QUARTER
    )
    return quarters[which, instants % DAY // _QUARTER]


@lru_cache(maxsize=1024)
def _offsets_of_day(day: int, timezone: str) -> tuple[int, ...]:
    count = DAY // _QUARTER
    first, last = _offset(day * DAY, timezone), _offset((day + 1) * DAY, timezone)
    if first == last:
        return (first,) * count
    return tuple(_offset(day * DAY + quarter * _QUARTER, timezone) for quarter in range(count))


def _offset(instant: int, timezone: str) -> int:
    moment = datetime.fromtimestamp(instant / 1000, UTC).astimezone(ZoneInfo(timezone))
    offset = moment.utcoffset()
    return 0 if offset is None else round(offset.total_seconds() * 1000)


def by_day(values: Floats, slots: Instants, days: int, per_day: int) -> Floats:
    """Lay out the ``values`` (n, T) at ``slots`` below 0 as (n, days, per_day), oldest first, NaN where unknown."""
    laid = np.full((values.shape[0], days * per_day), np.nan)
    inside = (slots >= -days * per_day) & (slots < 0)
    laid[:, slots[inside] + days * per_day] = values[:, inside]
    return laid.reshape(values.shape[0], days, per_day)
