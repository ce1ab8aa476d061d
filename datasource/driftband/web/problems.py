"""Errors as the two halves of the API write them."""

import orjson
from flask import Response, request


def problem(status: int, text: str) -> Response:
    """Return an error: in Prometheus's form under ``/api/v1/``, else ``application/problem+json`` (RFC 9457)."""
    if request.path.startswith("/api/v1/"):
        kind = {401: "unauthorized", 403: "forbidden", 404: "not_found", 500: "internal", 503: "unavailable"}.get(
            status, "bad_data"
        )
        body = orjson.dumps({"status": "error", "errorType": kind, "error": text})
        return Response(body, status, content_type="application/json")
    return Response(orjson.dumps({"title": text, "status": status}), status, content_type="application/problem+json")
