"""Quiet hours: when a destination is left alone. Pure; the clock of the wall where the people are."""

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from driftband.respond.matchers import Matcher


@dataclass(frozen=True, kw_only=True)
class Quiet:
    """Every day from ``begins`` until ``ends``, over midnight where it ends earlier than it begins.

    zone: whose wall clock. excepted: incidents that meet all of these matchers are told of all the same; none: no incident is.
    """

    begins: time
    ends: time
    zone: ZoneInfo
    excepted: tuple[Matcher, ...] = ()

    def __post_init__(self) -> None:
        """Refuse what would never end, or never begin."""
        if self.begins == self.ends:
            raise ValueError("quiet hours must end at another time than they begin")

    def covers(self, moment: datetime) -> bool:
        """Whether the wall clock stands within the quiet hours."""
        now = moment.astimezone(self.zone).time()
        if self.begins < self.ends:
            return self.begins <= now < self.ends
        return now >= self.begins or now < self.ends

    def until(self, moment: datetime) -> datetime | None:
        """Return when the quiet hours around ``moment`` end (UTC), None where it is outside of them.

        Where clocks are set back and the end comes twice, the last one counts; where it is skipped, the next instant does.
        """
        if not self.covers(moment):
            return None
        today = moment.astimezone(self.zone).date()
        ends = [
            datetime.combine(today + timedelta(days=days), self.ends, self.zone).replace(fold=fold).astimezone(UTC)
            for days in (0, 1, 2)
            for fold in (0, 1)
        ]
        return min(end for end in ends if end > moment and not self.covers(end))
