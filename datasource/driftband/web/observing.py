"""Every request has an id, and is measured and logged in one place."""

import time
import uuid
from collections.abc import Collection

import structlog
from flask import Flask, Response, g, request

from driftband.web.measure import Measure

log = structlog.get_logger(__name__)


def observe(app: Flask, measure: Measure, silent: Collection[str]) -> None:
    """Give each request an id, and measure and log it. silent: endpoints that the log leaves out."""

    @app.before_request
    def begin() -> None:
        g.started = time.perf_counter()
        given = request.headers.get("X-Request-Id", "")
        g.request_id = given if given.isalnum() and len(given) <= 64 else uuid.uuid4().hex  # noqa: PLR2004 - enough for any id
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request_id=g.request_id)

    app.before_request_funcs[None].insert(0, app.before_request_funcs[None].pop())

    @app.teardown_request
    def end_context(_error: BaseException | None) -> None:
        # What this thread logs next is not of this request.
        structlog.contextvars.clear_contextvars()

    @app.after_request
    def end(response: Response) -> Response:
        seconds = time.perf_counter() - g.started
        endpoint = request.endpoint or "none"
        measure.request(endpoint, response.status_code, seconds)
        response.headers["X-Request-Id"] = g.request_id
        if endpoint not in silent:
            log.info(
                "request",
                endpoint=endpoint,
                method=request.method,
                status=response.status_code,
                seconds=round(seconds, 4),
            )
        return response
