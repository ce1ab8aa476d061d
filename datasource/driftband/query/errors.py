"""What a query can fail with, in Prometheus's own kinds."""

from typing import Literal

ErrorType = Literal["bad_data", "execution", "timeout", "unavailable"]


class QueryError(Exception):
    """A query that gets no answer, with the reason in words.

    type: Prometheus's ``errorType``; it decides the status: 400 for ``bad_data``, 422 for ``execution``, 503 else.
    """

    def __init__(self, type: ErrorType, message: str) -> None:  # noqa: A002 - Prometheus's word
        super().__init__(message)
        self.type: ErrorType = type

    @property
    def status(self) -> int:
        """The HTTP status that Prometheus gives this kind, and that Grafana shows the text of."""
        return {"bad_data": 400, "execution": 422}.get(self.type, 503)


class TooManySeriesError(QueryError):
    """An operand with more series than bands are made of (422)."""

    def __init__(self, message: str) -> None:
        super().__init__(
            "execution", f"{message}; aggregate it, as in sum by (service) (...), filter it, or raise limits.series"
        )


def bad_data(message: str) -> QueryError:
    """Make the error of a query that says nothing: broken syntax, wrong arguments (400)."""
    return QueryError("bad_data", message)


def cannot(message: str, hint: str) -> QueryError:
    """Make the error of a query that is well-formed but cannot be done here (422), with what works instead."""
    return QueryError("execution", f"{message}; {hint}")
