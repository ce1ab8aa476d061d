"""The Flask application: routes, access, request ids, and one place where every request is measured."""

import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import orjson
import structlog
from flask import Flask, Response, g, redirect, request
from werkzeug.exceptions import HTTPException, RequestEntityTooLarge

from driftband.web import pages, prometheus
from driftband.web.access import COOKIE, Tokens
from driftband.web.measure import Measure
from driftband.web.prometheus import Gateway

log = structlog.get_logger(__name__)

_OPEN = {"health", "ready", "sign_in", "static"}


@dataclass(frozen=True)
class Readiness:
    """What ``/readyz`` tells: the names of what is needed and of what is merely good to know, with their states."""

    ready: bool
    states: dict[str, str]


@dataclass(frozen=True)
class Service:
    """What the application stands on."""

    gateway: Gateway
    tokens: Tokens
    measure: Measure
    readiness: Callable[[], Readiness]
    max_body: int
    external_url: str
    example: str
    """The query that the start page draws."""


def create(service: Service) -> Flask:
    """Return the application."""
    app = Flask(__name__, static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = service.max_body
    app.config["MAX_FORM_MEMORY_SIZE"] = service.max_body
    app.register_blueprint(prometheus.blueprint(service.gateway))
    app.register_blueprint(pages.blueprint(service.gateway, service.external_url, service.example))
    _add_own_routes(app, service)
    _guard(app, service)
    _observe(app, service)
    return app


def _add_own_routes(app: Flask, service: Service) -> None:
    @app.get("/healthz")
    def health() -> Response:
        return Response("ok\n", content_type="text/plain; charset=utf-8")

    @app.get("/readyz")
    def ready() -> Response:
        now = service.readiness()
        return Response(orjson.dumps(now.states), 200 if now.ready else 503, content_type="application/json")

    @app.get("/metrics")
    def metrics() -> Response:
        return Response(service.measure.exposition(), content_type="text/plain; version=0.0.4; charset=utf-8")

    @app.post("/sign-in")
    def sign_in() -> Any:
        session = service.tokens.session(request.form.get("token", "").strip())
        if session is None:
            return Response(pages.sign_in_page(failed=True), 401, content_type="text/html; charset=utf-8")
        answer = redirect("/", 303)
        answer.autocorrect_location_header = False
        secure = service.external_url.startswith("https:")
        answer.set_cookie(COOKIE, session, httponly=True, samesite="Strict", secure=secure, max_age=30 * 86_400)
        return answer


def _guard(app: Flask, service: Service) -> None:
    @app.before_request
    def check_access() -> Response | None:
        if request.endpoint in _OPEN:
            return None
        refusal = service.tokens.refuse_read(request)
        if refusal is None:
            return None
        status = 403 if refusal == "kind" else 401
        if request.endpoint is not None and request.endpoint.startswith("pages."):
            return Response(
                pages.sign_in_page(failed=refusal != "missing"), status, content_type="text/html; charset=utf-8"
            )
        reasons = {
            "missing": "a read token is needed: Authorization: Bearer <token>",
            "wrong": "this token is not known",
            "kind": "this token does not allow reading",
        }
        answer = problem(status, reasons[refusal])
        if status == 401:  # noqa: PLR2004 - unauthorized
            answer.headers["WWW-Authenticate"] = "Bearer"
        return answer

    @app.after_request
    def harden(response: Response) -> Response:
        response.headers.setdefault("X-Content-Type-Options", "nosniff")
        return response

    @app.errorhandler(HTTPException)
    def refused(error: HTTPException) -> Response:
        if isinstance(error, RequestEntityTooLarge):
            return problem(413, f"the body is larger than limits.body ({service.max_body} bytes)")
        return problem(error.code or 500, error.description or error.name)

    @app.errorhandler(Exception)
    def broken(error: Exception) -> Response:
        service.gateway.on_error("internal")
        log.error("request failed", path=request.path, exc_info=error)
        return problem(500, f"driftband failed on this; its log tells why, under request {g.request_id}")


def problem(status: int, text: str) -> Response:
    """Return an error: in Prometheus's form under ``/api/v1/``, else ``application/problem+json`` (RFC 9457)."""
    if request.path.startswith("/api/v1/"):
        kind = {401: "unauthorized", 403: "forbidden", 404: "not_found", 500: "internal"}.get(status, "bad_data")
        body = orjson.dumps({"status": "error", "errorType": kind, "error": text})
        return Response(body, status, content_type="application/json")
    return Response(orjson.dumps({"title": text, "status": status}), status, content_type="application/problem+json")


def _observe(app: Flask, service: Service) -> None:
    @app.before_request
    def begin() -> None:
        g.started = time.perf_counter()
        given = request.headers.get("X-Request-Id", "")
        g.request_id = given if given.isalnum() and len(given) <= 64 else uuid.uuid4().hex  # noqa: PLR2004 - enough for any id
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request_id=g.request_id)

    app.before_request_funcs[None].insert(0, app.before_request_funcs[None].pop())

    @app.after_request
    def end(response: Response) -> Response:
        seconds = time.perf_counter() - g.started
        endpoint = request.endpoint or "none"
        service.measure.request(endpoint, response.status_code, seconds)
        response.headers["X-Request-Id"] = g.request_id
        if endpoint not in _OPEN:
            log.info(
                "request",
                endpoint=endpoint,
                method=request.method,
                status=response.status_code,
                seconds=round(seconds, 4),
            )
        return response
