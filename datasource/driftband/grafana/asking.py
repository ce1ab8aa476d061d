"""Asking Grafana's HTTP API for one thing, and saying in words why it did not do it."""

import re
from http import HTTPStatus
from typing import Any

import requests
from grafana_client import GrafanaApi
from grafana_client.client import GrafanaException

_LACKING = re.compile(r"Permissions needed: (?:all of|any of|one of)? ?([\w.:*, ]+)")


class GrafanaError(Exception):
    """Grafana did not do what it was asked for. Its text is for people and holds no secret. status: None without an answer."""

    def __init__(self, message: str, status: int | None = None) -> None:
        super().__init__(message)
        self.status = status


def ask(api: GrafanaApi, what: str, method: str, path: str, body: Any = None, *, role: str = "Admin") -> Any:
    """Return the JSON of Grafana's answer, None where it has none or where nothing is there (404).

    what: what is wanted, in words that follow "to", such as ``write the data source``. role: the least that may do it.
    Raises GrafanaError.
    """
    place = _place(api)
    try:
        answer = getattr(api.client, method)(path, json=body, accept_empty_json=True)
    except GrafanaException as error:
        if error.status_code == HTTPStatus.NOT_FOUND and method != "POST":
            return None
        raise GrafanaError(_refused(error, place, what, role), error.status_code) from None
    except requests.TooManyRedirects:
        raise GrafanaError(
            f"{place} redirects elsewhere, which is not followed: give the address that it redirects to"
        ) from None
    except requests.Timeout:
        raise GrafanaError(f"{place} does not answer in time: look at its load") from None
    except ValueError:  # no JSON; requests' own is an OSError too
        raise strange(api) from None
    except OSError as error:
        raise GrafanaError(
            f"{place} cannot be reached ({type(error).__name__}): is it running, and is this its address?"
        ) from None
    if isinstance(answer, str) and answer:  # a page
        raise strange(api)
    return answer or None


def strange(api: GrafanaApi) -> GrafanaError:
    """Return the error of an answer that is none of Grafana's."""
    return GrafanaError(f"{_place(api)} answers, but not as Grafana does: check the address and the path prefix")


def _place(api: GrafanaApi) -> str:
    return f"Grafana at {str(api.client.url).removesuffix('/api')}"


def _refused(error: GrafanaException, place: str, what: str, role: str) -> str:
    said = _said(error.response)
    match error.status_code:
        case HTTPStatus.UNAUTHORIZED:
            return f"{place} does not accept the token (401): give the token of a service account of this Grafana"
        case HTTPStatus.FORBIDDEN:
            lacking = _LACKING.search(said)
            permission = f"the permission {lacking[1].strip()}" if lacking else "a permission"
            return f"{place} forbids to {what} (403): the token lacks {permission}; its service account wants the role {role}"
    return f"{place} did not {what} ({error.status_code}): {said or 'its log says why'}"


def _said(response: Any) -> str:
    """Return what Grafana says: of one who asked for something wrong, it names what was wrong and not what was sent."""
    if isinstance(response, dict):
        told = response.get("message") or response.get("error") or ""
        return str(told)[:500]
    return ""
