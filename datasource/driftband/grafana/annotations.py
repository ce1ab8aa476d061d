"""Changes as annotations in Grafana: written once, edited when the change goes on, and caught up after an outage.

Grafana has no unique key for annotations. One is found again by the tag of its change, so an attempt whose answer was
lost is not doubled by the next; only two writers at the same instant could. An annotation that somebody deleted in Grafana
stays away until its change itself changes, and is then made anew. An edit replaces text and tags: what people wrote into
the annotation is lost, their own annotations are never touched.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import Any, Protocol
from urllib.parse import quote

import requests
from grafana_client import GrafanaApi
from grafana_client.client import GrafanaException

from driftband.grafana.annotation import Annotation, annotation_of
from driftband.model.change import Change


class AnnotationError(Exception):
    """Grafana could not be told. Its text is for people and holds no token; for_all: the next one would fail as well."""

    def __init__(self, message: str, *, for_all: bool) -> None:
        super().__init__(message)
        self.for_all = for_all


class Desk(Protocol):
    """Where changes wait to be annotated."""

    def due(self, limit: int) -> Sequence[tuple[Change, int | None, datetime]]:
        """Return changes whose annotation is missing or older than they are, with its id and their ``updated_at``.

        Those that failed should come after those that were not tried yet, else they stand in the way of the rest.
        """

    def annotated(self, change_id: str, annotation_id: int, updated_at: datetime) -> None:
        """Note that the annotation shows the change as it was at ``updated_at``."""


@dataclass(frozen=True, kw_only=True)
class Reconciled:
    """What became of the changes that were due. reason: why the first of those that failed did."""

    written: int = 0
    failed: int = 0
    reason: str | None = None


def put(api: GrafanaApi, change: Change, known: int | None = None) -> int:
    """Write a change's annotation, or edit the one it has; return its id. AnnotationError where that fails.

    known: the id it had last. It is not trusted alone: a Grafana that was set up anew gives the same numbers to others.
    """
    wanted = annotation_of(change)
    held = known if known is not None and _is_its(api, known, wanted) else _found(api, wanted)
    if held is not None and _edited(api, held, wanted):
        return held
    return _added(api, wanted)


def reconcile(api: GrafanaApi, desk: Desk, limit: int) -> Reconciled:
    """Annotate up to ``limit`` changes that are due; in an outage the first failure ends it, until the next call."""
    written = failed = 0
    reason = None
    for change, known, updated_at in desk.due(limit):
        try:
            annotation = put(api, change, known)
        except AnnotationError as error:
            failed += 1
            reason = reason or str(error)
            if error.for_all:
                break
        else:
            desk.annotated(change.id, annotation, updated_at)
            written += 1
    return Reconciled(written=written, failed=failed, reason=reason)


def _is_its(api: GrafanaApi, known: int, wanted: Annotation) -> bool:
    held = _asked(api, lambda: api.client.GET(f"/annotations/{known}"), missing=True)
    return held is not None and wanted.id_tag in _tags(held)


def _found(api: GrafanaApi, wanted: Annotation) -> int | None:
    tag = quote(wanted.id_tag, safe="")  # the client does not quote it
    listed = _asked(api, lambda: api.annotations.get_annotation(tags=[tag], ann_type="annotation"), kind=list)
    # Some databases compare tags without regard to case.
    return min((_id(api, one) for one in listed if wanted.id_tag in _tags(one)), default=None)


def _edited(api: GrafanaApi, held: int, wanted: Annotation) -> bool:
    """Return whether it was there to be edited."""
    # Left out, an end that Grafana has already would stay.
    answer = _asked(
        api,
        lambda: api.annotations.update_annotation(
            held,
            time_from=wanted.time,
            time_to=wanted.time if wanted.time_end is None else wanted.time_end,
            tags=list(wanted.tags),
            text=wanted.text,
        ),
        missing=True,
    )
    return answer is not None


def _added(api: GrafanaApi, wanted: Annotation) -> int:
    answer = _asked(
        api,
        lambda: api.annotations.add_annotation(
            time_from=wanted.time, time_to=wanted.time_end, tags=list(wanted.tags), text=wanted.text
        ),
    )
    return _id(api, answer)


def _asked(
    api: GrafanaApi,
    request: Callable[[], Any],
    *,
    kind: type[dict[str, Any]] | type[list[Any]] = dict,
    missing: bool = False,
) -> Any:
    """Return the answer, a dict or a list as ``kind`` says; None for a 404 where something may be ``missing``."""
    place = _place(api)
    try:
        answer = request()
    except GrafanaException as error:
        if missing and error.status_code == HTTPStatus.NOT_FOUND:
            return None
        raise _refused(error.status_code, place) from None
    except ValueError:  # no JSON; requests' own is an OSError too
        answer = None
    except requests.TooManyRedirects:
        raise AnnotationError(
            f"{place} redirects elsewhere, which is not followed: give the address that it redirects to", for_all=True
        ) from None
    except requests.Timeout:
        raise AnnotationError(f"{place} does not answer in time: look at its load", for_all=True) from None
    except OSError as error:
        raise AnnotationError(
            f"{place} cannot be reached ({type(error).__name__}): is it running, and is this its address?", for_all=True
        ) from None
    if not isinstance(answer, kind):
        raise _strange(place)
    return answer


def _refused(status: int, place: str) -> AnnotationError:
    known = {
        HTTPStatus.UNAUTHORIZED: "does not accept the token (401): give grafana.token a valid one of a service account",
        HTTPStatus.FORBIDDEN: "forbids the token to annotate (403): give its service account the role Editor",
        HTTPStatus.NOT_FOUND: "knows no annotations (404): check the address and the path prefix",
        HTTPStatus.TOO_MANY_REQUESTS: "limits requests (429): it is tried again later",
        HTTPStatus.BAD_GATEWAY: "is not reached by what stands before it (502): is it running?",
        HTTPStatus.SERVICE_UNAVAILABLE: "is not ready (503): it is tried again later",
        HTTPStatus.GATEWAY_TIMEOUT: "is not reached by what stands before it (504): is it running?",
    }
    if status in known:
        return AnnotationError(f"{place} {known[HTTPStatus(status)]}", for_all=True)
    return AnnotationError(f"{place} fails with status {status}: its log says why", for_all=False)


def _strange(place: str) -> AnnotationError:
    return AnnotationError(
        f"{place} answers, but not as Grafana does: check the address and the path prefix", for_all=True
    )


def _place(api: GrafanaApi) -> str:
    return f"Grafana at {str(api.client.url).removesuffix('/api')}"


def _tags(held: object) -> list[object]:
    tags = held.get("tags") if isinstance(held, dict) else None
    return tags if isinstance(tags, list) else []


def _id(api: GrafanaApi, held: dict[str, Any]) -> int:
    number = held.get("id")
    if not isinstance(number, int) or isinstance(number, bool):
        raise _strange(_place(api))
    return number


__all__ = ["Annotation", "AnnotationError", "Desk", "Reconciled", "annotation_of", "put", "reconcile"]
