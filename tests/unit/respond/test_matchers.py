"""Matchers: Alertmanager's grammar, its meaning, and what is said of what is none."""

import contextlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from driftband.respond.labels import incident_labels
from driftband.respond.matchers import Matcher, MatcherError, matches, parse_matchers

from .memory_outbox import incident

LABELS = {"severity": "error", "service": "checkout", "größe": "L", "empty": ""}


@pytest.mark.parametrize(
    ("text", "name", "operator", "value"),
    [
        ("a=b", "a", "=", "b"),
        ("  a  !=  b  ", "a", "!=", "b"),
        ("a=~b.*|c", "a", "=~", "b.*|c"),
        ('a!~"b,c"', "a", "!~", "b,c"),
        ('a=""', "a", "=", ""),
        ('{a="b"}', "a", "=", "b"),
        ("{ a = b , }", "a", "=", "b"),
        ('"a b"=c', "a b", "=", "c"),
        ("größe=L", "größe", "=", "L"),
        ("🙂=🙂", "🙂", "=", "🙂"),
        (r'a="q\"\\\n\u00e9\U0001F642\x41"', "a", "=", 'q"\\\né🙂A'),
        ("a.b/c:d=e[f](g)", "a.b/c:d", "=", "e[f](g)"),
    ],
)
def test_what_is_written_is_read(text: str, name: str, operator: str, value: str) -> None:
    (matcher,) = parse_matchers(text)
    assert (matcher.name, matcher.operator, matcher.value) == (name, operator, value)


def test_several_stand_together() -> None:
    assert parse_matchers('{a="1", b!=2,c=~3}') == parse_matchers('a="1",b!=2 , c=~3,')
    assert len(parse_matchers("a=1,a=2")) == 2


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "expected a matcher"),
        ("{}", "expected a matcher"),
        ("a", "column 2: expected one of =, !=, =~ and !~"),
        ("a!b", "column 2: expected one of =, !=, =~ and !~"),
        ("=b", "column 1: expected a label's name"),
        ('""=b', "a label's name must not be empty"),
        ("a=", 'column 3: expected a value; an empty one is written ""'),
        ("a==b", "column 3: expected a value"),
        ("a=b c", "column 5: expected a comma or the end"),
        ("a='b'", "column 3: expected a value"),
        ('a="b', 'column 3: expected a closing "'),
        ('a="b" c', "column 7: expected a comma or the end"),
        ("{a=b", "column 5: expected a comma, or } for the { at the start"),
        ("a=b}", "column 4: expected a comma or the end"),
        ("{a=b}}", "column 6: expected the end"),
        ("a=b,,", "column 5: expected a label's name"),
        (r'a="\q"', "column 4: expected an escape"),
        (r'a="x\uD800"', "column 5: expected an escape"),
        (r'a="\U00110000"', "column 4: expected an escape"),
        ('a=~"("', "column 4: expected a regular expression as RE2 has them"),
        (r'a=~"(a)\\1"', "column 4: expected a regular expression as RE2 has them"),
        ("a=" + "b" * 5000, "at most 4096 characters"),
    ],
)
def test_what_is_none_is_refused_with_its_place(text: str, said: str) -> None:
    with pytest.raises(MatcherError) as caught:
        parse_matchers(text)
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("severity=error", True),
        ("severity!=error", False),
        ('severity=~"error|critical"', True),
        ("severity=~err", False),
        ("severity=~err.*", True),
        ("severity!~err", True),
        ('severity=~""', False),
        ("absent!=x", True),
        ('absent=""', True),
        ('absent=~".*"', True),
        ('absent=~".+"', False),
        ('empty=""', True),
        ("größe=~[A-Z]", True),
        ("severity=error,service=other", False),
        ("severity=error,service=checkout", True),
        ('severity=~"a|error|b"', True),
        ('severity=~"a|err"', False),
    ],
)
def test_they_hold_as_in_alertmanager(text: str, holds: bool) -> None:
    assert matches(parse_matchers(text), LABELS) is holds


def test_a_regular_expression_is_linear() -> None:
    (matcher,) = parse_matchers('a=~"(a*)*b"')
    assert not matcher.matches({"a": "a" * 50_000})


def _written(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'


@settings(deadline=None, derandomize=True)
@given(st.text(min_size=1, max_size=20), st.sampled_from(["=", "!="]), st.text(max_size=20))
def test_any_name_and_value_can_be_written_in_quotes(name: str, operator: str, value: str) -> None:
    assert parse_matchers(_written(name) + operator + _written(value)) == (
        Matcher(name=name, operator=operator, value=value),
    )


@settings(deadline=None, derandomize=True)
@given(st.text() | st.text('ab="~!{},\\ \n'))
def test_any_text_is_a_matcher_or_refused(text: str) -> None:
    found: tuple[Matcher, ...] | None = None
    with contextlib.suppress(MatcherError):  # of every other kind, the test fails
        found = parse_matchers(text)
    assert found is None or found


def test_an_incident_has_its_identity_and_its_own_words_for_labels() -> None:
    assert incident_labels(incident()) == {
        "service": "checkout", "env": "prod", "kind": "band_breach", "layer": "runtime", "severity": "error",
        "verdict": "explained", "state": "open", "owner": "payments", "incident": "incident-1",
    }  # fmt: skip
    assert incident_labels({"identity": {"severity": "of its own"}, "severity": "info", "owner": None}) == {
        "severity": "info"
    }
