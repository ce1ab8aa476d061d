"""Grafana's signature of its alerting webhook.

Source of the form: Grafana's contact point ``webhook`` with ``hmacConfig``; with a header for the timestamp it signs
``<unix seconds>:`` and the raw body, and writes lowercase hex SHA-256.
"""

import hashlib
import hmac
from collections.abc import Mapping
from datetime import datetime, timedelta

from driftband.model.moment import to_ms

SIGNATURE = "X-Grafana-Alerting-Signature"
TIMESTAMP = "X-Grafana-Alerting-Timestamp"
OLDEST = timedelta(minutes=5)
_LONGEST = 12


def refuse_grafana(body: bytes, headers: Mapping[str, str], secret: str | None, now: datetime) -> str | None:
    """Return why a webhook is not believed, in words for whoever set it up, or None where it is.

    body: the raw bytes. headers: by their names as written above. Nothing of it is read before it is believed.
    """
    if not secret:
        return "access.webhook_secret is not set here, so that no signature can be checked"
    timestamp, signature = headers.get(TIMESTAMP, ""), headers.get(SIGNATURE, "")
    if not signature:
        return f"{SIGNATURE} is missing: set the HMAC secret of Grafana's contact point"
    if not (timestamp.isascii() and timestamp.isdecimal() and len(timestamp) <= _LONGEST):
        return f"{TIMESTAMP} must be unix seconds: set it as the timestamp header of Grafana's contact point"
    signed = hmac.new(secret.encode(), timestamp.encode() + b":" + body, hashlib.sha256).hexdigest()
    if not hmac.compare_digest(signed.encode(), signature.strip().lower().encode()):
        return f"{SIGNATURE} does not fit the body: the secrets differ, or something changed it on its way"
    age = abs(to_ms(now) - int(timestamp) * 1000)
    if age > OLDEST / timedelta(milliseconds=1):
        return f"{TIMESTAMP} is more than {OLDEST // timedelta(minutes=1)} minutes away from this clock"
    return None
