"""What a query becomes once it is planned: which parts are the source's, and what is done here with the rest."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Literal


@dataclass(frozen=True)
class Number:
    """A scalar literal."""

    value: float


@dataclass(frozen=True)
class Text:
    """A string literal, unquoted."""

    value: str


@dataclass(frozen=True)
class Remote:
    """A part that has none of ours: it goes whole to the source. ``scalar``: it gives one number an instant."""

    text: str
    scalar: bool


@dataclass(frozen=True)
class Matcher:
    """One label matcher; ``op`` is ``=``, ``!=``, ``=~`` or ``!~``."""

    name: str
    op: str
    value: str


@dataclass(frozen=True)
class Selector:
    """A selector answered here; ``window`` makes it a range vector."""

    matchers: tuple[Matcher, ...]
    offset: timedelta = timedelta()
    window: timedelta | None = None

    @property
    def metric(self) -> str | None:
        """The metric's name, if the selector gives it exactly."""
        return next((m.value for m in self.matchers if m.name == "__name__" and m.op == "="), None)


@dataclass(frozen=True)
class BandCall:
    """A call of one of our functions. ``operand`` is PromQL for the source, exactly as it was written."""

    function: str
    operand: str
    level: float | None = None
    model: str | None = None
    limit: "Node | None" = None


@dataclass(frozen=True)
class Matching:
    """How the two sides of a binary operation find each other.

    on: True for ``on``, False for ``ignoring``. many: which side may have several, None for one-to-one.
    include: the labels of ``group_left`` or ``group_right``.
    """

    on: bool = False
    labels: tuple[str, ...] = ()
    many: Literal["left", "right"] | None = None
    include: tuple[str, ...] = ()


@dataclass(frozen=True)
class Binary:
    """A binary operation; ``returns_bool`` is the ``bool`` modifier."""

    op: str
    left: "Node"
    right: "Node"
    matching: Matching = Matching()
    returns_bool: bool = False


@dataclass(frozen=True)
class Negation:
    """Unary minus."""

    operand: "Node"


@dataclass(frozen=True)
class Aggregation:
    """An aggregation ``by`` the labels, or ``without`` them; ``parameter`` as in ``topk(5, v)``."""

    op: str
    operand: "Node"
    by: bool
    labels: tuple[str, ...]
    parameter: "Node | None" = None


@dataclass(frozen=True)
class Call:
    """A call of a function of Prometheus that is evaluated here."""

    function: str
    arguments: tuple["Node", ...]


Node = Number | Text | Remote | Selector | BandCall | Binary | Negation | Aggregation | Call
