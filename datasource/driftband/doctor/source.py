"""Checks of the source: that it can be asked, its clock, how far back it reaches, and what is watched there."""

import json
import math
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Any

import requests
from prometheus_api_client import PrometheusApiClientException, PrometheusConnect

from driftband.config import Config
from driftband.config_sections import Bands
from driftband.config_values import format_duration
from driftband.doctor.faults import network_fault, page_fault, status_fault
from driftband.doctor.finding import FaultError, Finding

_SKEW_TO_WARN = 10.0
_SKEW_TO_FAIL = 60.0
_CREDENTIALS = "prometheus.bearer_token, prometheus.basic_auth or prometheus.headers (X-Scope-OrgID for Mimir)"
_DEPTH_STEPS = 100

Asked = list[Any]
"""The ``result`` of an answer: ``[time, "value"]`` of a scalar, or one entry a series."""


class Source:
    """Asks the source through its client and turns every failure into a FaultError.

    ``now`` is this machine's clock, in epoch seconds.
    """

    def __init__(self, client: PrometheusConnect, url: str, timeout: float, now: Callable[[], float]) -> None:
        self._client, self._url, self._timeout, self.now = client, url, timeout, now
        self._answer: requests.Response | None = None
        # The client hands out neither status nor headers of an answer.
        client._session.hooks["response"].append(self._note)  # noqa: SLF001

    def _note(self, answer: requests.Response, *_: Any, **__: Any) -> None:
        self._answer = answer

    def ask(self, query: str) -> Asked:
        """Return what the source answers as of its own now."""
        return self._asked(lambda: self._client.custom_query(query))

    def ask_number(self, query: str) -> float | None:
        """Return what the source answers to a scalar expression as of its own now, None where that is no number.

        VictoriaMetrics makes a series without labels of it, and takes half a minute ago for now unless told nocache.
        """
        answer = self._asked(lambda: self._client.custom_query(query, {"nocache": "1"}))
        try:
            return float((answer[0]["value"] if isinstance(answer[0], dict) else answer)[1])
        except (LookupError, TypeError, ValueError):
            return None

    def ask_range(self, query: str, start: float, end: float, step: float) -> Asked:
        """Return what the source answers from ``start`` to ``end`` (epoch seconds)."""
        first, last = datetime.fromtimestamp(start, UTC), datetime.fromtimestamp(end, UTC)
        return self._asked(lambda: self._client.custom_query_range(query, first, last, f"{step:g}"))

    @property
    def dated(self) -> float | None:
        """The Date header of the last answer (epoch seconds, whole), None where it has none."""
        try:
            return parsedate_to_datetime(self._answer.headers["Date"]).timestamp() if self._answer is not None else None
        except (KeyError, ValueError):
            return None

    def _asked(self, request: Callable[[], Any]) -> Asked:
        try:
            result = request()
        except PrometheusApiClientException:
            raise self._refused() from None
        except (requests.exceptions.InvalidJSONError, KeyError, TypeError):
            raise self._nonsense() from None
        except OSError as error:
            raise network_fault(error, self._url, self._timeout) from None
        if not isinstance(result, list):
            raise self._nonsense()
        return result

    def _refused(self) -> FaultError:
        status = self._answer.status_code if self._answer is not None else 0
        if status in {HTTPStatus.BAD_REQUEST, HTTPStatus.UNPROCESSABLE_ENTITY} and self._answer is not None:
            try:
                said = json.loads(self._answer.content)["error"]
                return FaultError(f"the source says: {said}", "mend the expression")
            except (ValueError, KeyError, TypeError):
                pass
        return status_fault(status, self._url, _CREDENTIALS)

    def _nonsense(self) -> FaultError:
        if self._answer is not None and "html" in self._answer.headers.get("Content-Type", ""):
            return page_fault(self._url)
        return FaultError(f"{self._url} answers, but not as a Prometheus does", "check the address and the path prefix")


def check_reachable(source: Source, url: str) -> Finding:
    """Ask what every Prometheus can answer."""
    try:
        two = source.ask_number("1+1")
    except FaultError as fault:
        return fault.finding("source")
    if two != 2:  # noqa: PLR2004 - the sum
        return Finding(
            name="source",
            status="fail",
            message=f"{url} answers 1+1 with something else than 2",
            mend="is this a Prometheus-compatible server?",
        )
    return Finding(name="source", status="ok", message=f"{url} answers")


def check_clock(source: Source) -> Finding:
    """Compare the source's clock, and that of whoever dates its answers, with ours."""
    before = source.now()
    try:
        theirs = source.ask_number("time()")
    except FaultError as fault:
        return fault.finding("clock")
    if theirs is None:
        return Finding(name="clock", status="warn", message="the source does not tell the time", mend="compare by hand")
    after = source.now()
    dated = source.dated
    # A Date header names the second that has begun.
    skews = [_outside(theirs, before, after), _outside(dated, before - 1, after) if dated is not None else 0.0]
    skew = max(skews, key=abs)
    if abs(skew) <= _SKEW_TO_WARN:
        return Finding(name="clock", status="ok", message="the source's clock agrees with this machine's")
    return Finding(
        name="clock",
        status="fail" if abs(skew) > _SKEW_TO_FAIL else "warn",
        message=f"the source's clock is {abs(skew):.0f}s {'ahead of' if skew > 0 else 'behind'} this machine's",
        mend="synchronise both with NTP; until then bands end early or wait for samples",
    )


def _outside(value: float, low: float, high: float) -> float:
    """Return how far ``value`` lies above ``high`` (positive) or below ``low`` (negative)."""
    return max(value - high, 0.0) + min(value - low, 0.0)


def check_history(source: Source, bands: Bands) -> Finding:
    """Look how far back the source has samples, of ``up`` or else of any series."""
    now, wanted = source.now(), bands.history / 1000
    step = max(1.0, float(round(wanted / _DEPTH_STEPS)))
    depth, failed = -math.inf, None
    for series in ("up", '{__name__=~".+"}'):
        try:
            oldest = _oldest(source.ask_range(f"count({series})", now - wanted, now, step))
        except FaultError as fault:
            failed = fault
            continue
        depth = max(depth, now - oldest)  # -inf where there is no sample
        if depth > wanted - step:
            message = f"the source has {format_duration(bands.history)} of samples, as bands.history asks"
            return Finding(name="history", status="ok", message=message)
    if depth < 0 and failed is not None:
        return Finding(name="history", status="warn", message=failed.message, mend=failed.mend)
    return _shallow(depth, bands)


def _oldest(answer: Asked) -> float:
    """Return the first instant that has a value (epoch seconds), infinity where none has."""
    try:
        return min((float(one["values"][0][0]) for one in answer), default=math.inf)
    except (LookupError, TypeError, ValueError):
        raise FaultError("the source answers a range query as no Prometheus does", "check the address") from None


def _shallow(depth: float, bands: Bands) -> Finding:
    minimum, wanted = format_duration(bands.min_history), format_duration(bands.history)
    if depth < 0:
        message = f"the source has no sample of the last {wanted}: there is nothing to draw"
        return Finding(
            name="history", status="warn", message=message, mend="is it the right server, and does it scrape?"
        )
    reach = format_duration(max(60, int(depth) // 60 * 60) * 1000)
    if depth * 1000 < bands.min_history:
        message = f"the source reaches back about {reach}, and bands need {minimum}: there are none yet"
        return Finding(
            name="history", status="warn", message=message, mend="wait, backfill, or lower bands.min_history"
        )
    message = f"the source reaches back about {reach} of the {wanted} of bands.history: bands are made of that"
    mend = f"wait, or raise the source's retention to more than {wanted}; longer seasons need several of their periods"
    return Finding(name="history", status="warn", message=message, mend=mend)


def check_query(source: Source, name: str, expr: str, limit: int | None = None) -> Finding:
    """Ask for the number of a query's series, so that many of them cost no more than one. limit: of its panels."""
    try:
        # On a line of its own, so that a comment in it ends before the bracket does.
        answer = source.ask(f"count(\n{expr}\n)")
        count = int(answer[0]["value"][1]) if answer else 0
    except FaultError as fault:
        return _bad_expression(source, expr, fault).finding(name)
    except (LookupError, TypeError, ValueError):
        return FaultError("the source answers with something else than series", "check the expression").finding(name)
    if count == 0:
        mend = "check metric and label names; it is fine if they are yet to come"
        return Finding(name=name, status="warn", message="no series now", mend=mend)
    if limit is not None and count > limit:
        message = f"{count} series, and limits.series is {limit}"
        return Finding(name=name, status="fail", message=message, mend="aggregate or filter, or raise limits.series")
    return Finding(name=name, status="ok", message=f"{count} series" if count > 1 else "1 series")


def _bad_expression(source: Source, expr: str, fault: FaultError) -> FaultError:
    """Ask for the expression as it was written, whose error has the right position."""
    try:
        source.ask(expr)
    except FaultError as exact:
        return exact
    return fault


def checks(source: Source, config: Config) -> list[Finding]:
    """Return all findings about the source; the rest is not asked where the first question fails."""
    first = check_reachable(source, config.prometheus.url)
    if first.status == "fail":
        return [first]
    queries = [check_query(source, f"signal {one.name}", one.expr, config.limits.series) for one in config.signals]
    queries += [check_query(source, f"intent {one.name}", one.observed) for one in config.intents]
    if config.dependencies is not None:
        queries.append(check_query(source, "dependencies", config.dependencies.expr))
    return [first, check_clock(source), check_history(source, config.bands), *queries]
