"""Arguments of the Prometheus HTTP API, with the error messages that its users know."""

import math
import re
from collections.abc import Mapping
from datetime import datetime

from driftband.query.errors import bad_data
from driftband.query.question import Question

MAX_POINTS = 11_000
_DURATION = re.compile(r"(?:(\d+)y)?(?:(\d+)w)?(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m(?!s))?(?:(\d+)s)?(?:(\d+)ms)?")
_UNITS = (365 * 86_400_000, 7 * 86_400_000, 86_400_000, 3_600_000, 60_000, 1000, 1)
_FARTHEST = 2**53


def instant_question(values: Mapping[str, str], now: int) -> Question:
    """Read the arguments of ``/api/v1/query``; without ``time`` it is asked as of ``now``."""
    at = _time(values, "time", now)
    return Question(_query(values), at, at, None, _limit(values))


def range_question(values: Mapping[str, str]) -> Question:
    """Read the arguments of ``/api/v1/query_range``.

    Raises:
        QueryError: bad_data, as Prometheus puts it.
    """
    start, end = _time(values, "start", None), _time(values, "end", None)
    if end < start:
        raise bad_data('invalid parameter "end": end timestamp must not be before start time')
    step = _duration(values, "step")
    if step <= 0:
        raise bad_data(
            'invalid parameter "step": zero or negative query resolution step widths are not accepted. Try a positive integer'
        )
    if (end - start) // step + 1 > MAX_POINTS:
        raise bad_data(
            "exceeded maximum resolution of 11,000 points per timeseries. Try decreasing the query resolution (?step=XX)"
        )
    return Question(_query(values), start, end, step, _limit(values))


def timeout(values: Mapping[str, str], most: float) -> float:
    """Return the seconds that a query may take: its ``timeout``, but no more than ``most``."""
    if not values.get("timeout"):
        return most
    asked = _duration(values, "timeout") / 1000
    if asked <= 0:
        raise bad_data('invalid parameter "timeout": a timeout must be positive')
    return min(asked, most)


def limit(values: Mapping[str, str]) -> int:
    """Return the ``limit``; 0 is none."""
    return _limit(values)


def time_argument(values: Mapping[str, str], name: str, default: int) -> int:
    """Return a time in epoch ms."""
    return _time(values, name, default)


def _query(values: Mapping[str, str]) -> str:
    text = values.get("query", "")
    if not text.strip():
        raise bad_data('invalid parameter "query": unknown position: parse error: no expression found in input')
    return text


def _time(values: Mapping[str, str], name: str, default: int | None) -> int:
    text = values.get(name, "")
    if not text and default is not None:
        return default
    try:
        number = float(text)
    except ValueError:
        try:
            moment = datetime.fromisoformat(text)
        except ValueError:
            moment = None
        if moment is None or moment.tzinfo is None:
            raise bad_data(f'invalid parameter "{name}": cannot parse "{text[:100]}" to a valid timestamp') from None
        number = moment.timestamp()
    if not math.isfinite(number) or abs(number * 1000) > _FARTHEST:
        raise bad_data(f'invalid parameter "{name}": cannot parse "{text[:100]}" to a valid timestamp')
    return round(number * 1000)


def _duration(values: Mapping[str, str], name: str) -> int:
    text = values.get(name, "")
    try:
        number = float(text) * 1000
    except ValueError:
        match = _DURATION.fullmatch(text)
        if match is None or not text:
            raise bad_data(f'invalid parameter "{name}": cannot parse "{text[:100]}" to a valid duration') from None
        number = float(sum(int(n) * unit for n, unit in zip(match.groups(), _UNITS, strict=True) if n))
    if not math.isfinite(number) or abs(number) > _FARTHEST:
        raise bad_data(f'invalid parameter "{name}": cannot parse "{text[:100]}" to a valid duration')
    return math.floor(number) if number >= 1 else math.ceil(number) if number > 0 else math.floor(number)


def _limit(values: Mapping[str, str]) -> int:
    text = values.get("limit", "")
    if not text:
        return 0
    if not text.isdigit() or len(text) > 15:  # noqa: PLR2004 - far beyond any count
        raise bad_data(f'invalid parameter "limit": cannot parse "{text[:100]}" to a number of at least 0')
    return int(text)
