from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask

from driftband.model.attribute import AttributeDiff
from driftband.model.change import Change
from driftband.model.finding import Finding
from driftband.model.moment import to_ms
from driftband.model.run import Run
from driftband.model.standing import Standing
from driftband.web.drift_pages import FINDINGS, drift_section, workspaces_page
from driftband.web.words import age, what

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
HOSTILE = '"><script>alert(1)</script>'


def finding(*attributes: AttributeDiff, **changes: object) -> Finding:
    facts: dict[str, object] = {
        "id": "f", "layer": "configuration", "kind": "attribute_changed", "class_": "drift", "workspace": "prod/db",
        "address": "aws_x.y", "severity": "error", "opened_at": NOW - timedelta(hours=5), "last_seen_at": NOW,
        "reason": "why", "attributes": attributes,
    }  # fmt: skip
    return Finding(**{**facts, **changes})  # type: ignore[arg-type]


class Told:
    """An overview that says what it was given."""

    def __init__(self, findings: Sequence[Finding] = (), changes: Sequence[Change] = (), name: str = "prod/db") -> None:
        run = Run(
            id="r",
            workspace=name,
            status="drifted",
            tool="terraform",
            at=NOW - timedelta(hours=3),
            reported_at=NOW,
            reason=name,
        )
        self._standing = [Standing(name=name, last=run, whole=None, open={("drift", "error"): len(findings)})]
        self._findings, self._changes = findings, changes

    def workspaces(self) -> list[Standing]:
        return self._standing

    def open_findings(self, limit: int, *, workspace: str = "", alarming: bool = False) -> Sequence[Finding]:
        return [f for f in self._findings if workspace in ("", f.workspace) and (f.alarming or not alarming)][:limit]

    def last_changes(self, limit: int) -> Sequence[Change]:
        return self._changes[:limit]


def pages(overview: Told, chosen: str = "") -> str:
    with Flask("pages").app_context():
        return drift_section(overview, to_ms(NOW)) + workspaces_page(overview, to_ms(NOW), chosen)


def test_nothing_of_what_was_sent_becomes_markup() -> None:
    hostile = finding(
        AttributeDiff(path=HOSTILE, before=HOSTILE, after=[HOSTILE]), address=HOSTILE, workspace=HOSTILE, actor=HOSTILE,
        reason=HOSTILE, class_="provisional",
    )  # fmt: skip
    change = Change(
        id=HOSTILE, kind="other", started_at=NOW, workspace=HOSTILE, commit=HOSTILE, actor=HOSTILE, summary=HOSTILE,
        url="javascript:alert(1)",
    )  # fmt: skip
    html = pages(Told([hostile], [change], HOSTILE), HOSTILE)
    assert "<script" not in html
    assert "javascript:" not in html
    assert "&lt;script&gt;" in html


def test_links_are_those_of_ci() -> None:
    change = Change(
        id="run-1", kind="deploy", started_at=NOW, url="https://ci.example/1?a=1&b=2", identity={"service": "cart"}
    )
    html = pages(Told([], [change]))
    assert '<a href="https://ci.example/1?a=1&amp;b=2" rel="noreferrer">run-1</a>' in html
    assert "<td>cart</td>" in html


def test_long_lists_are_cut_and_say_so() -> None:
    html = pages(Told([finding(id=str(n)) for n in range(FINDINGS + 1)]))
    assert f"These are the first {FINDINGS}" in html


def test_headings_and_tables_are_for_screen_readers_too() -> None:
    html = pages(Told([finding()]))
    assert html.count("<th ") == html.count('<th scope="')
    assert '<time datetime="2026-11-24T07:00:00+00:00"' in html
    assert "not known" in html


@pytest.mark.parametrize(
    ("passed", "words"),
    [
        (timedelta(minutes=-3), "0 min ago"),
        (timedelta(seconds=119), "1 min ago"),
        (timedelta(minutes=119), "119 min ago"),
        (timedelta(hours=2), "2 h ago"),
        (timedelta(hours=47), "47 h ago"),
        (timedelta(days=2), "2 d ago"),
    ],
)
def test_ages(passed: timedelta, words: str) -> None:
    assert age(NOW - passed, NOW) == words


def test_what_is_different_in_few_words() -> None:
    assert what(finding(AttributeDiff(path="size", before=1, after=None))) == "size: 1 → nothing"
    assert what(finding(AttributeDiff(path="password", sensitive=True))) == "password (secret)"
    four = what(finding(*(AttributeDiff(path=f"p{n}", before="a" * 200, after="b") for n in range(4))))
    assert four.endswith("; and 1 more")
    assert len(four) < 400
    assert what(finding(kind="deleted_outside")) == "deleted, and still declared"
    assert what(finding(kind="band_breach")) == "band breach"
