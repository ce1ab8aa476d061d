"""The Flask application: routes, access, request ids, and one place where every request is measured."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import orjson
import structlog
from flask import Flask, Response, g, request
from werkzeug.exceptions import HTTPException, MethodNotAllowed, RequestEntityTooLarge

from driftband.model.refusal import UnavailableError
from driftband.web import (
    alerts,
    evidence,
    forms,
    incidents,
    openapi,
    pagerduty,
    pages,
    pictures,
    prometheus,
    verification,
)
from driftband.web.access import Access, Refusal
from driftband.web.alerts import Inbox
from driftband.web.desk import Desk, Lookup, Overview
from driftband.web.evidence import Evidence
from driftband.web.incidents import Incidents
from driftband.web.layout import Pages
from driftband.web.measure import Measure
from driftband.web.observing import observe
from driftband.web.pagerduty import PagerDutyInbox
from driftband.web.problems import problem
from driftband.web.prometheus import Gateway
from driftband.web.sign_in import add_sign_in, asked_to_sign_in
from driftband.web.verification import FOR_CI, Gate

log = structlog.get_logger(__name__)

_SIGNED = "evidence.hook_hcp_terraform"
_WRITING = {"evidence", "incidents", "alerts", "pagerduty"}
"""The blueprints whose writes want a write token."""
_OPEN = {"health", "ready", "sign_in", "sign_out", "static", pictures.ENDPOINT}


@dataclass(frozen=True)
class Readiness:
    """What ``/readyz`` tells: the names of what is needed and of what is merely good to know, with their states."""

    ready: bool
    states: dict[str, str]


@dataclass(frozen=True)
class Service:
    """What the application stands on."""

    gateway: Gateway
    evidence: Evidence
    overview: Overview
    lookup: Lookup
    signed: Callable[[bytes, Mapping[str, str]], bool]
    """Whether a webhook of HCP Terraform is signed by our secret."""
    incidents: Incidents
    inbox: Inbox
    pagerduty: PagerDutyInbox
    gate: Gate
    moved: Callable[[], object]
    """Called where something was written: there may be work in the background."""
    access: Access
    pictures: pictures.Pictures
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
    app.register_blueprint(evidence.blueprint(service.evidence))
    app.register_blueprint(incidents.blueprint(service.incidents))
    app.register_blueprint(alerts.blueprint(service.inbox, service.measure.alerts))
    app.register_blueprint(pagerduty.blueprint(service.pagerduty))
    app.register_blueprint(verification.blueprint(service.gate))
    desk = _desk(service)
    app.register_blueprint(pages.blueprint(desk))
    app.register_blueprint(forms.blueprint(desk))
    _add_own_routes(app, service)
    pictures.add_pictures(app, service.pictures)
    guarded = service.access.guarded
    told = openapi.document(service.gateway.version, service.external_url, guarded=guarded)
    openapi.add_openapi(app, orjson.dumps(told))
    add_sign_in(app, service.access, secure=service.external_url.startswith("https:"))
    _guard(app, service, desk)
    _tell_errors(app, service)
    _finish(app, service)
    observe(app, service.measure, _OPEN)
    return app


def _desk(service: Service) -> Desk:
    return Desk(
        gateway=service.gateway,
        overview=service.overview,
        lookup=service.lookup,
        incidents=service.incidents,
        evidence=service.evidence,
        pages=Pages(service.access, service.gateway.version),
        external_url=service.external_url,
        example=service.example,
    )


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


def _guard(app: Flask, service: Service, desk: Desk) -> None:
    @app.before_request
    def check_access() -> Response | None:
        if request.endpoint in _OPEN:
            return None
        writes = _writes()
        if request.endpoint == alerts.SIGNED:
            reason = service.inbox.refuse(request.get_data(), dict(request.headers))
            return None if reason is None else problem(401, reason)
        if request.endpoint == pagerduty.SIGNED:
            reason = service.pagerduty.refuse(request.get_data(), request.headers.get(pagerduty.SIGNATURE))
            return None if reason is None else problem(401, reason)
        if request.endpoint == _SIGNED and service.signed(request.get_data(), dict(request.headers)):
            return None
        if request.blueprint == "forms":
            refusal = service.access.refuse_form(request)
            return None if refusal is None else _form_refused(refusal, desk)
        refusal = service.access.refuse_write(request) if writes else _unread(service.access)
        if refusal is None:
            return None
        return _refused(refusal, "write" if writes else "read")

    @app.before_request
    def refuse_what_is_cut() -> None:
        # A body that does not say its length is read up to the limit, and would be taken for the whole.
        if request.content_length is None and len(request.get_data()) >= service.max_body:
            raise RequestEntityTooLarge


def _tell_errors(app: Flask, service: Service) -> None:
    @app.errorhandler(HTTPException)
    def refused(error: HTTPException) -> Response:
        if isinstance(error, RequestEntityTooLarge):
            return problem(413, f"the body is larger than limits.body ({service.max_body} bytes)")
        answer = problem(error.code or 500, error.description or error.name)
        if isinstance(error, MethodNotAllowed):
            answer.headers["Allow"] = ", ".join(sorted(error.valid_methods or ()))
        return answer

    @app.errorhandler(UnavailableError)
    def unavailable(error: UnavailableError) -> Response:
        service.gateway.on_error("unavailable")
        log.error("request failed", path=request.path, exc_info=error)
        answer = problem(503, f"{error}; its log tells more, under request {g.request_id}")
        answer.headers["Retry-After"] = "5"
        return answer

    @app.errorhandler(Exception)
    def broken(error: Exception) -> Response:
        service.gateway.on_error("internal")
        log.error("request failed", path=request.path, exc_info=error)
        return problem(500, f"driftband failed on this; its log tells why, under request {g.request_id}")


def _finish(app: Flask, service: Service) -> None:
    @app.after_request
    def wake(response: Response) -> Response:
        if (_writes() or request.blueprint == "forms") and response.status_code < 400:  # noqa: PLR2004 - it was taken
            service.moved()
        return response

    @app.after_request
    def harden(response: Response) -> Response:
        response.headers.setdefault("X-Content-Type-Options", "nosniff")
        return response


def _unread(access: Access) -> Refusal | None:
    """Return why this request may not read, or None where it may."""
    refusal = access.refuse_read(request)
    return refusal if request.endpoint != FOR_CI or refusal is None else access.refuse_write(request) and refusal


def _writes() -> bool:
    return request.blueprint in _WRITING and request.method not in ("GET", "HEAD", "OPTIONS")


def _refused(refusal: Refusal, needed: str) -> Response:
    """Say why a request is not answered: with a page to sign in where a person looks."""
    status = 400 if refusal == "host" else 403 if refusal in ("kind", "foreign") else 401
    if refusal != "host" and request.blueprint == "pages":
        return asked_to_sign_in(refusal, status)
    reasons = {
        "missing": f"a {needed} token is needed: Authorization: Bearer <token>",
        "wrong": "this token is not known",
        "kind": f"this token does not allow to {needed}",
        "host": "without a token driftband answers to localhost, its listen address and the host of external_url alone, since any"
        " page may have its own name lead here: set external_url, or access.read_tokens and access.write_tokens",
        "foreign": "pages of other sites may not write; give access.write_tokens, and send one",
    }
    answer = problem(status, reasons[refusal])
    if status == 401:  # noqa: PLR2004 - unauthorized
        answer.headers["WWW-Authenticate"] = "Bearer"
    return answer


def _form_refused(refusal: Refusal, desk: Desk) -> Response:
    if refusal == "host":
        return _refused(refusal, "write")
    if refusal == "foreign":
        text = "This form is too old, or came from elsewhere; nothing was changed. Open the page again and repeat it."
    elif refusal == "kind" and desk.pages.access.refuse_read(request) is None:
        text = "To act you have to sign in with a write token too; nothing was changed."
    else:
        return asked_to_sign_in(refusal, 403 if refusal == "kind" else 401)
    return desk.refuse(text, 403)
