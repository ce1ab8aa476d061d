"""Pages for people: the start page, which draws a query's band and tells what has drifted, the workspaces, the sign-in."""

from flask import Blueprint, Response, render_template_string, request

from driftband.model.series import Frame
from driftband.query.errors import QueryError
from driftband.query.question import Question
from driftband.query.tokens import names_ours
from driftband.web.drawing import draw
from driftband.web.drift_pages import Overview, drift_section, workspaces_page
from driftband.web.prometheus import Gateway
from driftband.web.templates import SIGN_IN, START

HOUR = 3_600_000
PAST, FUTURE, STEP = 24 * HOUR, 6 * HOUR, 300_000
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"


def blueprint(gateway: Gateway, overview: Overview, external_url: str, example: str) -> Blueprint:
    """Return the routes of the pages."""
    pages = Blueprint("pages", __name__)

    @pages.get("/")
    def start() -> Response:
        query = request.args.get("query", example).strip() or example
        picture, error, warnings = _picture(gateway, query)
        page = render_template_string(
            START,
            query=query,
            picture=picture,
            error=error,
            warnings=warnings,
            drift=drift_section(overview, gateway.clock()),
            url=external_url.rstrip("/"),
            version=gateway.version,
        )
        return _page(page)

    @pages.get("/workspaces")
    def workspaces() -> Response:
        return _page(workspaces_page(overview, gateway.clock(), request.args.get("workspace", "")))

    return pages


def _picture(gateway: Gateway, query: str) -> tuple[str, str, tuple[str, ...]]:
    now = gateway.clock()
    end = (now + FUTURE) // STEP * STEP
    question = Question(query, end - FUTURE - PAST, end, STEP)
    try:
        fetch = gateway.passage(gateway.query_timeout).fetch
        if names_ours(query):
            result = gateway.answer(question, fetch, now)
            value, warnings = result.value, result.warnings
        else:
            answer = fetch.range(query, question.start, question.end, STEP)
            value, warnings = answer.frame, answer.warnings
    except QueryError as failed:
        gateway.on_error(failed.type)
        return "", str(failed), ()
    if not isinstance(value, Frame) or not value.labels:
        return "", "the query gives no series in the last 24 hours", warnings
    return draw(value, now), "", warnings


def sign_in_page(*, failed: bool) -> str:
    """Return the page that asks for a read token."""
    return render_template_string(SIGN_IN, failed=failed)


def _page(body: str, status: int = 200) -> Response:
    response = Response(body, status, content_type="text/html; charset=utf-8")
    response.headers["Content-Security-Policy"] = _POLICY
    response.headers["Referrer-Policy"] = "no-referrer"
    return response
