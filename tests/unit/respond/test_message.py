"""What a chat is told can be no markup, no mention and no link but our own."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from driftband.respond.message import harmless, message

from .memory_outbox import incident, owed

PAGE = "https://driftband.example"
HOSTILE = [
    "<!channel> <@U123> <https://evil.example|click>",
    "@everyone @here",
    "[click](https://evil.example) ![x](http://evil.example/x.png)",
    "<script>alert(1)</script> <img src=x onerror=alert(1)> &lt;b&gt;",
    "*bold* _it_ ~gone~ `code` ```code``` # heading | table",
    "a\nb\r\nc\u2028d\x00\x1b[31m\u202egnp.exe",
    "javascript:alert(1) mailto:x@evil.example tel:1 www.evil.example HTTPS://evil.example",
    "$(id) ${IFS} \\n {{7*7}}",
]


def test_a_message_says_what_a_person_needs() -> None:
    title, body = message(owed(), PAGE)
    assert title == "New incident (error): checkout is slow"
    assert body.splitlines() == [
        "service checkout, env prod",
        "owner: payments",
        "suspected: run-4711 (87%): it began 2 minutes before",
        f"{PAGE}/incidents/incident-1",
    ]
    title, body = message(owed(2, "resolved"), PAGE)
    assert title == "Resolved (error): checkout is slow"
    assert "suspected" not in body
    acknowledged = owed(2, "acknowledged", incident=incident(acknowledged_by="dana", suspects=[]))
    assert message(acknowledged, PAGE)[1].splitlines()[2:4] == ["by: dana", "no change explains it so far"]


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_is_harmless(text: str) -> None:
    about = incident(
        title=text, owner=text, identity={text: text}, suspects=[{"change": text, "score": 1, "reasons": [text]}]
    )
    title, body = message(owed(incident=about), PAGE)
    own = f"{PAGE}/incidents/incident-1"
    assert body.count(own) == 1
    for part in (title, body.replace(own, "")):
        assert not re.search(r"[<>&*`~|\[\]@\\#${}\x00-\x09\x0b-\x1f\u2028\u202e]", part)
        assert not re.search(r"(?i)https?:|://|www\.|mailto:|javascript:|tel:", part)
        assert not re.search(r"(?<!\w)_|_(?!\w)", part)
    assert len(body.splitlines()) == 4
    assert "\n" not in title


def test_names_with_low_lines_stay_as_they_are() -> None:
    assert harmless("module.db.aws_db_parameter_group.main: max_connections 500") == (
        "module.db.aws_db_parameter_group.main: max_connections 500"
    )


@settings(deadline=None, derandomize=True)
@given(st.text())
def test_any_text_becomes_one_harmless_line_and_stays_it(text: str) -> None:
    once = harmless(text)
    assert harmless(once) == once
    assert not set(once) & set("<>&*`~|[]@\\#${}\n\r")
