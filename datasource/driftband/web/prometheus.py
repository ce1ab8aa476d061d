"""The Prometheus HTTP API: what names something of ours is answered here, all else is the source's.

Format: https://prometheus.io/docs/prometheus/latest/querying/api/.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import orjson
from flask import Blueprint, Response, request
from werkzeug.datastructures import CombinedMultiDict

from driftband.query.encode import encode, failure, success
from driftband.query.errors import QueryError
from driftband.query.fetch import Fetch
from driftband.query.question import Question, Result
from driftband.query.tokens import names_ours
from driftband.web.arguments import instant_question, range_question, timeout
from driftband.web.catalog import Catalog, merge_metadata, merge_names, merge_series

METHODS = ("GET", "POST")
_EMPTY_WHERE_MISSING: Mapping[str, Any] = {"rules": {"groups": []}, "alerts": {"alerts": []}, "query_exemplars": []}
_API_VERSION = "2.55.0"
"""The Prometheus whose API is spoken here; Grafana chooses its requests by it."""


class Passage(Protocol):
    """The way to the source for one request."""

    def forward(self, path: str) -> Response:
        """Pass the present request on as it came, and its answer back."""

    def read(self, path: str) -> tuple[int, bytes, str]:
        """Pass it on and return status, decoded body and content type."""

    @property
    def fetch(self) -> Fetch:
        """The same source, for queries that are answered here."""


@dataclass(frozen=True)
class Gateway:
    """What the Prometheus API stands on. passage: by the seconds that the request may take. clock: epoch ms."""

    passage: Callable[[float], Passage]
    answer: Callable[[Question, Fetch, int], Result]
    catalog: Catalog
    clock: Callable[[], int]
    query_timeout: float
    version: str
    on_error: Callable[[str], None]


def blueprint(gateway: Gateway) -> Blueprint:
    """Return the routes under ``/api/v1/``."""
    api = Blueprint("prometheus", __name__, url_prefix="/api/v1")

    @api.errorhandler(QueryError)
    def failed(error: QueryError) -> Response:
        gateway.on_error(error.type)
        return _json(failure(error), error.status)

    def routes(rule: str, name: str, answer: Callable[..., Response], methods: tuple[str, ...] = METHODS) -> None:
        api.add_url_rule(rule, name, answer, methods=list(methods), provide_automatic_options=True)

    routes("/query", "query", lambda: _query(gateway, ranged=False))
    routes("/query_range", "query_range", lambda: _query(gateway, ranged=True))
    routes("/series", "series", lambda: _merged(gateway, "/api/v1/series", merge_series))
    routes("/labels", "labels", lambda: _merged(gateway, "/api/v1/labels", merge_names))
    routes("/label/<name>/values", "label_values", lambda name: _label_values(gateway, name))
    routes("/metadata", "metadata", lambda: _merged(gateway, "/api/v1/metadata", merge_metadata))
    for name in _EMPTY_WHERE_MISSING:
        routes(f"/{name}", name, lambda name=name: _passed_or_empty(gateway, name))
    routes("/status/buildinfo", "buildinfo", lambda: _json(success(_buildinfo(gateway.version))))
    routes("/", "unknown_root", lambda: _unknown(""))
    routes("/<path:rest>", "unknown", _unknown)
    return api


def arguments() -> CombinedMultiDict[str, str]:
    """Return the arguments of the URL and of the form; Grafana sends some of each even when it POSTs."""
    # Read first, so that the bytes can still be passed on as they came.
    request.get_data(cache=True)
    return request.values


def _query(gateway: Gateway, *, ranged: bool) -> Response:
    values = arguments()
    seconds = timeout(values, gateway.query_timeout) if names_ours(values.get("query", "")) else gateway.query_timeout
    passage = gateway.passage(seconds)
    if not names_ours(values.get("query", "")):
        return passage.forward(request.path)
    now = gateway.clock()
    question = range_question(values) if ranged else instant_question(values, now)
    result = gateway.answer(question, passage.fetch, now)
    return _json(encode(question, result))


def _label_values(gateway: Gateway, name: str) -> Response:
    return _merged(gateway, request.path, lambda values, theirs, ours: merge_names(values, theirs, ours, label=name))


def _merged(gateway: Gateway, path: str, merge: Callable[..., Any]) -> Response:
    values = arguments()
    passage = gateway.passage(gateway.query_timeout)
    ours, only_ours = gateway.catalog.select(values, lambda: passage.fetch, gateway.clock())
    if only_ours:
        return _json(success(merge(values, None, ours)))
    if not ours:
        return passage.forward(path)
    status, body, kind = passage.read(path)
    try:
        data = orjson.loads(body)["data"] if status == 200 else None  # noqa: PLR2004 - success
    except (ValueError, KeyError, TypeError):
        data = None
    if data is None:
        return Response(body, status, content_type=kind)
    return _json(success(merge(values, data, ours)))


def _passed_or_empty(gateway: Gateway, name: str) -> Response:
    arguments()
    answer = gateway.passage(gateway.query_timeout).forward(f"/api/v1/{name}")
    if answer.status_code != 404:  # noqa: PLR2004 - the source does not know the endpoint
        return answer
    answer.close()
    return _json(success(_EMPTY_WHERE_MISSING[name]))


def _unknown(rest: str) -> Response:
    error = {"status": "error", "errorType": "not_found", "error": f"driftband does not serve /api/v1/{rest[:100]}"}
    return _json(orjson.dumps(error), 404)


def _buildinfo(version: str) -> dict[str, str]:
    return {
        "version": _API_VERSION,
        "revision": f"driftband-{version}",
        "branch": "",
        "buildUser": "",
        "buildDate": "",
        "goVersion": "",
    }


def _json(body: bytes, status: int = 200) -> Response:
    return Response(body, status, content_type="application/json")
