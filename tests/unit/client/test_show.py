"""What is printed of a server's answer where people have accepted drift."""

from driftband.client.show import exit_code, report_lines

ACCEPTED = {
    "address": "a.b",
    "class": "drift",
    "state": "accepted",
    "reason": "accepted by dana until 2026-12-01T00:00:00Z: a trial",
}


def test_accepted_drift_is_no_failure_and_is_not_hidden() -> None:
    answer = {"run": {"workspace": "w", "status": "clean"}, "accepted": 1, "findings": [ACCEPTED]}
    assert exit_code(answer) == 0
    assert list(report_lines(answer, "http://here")) == [
        "w: no drift; 1 accepted by people",
        "- a.b: accepted by dana until 2026-12-01T00:00:00Z: a trial",
    ]


def test_accepted_drift_is_not_counted_with_what_is_not() -> None:
    other = {"address": "a.c", "class": "drift", "state": "open", "kind": "deleted_outside"}
    answer = {
        "run": {"workspace": "w", "status": "drifted"},
        "accepted": 1,
        "closed": 2,
        "findings": [ACCEPTED, other],
    }
    assert exit_code(answer) == 2
    assert next(report_lines(answer, "")) == "w: drift in 1 resource; 2 closed; 1 accepted by people"
