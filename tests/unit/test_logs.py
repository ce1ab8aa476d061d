"""Whatever is logged, by whomever, comes out as one line with its request and without secrets."""

import io
import json
import logging
import sys
import threading
import warnings
from collections.abc import Iterator
from typing import Any

import pytest
import structlog
from hypothesis import given, settings
from hypothesis import strategies as st

from driftband import logs
from driftband.logs import SECRET, Redactor

KNOWN = 'tok"en\\of-dána'


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def stream() -> Iterator[io.StringIO]:
    root = logging.getLogger()
    before = root.handlers[:], root.level, sys.excepthook, threading.excepthook
    stream = io.StringIO()
    logs.configure([KNOWN, "hunter22", "abc"], stream=stream)
    yield stream
    logging.captureWarnings(capture=False)
    root.handlers[:], root.level, sys.excepthook, threading.excepthook = before
    structlog.reset_defaults()


def lines(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_a_line_is_json_with_level_time_and_request(stream: io.StringIO) -> None:
    with logs.request_context("r-1"):
        structlog.get_logger("driftband.web").info("answered", status=200, seconds=0.25, path="/api/v1/query")
    structlog.get_logger("driftband.web").warning("slow")
    first, second = lines(stream)
    assert first.pop("timestamp").endswith("Z")
    assert first == {
        "event": "answered",
        "level": "info",
        "logger": "driftband.web",
        "path": "/api/v1/query",
        "request_id": "r-1",
        "seconds": 0.25,
        "status": 200,
    }
    assert "request_id" not in second


def test_the_standard_library_goes_the_same_way(stream: io.StringIO) -> None:
    with logs.request_context("r-2"):
        logging.getLogger("requests").warning("retrying %s", "GET")
    assert [(line["event"], line["logger"], line["request_id"]) for line in lines(stream)] == [
        ("retrying GET", "requests", "r-2")
    ]


def test_loggers_with_handlers_of_their_own_are_taken_over(stream: io.StringIO) -> None:
    own = io.StringIO()
    logger = logging.getLogger("gunicorn.error")
    logger.addHandler(logging.StreamHandler(own))
    logger.propagate = False
    logs.through_root("gunicorn.error")
    logger.warning("worker exits")
    assert own.getvalue() == ""
    assert lines(stream)[0]["event"] == "worker exits"


def test_on_a_terminal_a_line_is_for_people(stream: io.StringIO) -> None:
    terminal = Terminal()
    logs.configure(stream=terminal)
    structlog.get_logger("driftband").info("listening", url="http://127.0.0.1:8088")
    assert "level=info event=listening url=http://127.0.0.1:8088" in terminal.getvalue()
    assert stream.getvalue() == ""


def test_configuring_again_adds_no_second_line(stream: io.StringIO) -> None:
    logs.configure(stream=stream)
    logging.getLogger("driftband").info("once")
    assert len(lines(stream)) == 1


@pytest.mark.parametrize("secret", [KNOWN, "hunter22"])
def test_known_secrets_are_in_no_line(stream: io.StringIO, secret: str) -> None:
    log = structlog.get_logger("driftband")
    log.info(secret, value=secret, nested={secret: [secret, {"deep": (secret,)}]}, raw=secret.encode())
    log.info("an object", error=ValueError(secret), text=json.dumps(secret), shown=repr({"x": secret}))
    logging.getLogger("urllib3").warning("GET /?t=%s", secret, extra={"token": secret})
    failure = ConnectionError(f"no route for {secret}")
    log.error("failed", exc_info=failure)
    logging.getLogger("requests").error("failed: %r", failure, exc_info=failure)
    text = stream.getvalue()
    assert len(lines(stream)) == 5
    assert "hunter22" not in text
    assert "en\\\\of" not in text
    assert "of-d" not in text


def test_what_is_too_short_to_hide_is_left(stream: io.StringIO) -> None:
    structlog.get_logger("driftband").info("abc")
    assert lines(stream)[0]["event"] == "abc"


def test_a_line_that_cannot_be_formatted_shows_no_arguments(stream: io.StringIO) -> None:
    logger = logging.getLogger("requests.alone")  # pytest's own handler would raise
    logger.handlers = [handler for handler in logging.getLogger().handlers if isinstance(handler, logs._Handler)]
    logger.propagate = False
    logger.warning("%d bytes", "hunter22")
    assert "could not be written" in stream.getvalue()
    assert "hunter22" not in stream.getvalue()


def test_an_uncaught_exception_is_logged_without_secrets(stream: io.StringIO) -> None:
    def fail() -> None:
        raise RuntimeError("hunter22 is wrong")

    with pytest.raises(RuntimeError) as caught:
        fail()
    sys.excepthook(caught.type, caught.value, caught.tb)
    thread = threading.Thread(target=fail)
    thread.start()
    thread.join()
    events = lines(stream)
    assert [line["level"] for line in events] == ["critical", "critical"]
    assert all(f"RuntimeError: {SECRET} is wrong" in line["exception"] for line in events)


def test_warnings_are_logged(stream: io.StringIO) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        logging.captureWarnings(capture=True)
        warnings.warn("hunter22 is deprecated", stacklevel=1)
        logging.captureWarnings(capture=False)
    assert f"{SECRET} is deprecated" in lines(stream)[0]["event"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("GET http://dana:pw@host:9090/x failed", f"GET http://{SECRET}@host:9090/x failed"),
        ("GET https://dana:p@w@[::1]/x", f"GET https://{SECRET}@[::1]/x"),
        ("https://key-of-dana@host/", f"https://{SECRET}@host/"),
        ("to dana:pw@host", f"to {SECRET}@host"),
        ("Authorization: Bearer abc.def", f"Authorization: {SECRET}"),
        ("authorization=Basic ZGFuYTpwdw==, x", f"authorization={SECRET}, x"),
        ("{'Authorization': 'Bearer abc', 'X': 1}", f"{{'Authorization': '{SECRET}', 'X': 1}}"),
        ("('Authorization', b'Basic abc')", f"('Authorization', b'{SECRET}')"),
        ('{"Proxy-Authorization": "abc"}', f'{{"Proxy-Authorization": "{SECRET}"}}'),
        ("sent Bearer glsa_12345 to it", f"sent Bearer {SECRET} to it"),
    ],
)
def test_what_has_the_shape_of_credentials_is_hidden(text: str, expected: str) -> None:
    assert Redactor().text(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "http://127.0.0.1:9090/api/v1/query?query=up@1600",
        "sum(rate(x[5m:1m])@1600) > 1",
        "dana@example.org at 12:30:45",
        "basic authentication is off, a bearer token is needed",
        "2026-11-24T10:00:00Z",
    ],
)
def test_what_is_no_secret_is_left(text: str) -> None:
    assert Redactor().text(text) == text


def test_headers_that_carry_credentials_are_hidden_by_name() -> None:
    line = Redactor()(
        None, "info", {"event": "sent", "headers": {"Cookie": "a=b", "AUTHORIZATION": "x", "Accept": "*/*"}}
    )
    assert line["headers"] == {"Cookie": SECRET, "AUTHORIZATION": SECRET, "Accept": "*/*"}


@settings(deadline=None, derandomize=True)
@given(
    st.lists(st.text(min_size=4), min_size=1, max_size=3),
    st.recursive(st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=5),
)
def test_no_known_secret_survives_in_any_value(secrets: list[str], around: Any) -> None:
    redactor = Redactor(secrets)
    for secret in secrets:
        for value in (secret, [secret], {secret: around}, (around, secret)):
            if secret not in SECRET:
                assert secret not in strings(redactor.value(value))


def strings(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [*map(str, value), *(text for inner in value.values() for text in strings(inner))]
    return [text for inner in value for text in strings(inner)] if isinstance(value, list) else [str(value)]
