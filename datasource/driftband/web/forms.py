"""What people do on the pages: acknowledge, resolve, accept. Plain forms, each with the proof that it is one of ours."""

from datetime import timedelta
from urllib.parse import quote

from flask import Blueprint, Response, redirect, request

from driftband.model.refusal import ConflictError, RefusedError, UnknownError
from driftband.web.desk import Desk
from driftband.web.layout import NAME, local
from driftband.web.proxy import LONGEST_NAME

LENGTHS = {
    "4h": ("4 hours", timedelta(hours=4)),
    "1d": ("1 day", timedelta(days=1)),
    "1w": ("1 week", timedelta(weeks=1)),
    "30d": ("30 days", timedelta(days=30)),
    "": ("until it is over", None),
}
"""For how long a finding may be accepted, by the value of the form: what a person reads, and how long that is."""


def blueprint(desk: Desk) -> Blueprint:
    """Return the routes; whether they are open to a request is decided before."""
    forms = Blueprint("forms", __name__)
    for kind, status in ((UnknownError, 404), (ConflictError, 409), (RefusedError, 400)):
        forms.register_error_handler(kind, lambda error, status=status: desk.refuse(str(error), status))

    @forms.post("/incidents/<incident_id>/acknowledge")
    def acknowledge(incident_id: str) -> Response:
        by = _by(desk)
        desk.incidents.acknowledge(incident_id, by)
        return _back("acknowledged", f"/incidents/{quote(incident_id, safe='')}", by, desk)

    @forms.post("/incidents/<incident_id>/resolve")
    def resolve(incident_id: str) -> Response:
        by = _by(desk)
        desk.incidents.resolve(incident_id, by)
        return _back("resolved", f"/incidents/{quote(incident_id, safe='')}", by, desk)

    @forms.post("/findings/<finding_id>/accept")
    def accept(finding_id: str) -> Response:
        by, reason, length = _by(desk), request.form.get("reason", "").strip(), request.form.get("for", "")
        if not reason or len(reason) > 1000:  # noqa: PLR2004 - a sentence or two, as in the API
            raise RefusedError("say why it is accepted, in at most 1000 characters")
        if length not in LENGTHS:
            raise RefusedError("choose one of the lengths of time that the form offers")
        _, lasts = LENGTHS[length]
        desk.evidence.accept(finding_id, by, reason, None if lasts is None else desk.now() + lasts)
        return _back("accepted", local(request.form.get("back", "")), by, desk)

    return forms


def _by(desk: Desk) -> str:
    """Return who does it: as the proxy says, else as the form says."""
    name = desk.pages.access.visitor(request).name or request.form.get("by", "").strip()
    if not name or len(name) > LONGEST_NAME or not name.isprintable():
        raise RefusedError(f"say who you are, in at most {LONGEST_NAME} printable characters")
    return name


def _back(deed: str, path: str, by: str, desk: Desk) -> Response:
    plain = path.partition("?")[0]
    answer: Response = redirect(f"{plain}?done={deed}", 303)  # type: ignore[assignment]
    answer.autocorrect_location_header = False
    secure = desk.external_url.startswith("https:")
    answer.set_cookie(NAME, quote(by), httponly=True, samesite="Lax", secure=secure, max_age=365 * 86_400)
    return answer
