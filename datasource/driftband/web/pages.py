"""Pages for people: the start page, which says what is open and draws a query's band; the workspaces; what there is of each."""

from flask import Blueprint, Response, request

from driftband.model.refusal import ConflictError, RefusedError, UnavailableError, UnknownError
from driftband.model.series import Frame
from driftband.query.errors import QueryError
from driftband.query.question import Question
from driftband.query.tokens import names_ours
from driftband.web.desk import Desk
from driftband.web.drawing import draw
from driftband.web.finding_pages import add_finding_pages
from driftband.web.incident_pages import add_incident_pages
from driftband.web.now_open import now_open
from driftband.web.prometheus import Gateway
from driftband.web.runbook_pages import add_runbooks
from driftband.web.workspace_pages import add_workspace_pages

HOUR = 3_600_000
PAST, FUTURE, STEP = 24 * HOUR, 6 * HOUR, 300_000
LONGEST, FOUND = 200, 20
"""Of a text that is searched for, and the most of each kind that are shown."""
UNASKED = 2.0
"""Seconds that the example may take: who comes to see what is wrong does not wait for it."""


def blueprint(desk: Desk) -> Blueprint:
    """Return the routes of the pages."""
    pages = Blueprint("pages", __name__)
    for kind, status in ((UnknownError, 404), (ConflictError, 409), (RefusedError, 400), (UnavailableError, 503)):
        pages.register_error_handler(kind, lambda error, status=status: desk.refuse(str(error), status))
    gateway = desk.gateway

    @pages.get("/")
    def start() -> Response:
        asked = request.args.get("query", "").strip()
        picture, error, warnings = _picture(
            gateway, asked or desk.example, gateway.query_timeout if asked else min(UNASKED, gateway.query_timeout)
        )
        return desk.pages.show(
            "start.html",
            desk.now(),
            query=asked or desk.example,
            picture=picture,
            error=error,
            warnings=warnings,
            url=desk.external_url.rstrip("/"),
            **now_open(desk),
        )

    @pages.get("/search")
    def search() -> Response:
        text = request.args.get("q", "").strip()[:LONGEST]
        found = desk.lookup.search(text, FOUND) if text else {}
        return desk.pages.show("search.html", desk.now(), text=text, found=found, most=FOUND)

    add_incident_pages(pages, desk)
    add_finding_pages(pages, desk)
    add_workspace_pages(pages, desk)
    add_runbooks(pages, desk)
    return pages


def _picture(gateway: Gateway, query: str, within: float) -> tuple[str, str, tuple[str, ...]]:
    now = gateway.clock()
    end = (now + FUTURE) // STEP * STEP
    question = Question(query, end - FUTURE - PAST, end, STEP)
    try:
        fetch = gateway.passage(within).fetch
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
