"""Errors as the two halves of the API write them."""

import orjson
from flask import Blueprint, Response, request

from driftband.model.refusal import ConflictError, RefusedError, UnknownError


def problem(status: int, text: str) -> Response:
    """Return an error: in Prometheus's form under ``/api/v1/``, else ``application/problem+json`` (RFC 9457)."""
    if request.path.startswith("/api/v1/"):
        kind = {401: "unauthorized", 403: "forbidden", 404: "not_found", 500: "internal", 503: "unavailable"}.get(
            status, "bad_data"
        )
        body = orjson.dumps({"status": "error", "errorType": kind, "error": text})
        return Response(body, status, content_type="application/json")
    return Response(orjson.dumps({"title": text, "status": status}), status, content_type="application/problem+json")


def refusals(api: Blueprint) -> None:
    """Let what the rooms refuse be answered as problems."""
    for kind, status in ((UnknownError, 404), (ConflictError, 409), (RefusedError, 400)):
        api.register_error_handler(kind, lambda error, status=status: problem(status, str(error)))
