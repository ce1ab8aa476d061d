"""The kinds of value that the configuration knows: how each is written, read and shown.

A validator's message never repeats what it was given: that may be a secret in the wrong place.
"""

import difflib
import ipaddress
import math
import re
import zoneinfo
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, PlainSerializer, SecretStr, ValidationInfo

from driftband.model.moment import parse_moment, show_moment

SECRET = "<secret>"  # noqa: S105 - what is shown in place of one

_UNITS = (("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1))
_DURATION = re.compile(
    r"(?:([0-9]{1,15})y)?(?:([0-9]{1,15})w)?(?:([0-9]{1,15})d)?(?:([0-9]{1,15})h)?"
    r"(?:([0-9]{1,15})m)?(?:([0-9]{1,15})s)?(?:([0-9]{1,15})ms)?"
)
_FACTORS = (365 * 86_400_000, 7 * 86_400_000, *(factor for _, factor in _UNITS))
_LONGEST = 2**63 // 1_000_000  # Prometheus counts nanoseconds in 64 bits.

_SIZES = {"B": 1, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30}

_LISTEN = re.compile(r"(?P<host>\[[^\[\]]+\]|[A-Za-z0-9.-]+):(?P<port>[0-9]{1,5})")
_LAST_PORT = 65_535


class ImpossibleError(ValueError):
    """Values that are each well-formed and cannot be together; each problem with its path below the section."""

    def __init__(self, *problems: tuple[tuple[str | int, ...], str]) -> None:
        super().__init__("; ".join(message for _, message in problems))
        self.problems = problems


class EnvironmentText(str):
    """Text from an environment variable: a number or a truth value may be written with it, as it knows no types."""

    __slots__ = ()


def parse_duration(text: object) -> int:
    """Return the milliseconds of a duration as Prometheus writes it (``1h30m``, ``14d``); ValueError otherwise."""
    if text == 0 and not isinstance(text, bool):
        return 0
    found = _DURATION.fullmatch(text) if isinstance(text, str) and text != "" else None
    if text == "0":
        return 0
    if found is None:
        raise ValueError("expected a duration such as 30s, 5m, 1h30m or 14d")
    length = sum(int(count) * factor for count, factor in zip(found.groups(), _FACTORS, strict=True) if count)
    if length > _LONGEST:
        raise ValueError("a duration of more than 292 years is out of range")
    return length


def format_duration(length: int) -> str:
    """Return ``length`` (ms) as Prometheus reads it; in days at most, since 14d is what people write."""
    parts = []
    for unit, factor in _UNITS:
        count, length = divmod(length, factor)
        if count:
            parts.append(f"{count}{unit}")
    return "".join(parts) or "0s"


def parse_size(text: object) -> int:
    """Return the bytes of a size such as ``32MiB``; ValueError otherwise."""
    found = re.fullmatch(r"([0-9]{1,12})(B|KiB|MiB|GiB)", text) if isinstance(text, str) else None
    if found is None:
        raise ValueError("expected a size such as 512KiB or 32MiB")
    return int(found[1]) * _SIZES[found[2]]


def format_size(size: int) -> str:
    """Return ``size`` (bytes) in the largest unit that holds it exactly."""
    unit = next(unit for unit in reversed(_SIZES) if size % _SIZES[unit] == 0)
    return f"{size // _SIZES[unit]}{unit}"


def split_listen(text: str) -> tuple[str, int]:
    """Return host (an IPv6 address without its brackets) and port of ``host:port``; ValueError otherwise."""
    found = _LISTEN.fullmatch(text)
    if found is None:
        raise ValueError("expected host:port, such as 127.0.0.1:8088, 0.0.0.0:8088 or [::1]:8088")
    host, port = found["host"], int(found["port"])
    if not 0 < port <= _LAST_PORT:
        raise ValueError(f"the port must be between 1 and {_LAST_PORT}")
    if host.startswith("["):
        host = host[1:-1]
        try:
            ipaddress.IPv6Address(host)
        except ValueError:
            raise ValueError("expected an IPv6 address between the brackets, such as [::1]:8088") from None
    return host, port


def _listen(text: str) -> str:
    split_listen(text)
    return text


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches ``host``; a name other than localhost may be anything."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def http_url(text: str) -> str:
    """Return an http(s) URL without its last slash; ValueError where it is another thing, or carries a user."""
    wanted = "expected http://HOST:PORT or https://HOST, with a path where there is one"
    try:
        parts = urlsplit(text)
        complete = parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0
    except ValueError:
        complete = False
    if not complete or re.search(r"[\s\x00-\x1f\x7f]", text):
        raise ValueError(wanted)
    if "?" in text or "#" in text:
        raise ValueError(f"{wanted}, and without ? and #")
    if "@" in parts.netloc:
        raise ValueError("must not carry user:password@; there is a key for credentials")
    return text.rstrip("/")


def beside_the_file(text: str, info: ValidationInfo) -> Path:
    """Return a path as seen from the configuration file's folder."""
    base: Path = (info.context or {}).get("base", Path())
    return base / text


def source_url(text: str, info: ValidationInfo) -> str:
    """Check what metrics come from: an http(s) URL, ``sample:`` or ``replay:DIR`` (made absolute)."""
    if text == "sample:":
        return text
    if text.startswith("replay:"):
        folder = beside_the_file(text.removeprefix("replay:"), info)
        if text == "replay:" or not folder.is_dir():
            raise ValueError("expected a folder after replay: and there is none; give one with CSV or Parquet files")
        return f"replay:{folder.resolve()}"
    try:
        return http_url(text)
    except ValueError as error:
        raise ValueError(f'{error}; or "sample:" or "replay:DIR"') from None


def _network(text: str) -> str:
    try:
        network = ipaddress.ip_network(text)
    except ValueError:
        raise ValueError("expected an address or a network, such as 10.0.3.7, 10.0.3.0/24 or fd00::/64") from None
    if network.prefixlen == 0:
        raise ValueError("must not be everybody; name the addresses that the proxy asks from")
    return text


def _existing_file(text: str, info: ValidationInfo) -> str:
    path = beside_the_file(text, info)
    if not path.is_file():
        raise ValueError("there is no such file; the path is taken from the configuration file's folder")
    return str(path.resolve())


def _existing_path(text: str, info: ValidationInfo) -> str:
    path = beside_the_file(text, info)
    if not path.exists():
        raise ValueError("there is no such folder or archive; the path is taken from the configuration file's folder")
    return str(path.resolve())


def _time_zone(text: str) -> str:
    try:
        zoneinfo.ZoneInfo(text)
    except (KeyError, ValueError, OSError):
        near = difflib.get_close_matches(text, zoneinfo.available_timezones(), n=1, cutoff=0.5)
        hint = f'; did you mean "{near[0]}"?' if near else ""
        raise ValueError(f"unknown time zone; expected a name such as UTC or Europe/Berlin{hint}") from None
    return text


def _above_zero(value: int) -> int:
    if value <= 0:
        raise ValueError("must be more than 0")
    return value


def _not_negative(value: float) -> float:
    if not 0 <= value < math.inf:
        raise ValueError("must be 0 or more")
    return value


def _finite(value: float) -> float:
    if not math.isfinite(value):
        raise ValueError("must be a finite number")
    return value


def _level(value: float) -> float:
    if not 0 < value < 1:
        raise ValueError("must lie strictly between 0 and 1, such as 0.99")
    return value


def _matching(pattern: str, expected: str) -> AfterValidator:
    compiled = re.compile(pattern)

    def check(value: Any) -> Any:
        if not compiled.fullmatch(value.get_secret_value() if isinstance(value, SecretStr) else value):
            raise ValueError(f"expected {expected}")
        return value

    return AfterValidator(check)


def _store_url(value: SecretStr, info: ValidationInfo) -> SecretStr:
    text = value.get_secret_value()
    if text.startswith("sqlite:///"):
        path = text.removeprefix("sqlite:///")
        if path in {"", ":memory:"} or "?" in path:
            raise ValueError("expected a file after sqlite:///, such as sqlite:///driftband.db")
        return SecretStr(f"sqlite:///{beside_the_file(path, info)}")
    if re.fullmatch(r"postgresql\+psycopg://\S+", text):
        return value
    raise ValueError("expected sqlite:///FILE or postgresql+psycopg://USER:PASSWORD@HOST/DATABASE")


def _shown_store(value: SecretStr) -> str:
    """Return the store's URL without its user and password, and without parameters, which may hold them too."""
    scheme, _, rest = value.get_secret_value().partition("://")
    if scheme == "sqlite":
        return value.get_secret_value()
    return f"{scheme}://{rest.rpartition('@')[2].partition('?')[0]}"


_hidden = PlainSerializer(lambda _: SECRET, return_type=str)

Duration = Annotated[
    int,
    BeforeValidator(parse_duration),
    AfterValidator(_above_zero),
    PlainSerializer(format_duration, return_type=str),
]
"""Milliseconds, more than 0; written as Prometheus writes durations."""

Wait = Annotated[int, BeforeValidator(parse_duration), PlainSerializer(format_duration, return_type=str)]
"""Milliseconds, 0 for not at all."""

Moment = Annotated[datetime, BeforeValidator(parse_moment), PlainSerializer(show_moment, return_type=str)]
"""An RFC 3339 time with an offset."""

Size = Annotated[
    int, BeforeValidator(parse_size), AfterValidator(_above_zero), PlainSerializer(format_size, return_type=str)
]
"""Bytes, more than 0; written with a unit."""

Count = Annotated[int, AfterValidator(_above_zero)]
NotNegative = Annotated[float, AfterValidator(_not_negative)]
Finite = Annotated[float, AfterValidator(_finite)]
Level = Annotated[float, AfterValidator(_level)]
TimeZone = Annotated[str, AfterValidator(_time_zone)]
Listen = Annotated[str, AfterValidator(_listen)]
HttpUrl = Annotated[str, AfterValidator(http_url)]
SourceUrl = Annotated[str, AfterValidator(source_url)]
ExistingFile = Annotated[str, AfterValidator(_existing_file)]
ExistingPath = Annotated[str, AfterValidator(_existing_path)]
Network = Annotated[str, AfterValidator(_network)]
Text = Annotated[str, _matching(r"(?s).*\S.*", "some text")]
SignalName = Annotated[
    str, _matching(r"[a-zA-Z_][a-zA-Z0-9_:-]*", "a name of letters, digits, _, : and -, not beginning with a digit")
]
HeaderName = Annotated[str, _matching(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+", "the name of an HTTP header")]

LabelName = Annotated[
    str,
    _matching(
        r"(?!__)[a-zA-Z_][a-zA-Z0-9_]*", "a label name of letters, digits and _, not beginning with a digit or __"
    ),
]
WorkspaceName = Annotated[
    str, _matching(r"[\x21-\x7e]{1,200}", "a name such as prod/network, without blanks, of at most 200 characters")
]
DestinationName = Annotated[
    str, _matching(r"[a-zA-Z0-9_][a-zA-Z0-9_.-]{0,63}", "a name of letters, digits, _, . and -, of at most 64")
]
ResourceType = Annotated[
    str, _matching(r"[a-z][a-z0-9]*_[a-z0-9_]+", "a resource type of Terraform, such as kubernetes_deployment")
]
VariableName = Annotated[str, _matching(r"[A-Za-z_][A-Za-z0-9_]*", "the name of an environment variable")]

Secret = Annotated[SecretStr, _hidden]
StoreUrl = Annotated[SecretStr, AfterValidator(_store_url), PlainSerializer(_shown_store, return_type=str)]
SecretHeader = Annotated[SecretStr, _matching(r"[\t\x20-\x7e]*", "printable ASCII, as HTTP headers are"), _hidden]
SecretToken = Annotated[SecretStr, _matching(r"[\x21-\x7e]+", "printable ASCII without blanks"), _hidden]
AccessToken = Annotated[
    SecretStr,
    _matching(r"[\x21-\x7e]*", "printable ASCII without blanks"),
    _matching(r".{16,}", "at least 16 characters; `openssl rand -hex 32` makes a good token"),
    _hidden,
]
