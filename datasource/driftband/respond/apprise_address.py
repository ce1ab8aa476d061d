"""Whether a URL is one that apprise can send to; without sending anything, and without repeating it."""

import difflib
import re

from driftband.respond.apprise_process import AppriseError, ask

_WITHIN = 60.0


def problem_with(url: str) -> str | None:
    """Return what is wrong with an apprise URL and what to write instead, None where it is good."""
    found = re.match(r"([a-zA-Z][a-zA-Z0-9+.-]*)://.", url)
    if found is None:
        return "expected a URL of apprise, such as slack://... or mailtos://..."
    service = found[1].lower()
    if service == "pagerduty":
        return "apprise cannot resolve an incident of PagerDuty; use type: pagerduty"
    try:
        told = ask({"url": url}, _WITHIN)
    except AppriseError as error:
        return f"cannot be checked: apprise {error}; run driftband again"
    if told.get("ok") is True:
        return None
    known = [str(name) for name in told.get("services") or ()]
    if service in known:
        return "apprise knows the service, and a part of its URL is missing or wrong; see apprise's page of it"
    near = difflib.get_close_matches(service, known, n=1, cutoff=0.6)
    return "apprise knows no such service" + (f"; did you mean {near[0]}://?" if near else "")
