"""Why a server could not be asked: what the network or the answer shows, in words that say where to look.

What a server sent is not repeated, but for a Prometheus's own error text: it may hold what was sent to it.
"""

import socket
from collections.abc import Iterator
from http import HTTPStatus

import requests
import urllib3.exceptions

from driftband.doctor.finding import FaultError


def network_fault(error: OSError, url: str, timeout: float) -> FaultError:
    """Return what a request without an answer ran into; ``error`` as requests raises it, ``timeout`` in seconds."""
    causes = list(_causes(error))

    def because(*kinds: type[BaseException]) -> bool:
        return any(isinstance(cause, kinds) for cause in causes)

    if because(requests.exceptions.SSLError, urllib3.exceptions.SSLError):
        return _tls_fault(causes, url)
    known = (
        (
            (urllib3.exceptions.NameResolutionError, socket.gaierror),
            f"the host name of {url} is not known (DNS)",
            "check the name, and this machine's resolver",
        ),
        ((ConnectionRefusedError,), f"{url} refuses the connection", "is it running, and is this its port?"),
        (
            (requests.Timeout, urllib3.exceptions.TimeoutError, TimeoutError),
            f"{url} does not answer within {timeout:g}s",
            "check firewalls and its load; limits.query_timeout says how long to wait",
        ),
        (
            (requests.TooManyRedirects,),
            f"{url} redirects elsewhere, which is not followed",
            "give the address that it redirects to, or the credentials that save the detour to a login page",
        ),
        (
            (urllib3.exceptions.ProtocolError, requests.exceptions.ChunkedEncodingError),
            f"{url} breaks the connection off",
            "is this an HTTP port? is https:// needed?",
        ),
    )
    for kinds, message, mend in known:
        if because(*kinds):
            return FaultError(message, mend)
    kind = type(causes[-1]).__name__
    return FaultError(f"{url} cannot be reached ({kind})", "check the address, the route to it and the TLS files")


def _tls_fault(causes: list[BaseException], url: str) -> FaultError:
    text = " ".join(map(str, causes))
    if "CERTIFICATE_VERIFY_FAILED" in text:
        return FaultError(
            f"the TLS certificate of {url} is not trusted, or is for another name",
            "give prometheus.tls.ca_file its authority, or use the name that stands in the certificate",
        )
    if "WRONG_VERSION_NUMBER" in text or "RECORD_LAYER_FAILURE" in text:
        return FaultError(f"{url} does not speak TLS", "use http:// if it is meant to be without")
    if "CERTIFICATE_REQUIRED" in text or "HANDSHAKE_FAILURE" in text:
        return FaultError(
            f"{url} refuses the TLS handshake", "give prometheus.tls.cert_file and key_file, if it wants a certificate"
        )
    return FaultError(
        f"TLS with {url} fails", "check the certificate files in prometheus.tls, and that this is a TLS port"
    )


def status_fault(status: int, url: str, credentials: str) -> FaultError:
    """Return what an HTTP status other than 200 means; ``credentials`` names the keys of the configuration."""
    known = {
        HTTPStatus.UNAUTHORIZED: ("does not accept the credentials (401)", f"check {credentials}"),
        HTTPStatus.FORBIDDEN: ("forbids this to these credentials (403)", f"check the rights of {credentials}"),
        HTTPStatus.NOT_FOUND: ("answers, but knows no such path (404)", "mend the path prefix, such as /prometheus"),
        HTTPStatus.TOO_MANY_REQUESTS: ("limits requests (429)", "wait, or raise the limit there"),
    }
    if status in known:
        what, mend = known[HTTPStatus(status)]
    elif status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        what, mend = f"fails by itself ({status})", "look into its log, and the log of what stands before it"
    else:
        what, mend = f"answers with status {status}", "is this the right server and path?"
    return FaultError(f"{url} {what}", mend)


def page_fault(url: str) -> FaultError:
    """Return what an HTML answer means."""
    return FaultError(
        f"{url} answers with a web page",
        "this is a login page or another server: check the address, the path prefix and the credentials",
    )


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Yield the error and everything that it wraps; requests and urllib3 hide the reason in arguments."""
    waiting: list[BaseException] = [error]
    seen: set[int] = set()
    while waiting:
        current = waiting.pop(0)
        if id(current) in seen:
            continue
        seen.add(id(current))
        yield current
        inner = (current.__cause__, current.__context__, getattr(current, "reason", None), *current.args)
        waiting += [one for one in inner if isinstance(one, BaseException)]
