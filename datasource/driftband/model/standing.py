"""How a workspace stands now."""

from collections.abc import Mapping
from dataclasses import dataclass

from driftband.model.finding import ALARMING, Class, Severity
from driftband.model.run import Run

SEVERITIES: tuple[Severity, ...] = ("critical", "error", "warning", "info")
"""The worst first."""


@dataclass(frozen=True, kw_only=True)
class Standing:
    """A workspace. last: its last run; whole: the last one that looked at everything; each None where there is none.

    open: how many configuration findings are open by class and severity.
    """

    name: str
    last: Run | None
    whole: Run | None
    open: Mapping[tuple[Class, Severity], int]

    def of_class(self, class_: Class) -> int:
        """Return how many findings of a class are open."""
        return sum(count for (one, _), count in self.open.items() if one == class_)

    def alarming(self, severity: Severity) -> int:
        """Return how many findings of a severity are open that count as drift."""
        return sum(count for (class_, one), count in self.open.items() if one == severity and class_ in ALARMING)
