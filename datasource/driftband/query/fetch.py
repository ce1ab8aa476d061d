"""The fetch that a query is handed: the only way from here to a source."""

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Protocol, TypeVar

from driftband.model.series import Frame, History

T = TypeVar("T")


@dataclass(frozen=True, eq=False)
class Answer:
    """What a source answers: a frame, whether it is one number an instant, and what the source remarked."""

    frame: Frame
    scalar: bool = False
    warnings: tuple[str, ...] = ()
    infos: tuple[str, ...] = ()


class Fetch(Protocol):
    """A source as one request sees it; times in epoch ms. Every method may raise ``QueryError``."""

    def instant(self, text: str, time: int) -> Answer:
        """Answer an instant query."""

    def range(self, text: str, start: int, end: int, step: int) -> Answer:
        """Answer a range query at ``start``, ``start + step``, ... up to ``end``."""

    def history(self, text: str, start: int, end: int) -> History:
        """Answer on the fixed grid."""

    def is_cold(self, text: str, start: int) -> bool:
        """Whether the history from ``start`` on would have to be fetched."""

    def shared(self, key: Hashable, make: Callable[[], T], size: Callable[[T], int]) -> T:
        """Return what ``make`` makes, or has made a moment ago for the same key in another query. size: in bytes."""

    def check_time(self) -> None:
        """Raise ``QueryError`` if the request's time is over."""
