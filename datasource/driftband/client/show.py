"""What a verb prints of the server's answer: for a person, and as an exit code."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import quote

_LONGEST_VALUE = 100
_ALARMING = ("drift", "provisional", "accepted_undeclared")
_NOTES = {
    "provisional": "seen while an apply ran; waits for a run with the lock",
    "accepted_undeclared": "accepted into the state, and still not in the code",
}


def drifted(answer: Mapping[str, Any]) -> bool:
    """Whether an answer to a drift report says that there is drift."""
    if _status(answer) in {"drifted", "partial"}:
        return _status(answer) == "drifted" or any(_alarming(_findings(answer)))
    return False


def exit_code(answer: Mapping[str, Any]) -> int:
    """Return 2 where an answer says drift, 0 where it says that there is none, and 1 where it cannot tell."""
    if drifted(answer):
        return 2
    return 0 if _status(answer) == "clean" else 1


def decisive(answers: Sequence[Mapping[str, Any]]) -> Mapping[str, Any]:
    """Return the answer that counts: of the last complete run, else of one that found drift all the same, else the last.

    The normal plan comes after the refresh-only one and knows more: which drift the code would not change.
    """
    complete = [answer for answer in answers if _status(answer) in {"clean", "drifted"}]
    return [answers[-1], *filter(drifted, answers), *complete][-1]


def report_lines(answer: Mapping[str, Any], url: str) -> Iterator[str]:
    """Yield what a person reads of an answer to a drift report. ``url``: the server's, for the link."""
    run, findings = answer.get("run") or {}, list(_alarming(_findings(answer)))
    yield plain(f"{run.get('workspace')}: {_headline(_status(answer), len(findings), answer)}")
    if run.get("reason") and _status(answer) not in {"clean", "drifted"}:
        yield plain(f"- {run['reason']}")
    for error in run.get("errors") or ():
        yield plain(f"- error: {error}")
    for moved in run.get("renamed") or ():
        yield plain(f"- renamed: {moved.get('from')} is now {moved.get('to')}")
    for finding in findings:
        yield from _finding_lines(finding)
    for finding in _findings(answer):
        if finding.get("state") == "accepted":
            yield plain(f"- {finding.get('address')}: {finding.get('reason')}")
    if answer.get("spooled"):
        yield "this is what the report says by itself; the server has not seen it yet"
    elif url and findings:
        yield plain(f"{url.rstrip('/')}/driftband/v1/findings?workspace={quote(str(run.get('workspace')), safe='')}")


def _headline(status: str, count: int, answer: Mapping[str, Any]) -> str:
    drift = f"drift in {count} resource{'' if count == 1 else 's'}"
    closed = answer.get("closed") or 0
    match status:
        case "clean":
            text = "no drift"
        case "drifted":
            text = drift
        case "partial":
            text = f"{drift}, and not everything could be read" if count else "not everything could be read"
        case "locked":
            text = "not looked at: another run holds the state's lock"
        case "suspect":
            text = "suspect: nothing was read where there was something before"
        case "failed":
            text = "the run failed"
        case _:
            text = status
    counts = ((closed, "closed"), (answer.get("accepted") or 0, "accepted by people"))
    return "; ".join([text, *(f"{number} {what}" for number, what in counts if number)])


def _finding_lines(finding: Mapping[str, Any]) -> Iterator[str]:
    what = str(finding.get("kind") or "").replace("_", " ")
    severity = f" ({finding['severity']})" if finding.get("severity") else ""
    yield plain(f"- {finding.get('address')}: {what}{severity}")
    for attribute in finding.get("attributes") or ():
        yield plain(f"  . {attribute.get('path')}: {_values(attribute)}")
    if finding.get("opened_at"):
        before = f" (not yet at {finding['window_from']})" if finding.get("window_from") else ""
        yield plain(f"  since {finding['opened_at']}{before}, by {finding.get('actor') or 'somebody unknown'}")
    if note := _NOTES.get(str(finding.get("class"))):
        yield f"  {note}"
    if link := (finding.get("evidence") or {}).get("link"):
        yield plain(f"  {link}")


def _values(attribute: Mapping[str, Any]) -> str:
    if attribute.get("sensitive"):
        return "changed (sensitive)"
    return f"{_value(attribute.get('before'))} -> {_value(attribute.get('after'))}"


def _value(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _LONGEST_VALUE else f"{text[: _LONGEST_VALUE - 3]}..."


def plain(text: str) -> str:
    """Return one line that no terminal and no CI takes for a command: without control characters, never ``::`` first."""
    shown = "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)
    return f"'{shown}" if shown.lstrip().startswith("::") else shown


def _status(answer: Mapping[str, Any]) -> str:
    return str((answer.get("run") or {}).get("status"))


def _findings(answer: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [finding for finding in answer.get("findings") or () if isinstance(finding, dict)]


def _alarming(findings: Iterable[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
    return (found for found in findings if found.get("state") == "open" and found.get("class") in _ALARMING)
