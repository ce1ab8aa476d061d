"""Logs: one JSON object a line on stderr (``key=value`` on a terminal), with the request's id and without secrets.

The standard library's loggers (gunicorn, requests, warnings) and uncaught exceptions go the same way.
"""

import json
import logging
import re
import sys
import threading
from collections.abc import Iterable, MutableMapping
from contextlib import AbstractContextManager
from typing import Any, TextIO
from urllib.parse import quote

import structlog
from structlog.typing import Processor

SECRET = "<secret>"  # noqa: S105 - what is written in place of one

_SHORTEST = 4  # Hiding every "a" would hide the log.
_DEEPEST = 8
_SECRET_KEYS = {"authorization", "proxy-authorization", "cookie", "set-cookie"}

_SHAPES = (
    (re.compile(r"(://)[^\s/?#\"'<>]*@"), rf"\1{SECRET}@"),
    (re.compile(r"(?<![\w@.%+-])[\w.%+-]+:[^\s/@\"'(){}\[\]<>]+@(?=[\w\[])"), f"{SECRET}@"),
    (
        re.compile(
            r"(?i)((?:proxy-)?authorization\\?['\"]?\s*[:=,]\s*(?:b(?=['\"]))?\\?['\"]?)"  # the name, also as repr
            r"(?:[a-z0-9-]+ +)?[^\s'\",;})\]\\]+"  # the scheme and the credentials
        ),
        rf"\1{SECRET}",
    ),
    (re.compile(r"(?i)\b(bearer|basic)\s+(?=[^\s'\"]*[0-9=])[a-z0-9._~+/-]{6,}=*"), rf"\1 {SECRET}"),
)


class Redactor:
    """Takes secrets out of text: the known ones, and whatever has the shape of credentials."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        known = {form for secret in secrets if len(secret) >= _SHORTEST for form in _written_forms(secret)}
        longest_first = sorted(known, key=lambda form: (-len(form), form))
        self._known = re.compile("|".join(map(re.escape, longest_first))) if known else None

    def text(self, text: str) -> str:
        """Return ``text`` without secrets."""
        if self._known is not None:
            text = self._known.sub(SECRET, text)
        for shape, replacement in _SHAPES:
            text = shape.sub(replacement, text)
        return text

    def value(self, value: Any, depth: int = 0) -> Any:
        """Return the same for anything that may stand in a log line; what JSON does not know becomes text."""
        if value is None or isinstance(value, bool | float):
            return value
        if isinstance(value, int):
            return value if self.text(str(value)) == str(value) else SECRET
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, dict) and depth < _DEEPEST:
            return {self.text(str(key)): self._entry(str(key), item, depth + 1) for key, item in value.items()}
        if isinstance(value, list | tuple) and depth < _DEEPEST:
            return [self.value(item, depth + 1) for item in value]
        return self.text(value.decode(errors="replace") if isinstance(value, bytes) else repr(value))

    def _entry(self, key: str, item: Any, depth: int) -> Any:
        return SECRET if key.lower() in _SECRET_KEYS else self.value(item, depth)

    def __call__(self, _logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        """Do it for a whole line: this is a structlog processor."""
        return {self.text(str(key)): self._entry(str(key), item, 0) for key, item in event.items()}


def _written_forms(secret: str) -> set[str]:
    """Return the secret as text, and as a URL, a traceback or JSON would write it."""
    return {
        secret,
        quote(secret, safe=""),
        quote(secret),
        repr(secret)[1:-1],
        ascii(secret)[1:-1],
        json.dumps(secret)[1:-1],
        json.dumps(secret, ensure_ascii=False)[1:-1],
    }


class _Handler(logging.StreamHandler[TextIO]):
    """A handler whose own failure does not print the arguments, which nothing has redacted."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - the name that logging calls
        self.stream.write(f"a log line of {record.name}, line {record.lineno}, could not be written\n")


def configure(secrets: Iterable[str] = (), stream: TextIO | None = None, level: int = logging.INFO) -> None:
    """Send all logging of this process to ``stream`` (stderr); may be called again, with more secrets."""
    stream = stream or sys.stderr
    redactor = Redactor(secrets)
    common: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    structlog.configure(
        processors=[*common, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.make_filtering_bound_logger(level),
        cache_logger_on_first_use=False,
    )
    handler = _Handler(stream)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=common,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.StackInfoRenderer(),
                structlog.processors.format_exc_info,
                redactor,
                _renderer(stream),
            ],
        )
    )
    root = logging.getLogger()
    for old in [old for old in root.handlers if isinstance(old, _Handler)]:
        root.removeHandler(old)
    root.addHandler(handler)
    root.setLevel(level)
    # At INFO these tell of every connection, with its URL.
    for chatty in ("urllib3", "cmdstanpy", "prophet"):
        logging.getLogger(chatty).setLevel(max(level, logging.WARNING))
    logging.captureWarnings(capture=True)
    sys.excepthook = _log_crash
    threading.excepthook = _log_thread_crash


def through_root(*names: str) -> None:
    """Take away the handlers that a library (gunicorn) gave its own loggers, so that its lines come out with ours."""
    for name in names:
        logger = logging.getLogger(name)
        logger.handlers.clear()
        logger.propagate = True


def request_context(request_id: str) -> AbstractContextManager[None]:
    """Have every line that is logged within carry ``request_id``."""
    return structlog.contextvars.bound_contextvars(request_id=request_id)


def _renderer(stream: TextIO) -> Processor:
    if stream.isatty():
        return structlog.processors.KeyValueRenderer(key_order=["timestamp", "level", "event"], repr_native_str=False)
    return structlog.processors.JSONRenderer(ensure_ascii=False)


def _log_crash(kind: type[BaseException], error: BaseException, trace: Any) -> None:
    if issubclass(kind, KeyboardInterrupt):
        return
    logging.getLogger("driftband").critical("uncaught exception", exc_info=(kind, error, trace))


def _log_thread_crash(details: threading.ExceptHookArgs) -> None:
    if details.exc_value is not None and not issubclass(details.exc_type, SystemExit):
        _log_crash(details.exc_type, details.exc_value, details.exc_traceback)
