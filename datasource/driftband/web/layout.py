"""What all pages have in common: how they are rendered, and what a browser may do with them."""

import base64
import hashlib
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from flask import Response, render_template, request

from driftband.web.access import PROOF, Access
from driftband.web.words import age, at, safe_link, shown, what, workspace_path

NAME = "driftband_name"
"""The cookie that keeps what somebody calls themselves, so that it is asked once."""
TEMPLATES = Path(__file__).parent / "templates"
_STYLE = (TEMPLATES / "style.css").read_text(encoding="utf-8")
_DIGEST = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
_POLICY = (
    f"default-src 'none'; style-src 'sha256-{_DIGEST}'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
"""No script at all, and no style but ours, which stands in the page: one request brings it whole."""
_WORDS = {"what": what, "shown": shown, "at": at, "safe_link": safe_link, "workspace_path": workspace_path}
_HEADERS = {
    "Content-Security-Policy": _POLICY,
    # Not "no-referrer": with that, browsers no longer say that a form comes from our own page.
    "Referrer-Policy": "same-origin",
    "Cache-Control": "private, no-cache",
    "Cross-Origin-Opener-Policy": "same-origin",
}


class Pages:
    """Renders pages for who looks at them."""

    def __init__(self, access: Access, version: str) -> None:
        self.access = access
        self._version = version

    def show(self, template: str, now: datetime, status: int = 200, **values: Any) -> Response:
        """Return a page of somebody who may read."""
        visitor = self.access.visitor(request)
        common = {
            "visitor": visitor,
            "proof": self.access.proof(visitor) if visitor.writes else "",
            "proof_field": PROOF,
            "version": self._version,
            "query_text": request.args.get("q", "")[:200] if request.endpoint == "pages.search" else "",
            "here": request.full_path.rstrip("?"),
            "sessions": self.access.has_sessions(request),
            "by": visitor.name or unquote(request.cookies.get(NAME, ""))[:100],
        }
        return page(template, status, age=partial(age, now=now), **common, **values)


def page(template: str, status: int = 200, **values: Any) -> Response:
    """Return a page."""
    common = {**_WORDS, "style": _STYLE, **values}
    html = render_template(template, ctx=common, **common)
    response = Response(html, status, content_type="text/html; charset=utf-8")
    response.headers.update(_HEADERS)
    return response


def local(path: str) -> str:
    """Return a path of ours as it is, and the start page's for any other address: nobody is sent elsewhere by a link."""
    fits = path.startswith("/") and not path.startswith(("//", "/\\")) and path.isprintable() and "\\" not in path
    return path if fits and len(path) < 2000 else "/"  # noqa: PLR2004 - what any browser takes
