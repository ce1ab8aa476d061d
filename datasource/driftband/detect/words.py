"""Numbers, lengths of time and instants as reasons say them."""

from math import isfinite

from driftband.model.moment import from_ms, show_moment
from driftband.model.series import Labels

SECOND, MINUTE, HOUR, DAY = 1000, 60_000, 3_600_000, 86_400_000
_BYTES = ("B", "KiB", "MiB", "GiB", "TiB", "PiB")
BYTE_UNITS = ("B", "By", "byte", "bytes")


def number(value: float | None, unit: str = "") -> str:
    """Write a value with its unit: ``412 ms`` for 0.412 s, ``1.2 GiB``, ``3.7%`` for a ratio, else ``12.3 unit``."""
    if value is None or not isfinite(value):
        return "no finite value"
    if unit in ("s", "seconds") and 0 < abs(value) < 1:
        return f"{value * 1000:.3g} ms"
    if unit in BYTE_UNITS:
        place = 0
        while abs(value) >= 1024 and place < len(_BYTES) - 1:  # noqa: PLR2004 - of binary prefixes
            value, place = value / 1024, place + 1
        return f"{_plain(value)} {_BYTES[place]}"
    if unit == "ratio":
        return f"{_plain(value * 100)}%"
    return f"{_plain(value)} {unit}" if unit else _plain(value)


def span(length: int) -> str:
    """Write a length of time in ms by its two largest units: ``1h 5m``, ``45s``."""
    rest = max(length, 0) // SECOND
    parts = []
    for name, size in (("d", 86_400), ("h", 3_600), ("m", 60), ("s", 1)):
        count, rest = divmod(rest, size)
        if count:
            parts.append((size, f"{count}{name}"))
    return " ".join(text for _, text in parts[:2]) or "0s"


def instant(at: int) -> str:
    """Write an instant (epoch ms) as RFC 3339 in UTC."""
    return show_moment(from_ms(at))


def count(number_of: int, one: str, many: str | None = None) -> str:
    """Write a count with its noun: ``1 series``, ``2 gaps``."""
    return f"{number_of} {one if number_of == 1 else many or one + 's'}"


def name(labels: Labels) -> str:
    """Write a label set as PromQL does."""
    return "{" + ", ".join(f'{key}="{value}"' for key, value in labels) + "}"


def _plain(value: float) -> str:
    """Four significant digits, and whole numbers in full: a person compares them with a panel."""
    if value == int(value) and abs(value) < 1e9:  # noqa: PLR2004 - beyond this nobody counts digits
        return str(int(value))
    return f"{value:.4g}"
