"""Signing in and out. A browser keeps a cookie that proves knowledge of a token without holding it."""

from typing import Any

from flask import Flask, Response, redirect, request

from driftband.web.access import READING, WRITING, Access
from driftband.web.layout import local, page
from driftband.web.sessions import SESSION_DAYS

_REFUSED = {
    "missing": "",
    "wrong": "This token is not known.",
    "kind": "This token does not allow reading.",
    "foreign": "This came from a page of another site; nothing was done.",
}


def add_sign_in(app: Flask, access: Access, *, secure: bool) -> None:
    """Add the routes. secure: whether the pages are reached by https."""

    def keep(answer: Response, cookie: str, value: str) -> None:
        # Lax: the links in messages come from other sites, and whoever follows one has signed in already.
        answer.set_cookie(cookie, value, httponly=True, samesite="Lax", secure=secure, max_age=SESSION_DAYS * 86_400)

    @app.post("/sign-in")
    def sign_in() -> Response:
        path = local(request.form.get("next", ""))
        if not access.is_of_ours(request):
            return sign_in_page(_REFUSED["foreign"], path, 403)
        reading, writing = (request.form.get(name, "").strip() for name in ("token", "write_token"))
        read = access.sign_in(reading) if reading or not writing else None
        write = access.sign_in_to_write(writing) if writing else None
        if read is None and (reading or not writing):
            return sign_in_page(_REFUSED["kind"], path, 401)
        if write is None and writing:
            return sign_in_page("This token does not allow writing.", path, 401)
        answer = _to(path)
        for cookie, value in ((READING, read), (WRITING, write)):
            if value is not None:
                keep(answer, cookie, value)
        return answer

    @app.post("/sign-out")
    def sign_out() -> Response:
        answer = _to("/")
        if access.is_of_ours(request):
            answer.delete_cookie(READING)
            answer.delete_cookie(WRITING)
        return answer


def asked_to_sign_in(refusal: str, status: int) -> Response:
    """Return the page to sign in, in place of the page that was asked for; it leads there afterwards."""
    path = local(request.full_path.rstrip("?")) if request.method == "GET" else "/"
    return sign_in_page(_REFUSED[refusal], path, status)


def sign_in_page(failed: str, path: str, status: int) -> Response:
    """Return the page that asks for tokens. path: where it leads."""
    return page("sign_in.html", status, failed=failed, next=path)


def _to(path: str) -> Any:
    answer = redirect(path, 303)
    answer.autocorrect_location_header = False
    return answer
