r"""Matchers as Alertmanager has them: ``severity=~"error|critical"``.

Source of the grammar: Alertmanager's parser of UTF-8 matchers (``matcher/parse``). A name or a value stands in double quotes,
or bare where it has no blank and none of ``{}!=~,\"'``` ``; regular expressions are RE2's and match the whole value; several
matchers are separated by commas, with or without braces around them, and all must match. A label that is not there is empty.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal, get_args

import re2

Operator = Literal["=", "!=", "=~", "!~"]

_BLANK = re.compile(r"\s*")
_BARE = re.compile(r"[^\s{}!=~,\\\"'`]+")
_QUOTED = re.compile(r'"((?:[^"\\\n]|\\.)*)"')
_ESCAPE = re.compile(r"\\(?:([abfnrtv\\\"])|(?:x([0-7][0-9a-fA-F])|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8}))|.)")
_SIGNS = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v", "\\": "\\", '"': '"'}
_LONGEST = 4096


class MatcherError(ValueError):
    """It is no matcher. The text names the column and what is expected there, and repeats nothing of it."""


@dataclass(frozen=True, kw_only=True)
class Matcher:
    """One condition on one label."""

    name: str
    operator: Operator
    value: str

    def __post_init__(self) -> None:
        """Refuse what can never be asked."""
        if not self.name or self.operator not in get_args(Operator):
            raise ValueError("a matcher needs a label's name and one of =, !=, =~ and !~")

    def matches(self, labels: Mapping[str, str]) -> bool:
        """Whether it holds for these labels."""
        value = labels.get(self.name, "")
        if self.operator in {"=", "!="}:
            return (value == self.value) == (self.operator == "=")
        return (_compiled(self.value).fullmatch(value) is not None) == (self.operator == "=~")


def matches(matchers: Iterable[Matcher], labels: Mapping[str, str]) -> bool:
    """Whether all of them hold; true where there are none."""
    return all(matcher.matches(labels) for matcher in matchers)


def parse_matchers(text: str) -> tuple[Matcher, ...]:
    """Read one or several matchers. Raises MatcherError."""
    if len(text) > _LONGEST:
        raise MatcherError(f"a matcher has at most {_LONGEST} characters")
    reader = _Reader(text)
    braced = reader.take("{")
    found: list[Matcher] = []
    while not reader.at_end and not reader.sees("}"):
        found.append(reader.matcher())
        if not reader.take(","):
            break
    if braced and not reader.take("}"):
        raise reader.error("a comma, or } for the { at the start")
    if not reader.at_end:
        raise reader.error(
            "the end" if braced else "a comma or the end; a value with such signs stands in double quotes"
        )
    if not found:
        raise MatcherError('expected a matcher, such as severity=~"error|critical"')
    return tuple(found)


class _Reader:
    """Reads from left to right; blanks between tokens mean nothing."""

    def __init__(self, text: str) -> None:
        self.text, self.position = text, 0
        self._skip()

    @property
    def at_end(self) -> bool:
        return self.position >= len(self.text)

    def sees(self, sign: str) -> bool:
        return self.text.startswith(sign, self.position)

    def take(self, sign: str) -> bool:
        if not self.sees(sign):
            return False
        self._move(self.position + len(sign))
        return True

    def matcher(self) -> Matcher:
        name = self._word("a label's name; one with blanks or signs stands in double quotes")
        if not name:
            raise MatcherError("a label's name must not be empty")
        operator: Operator | None = next((known for known in ("=~", "!=", "!~", "=") if self.take(known)), None)
        if operator is None:
            raise self.error("one of =, !=, =~ and !~")
        begins = self.position
        value = self._word('a value; an empty one is written "", one with blanks or signs stands in double quotes')
        if operator in {"=~", "!~"}:
            try:
                _compiled(value)
            except re2.error:
                raise MatcherError(
                    f"column {begins + 1}: expected a regular expression as RE2 has them; lookaround and back "
                    "references are not among them"
                ) from None
        return Matcher(name=name, operator=operator, value=value)

    def error(self, expected: str) -> MatcherError:
        return MatcherError(f"column {self.position + 1}: expected {expected}")

    def _word(self, expected: str) -> str:
        if self.sees('"'):
            found = _QUOTED.match(self.text, self.position)
            if found is None:
                raise self.error('a closing "')
            value = self._unquoted(found)
        else:
            found = _BARE.match(self.text, self.position)
            if found is None:
                raise self.error(expected)
            value = found[0]
        self._move(found.end())
        return value

    def _unquoted(self, found: "re.Match[str]") -> str:
        def one(escape: "re.Match[str]") -> str:
            sign, *numbers = escape.groups()
            if sign is not None:
                return _SIGNS[sign]
            try:
                character = chr(int(next(number for number in numbers if number), 16))
                character.encode()
            except (StopIteration, ValueError):
                column = found.start(1) + escape.start() + 1
                expected = 'an escape such as \\n, \\" or \\u00e9; a plain \\ is written \\\\'
                raise MatcherError(f"column {column}: expected {expected}") from None
            return character

        return _ESCAPE.sub(one, found[1])

    def _move(self, position: int) -> None:
        self.position = position
        self._skip()

    def _skip(self) -> None:
        blank = _BLANK.match(self.text, self.position)
        assert blank is not None  # noqa: S101 - it matches nothing too
        self.position = blank.end()


@lru_cache(maxsize=1024)
def _compiled(pattern: str) -> "re2._Regexp[str]":
    options = re2.Options()
    options.log_errors = False
    return re2.compile(pattern, options)
