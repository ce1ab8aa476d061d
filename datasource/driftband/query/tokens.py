"""Tokens of PromQL with their places in the text.

promql-parser keeps no positions and does not print every string back as it was written. So strings never go through it:
they are cut out by their tokens here and put back unchanged.
"""

import re
from dataclasses import dataclass
from typing import Literal

from driftband.query.errors import bad_data
from driftband.query.names import FUNCTIONS, NATIVE

Kind = Literal["name", "string", "number", "sign"]

_TOKEN = re.compile(
    r"""(?P<space>\s+|\#[^\n]*)
      | (?P<string>"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|`[^`]*`)
      | (?P<name>[a-zA-Z_:][a-zA-Z0-9_:]*)
      | (?P<number>[0-9.](?:[eE][+-][0-9]|[0-9a-zA-Z_.])*)
      | (?P<sign>==|!=|=~|!~|<=|>=|[^"'`])
    """,
    re.VERBOSE | re.DOTALL,
)
_MAYBE_OURS = re.compile("|".join((*FUNCTIONS, "driftband_")))


@dataclass(frozen=True)
class Token:
    """A token; ``start`` and ``end`` are offsets in the text."""

    kind: Kind
    text: str
    start: int
    end: int


def tokens(text: str) -> list[Token]:
    """Cut a query into tokens, without white space and comments.

    Raises:
        QueryError: bad_data, where a string does not end.
    """
    result: list[Token] = []
    place = 0
    while place < len(text):
        match = _TOKEN.match(text, place)
        if match is None:
            raise syntax_error(text, place, "unterminated quoted string")
        kind = match.lastgroup
        if kind in ("name", "string", "number", "sign"):
            result.append(Token(kind, match.group(), place, match.end()))  # type: ignore[arg-type]
        place = match.end()
    return result


def names_ours(text: str) -> bool:
    """Whether a query names a function or a native series of ours, and so must be read here.

    A cheap look first: most queries are not ours, and the source may know newer PromQL than any lexer of ours.
    """
    if not _MAYBE_OURS.search(text):
        return False
    try:
        found = tokens(text)
    except Exception:  # noqa: BLE001 - what cannot be read is the source's to judge, unless it clearly calls us
        return any(re.search(rf"\b{name}\s*\(", text) for name in FUNCTIONS)
    return any(_is_ours(token, after) for token, after in zip(found, [*found[1:], None], strict=True))


def _is_ours(token: Token, after: Token | None) -> bool:
    if token.kind == "name":
        return token.text in NATIVE or (token.text in FUNCTIONS and after is not None and after.text == "(")
    return token.kind == "string" and token.text[1:-1] in NATIVE


def syntax_error(text: str, place: int, what: str) -> Exception:
    """Make Prometheus's form of a syntax error: line and column, counted from 1."""
    line = text.count("\n", 0, place) + 1
    column = place - (text.rfind("\n", 0, place) + 1) + 1
    return bad_data(f'invalid parameter "query": {line}:{column}: parse error: {what}')


def check_brackets(text: str, found: list[Token]) -> None:
    """Raise a syntax error at the first bracket without its other half."""
    open_: list[Token] = []
    for token in found:
        if token.kind != "sign":
            continue
        if token.text in _CLOSING.values():
            open_.append(token)
        elif token.text in _CLOSING and (not open_ or open_.pop().text != _CLOSING[token.text]):
            raise syntax_error(text, token.start, f'unexpected "{token.text}"')
    if open_:
        raise syntax_error(text, open_[-1].start, f'unclosed "{open_[-1].text}"')


_CLOSING = {")": "(", "]": "[", "}": "{"}


@dataclass(frozen=True)
class CallSite:
    """A call of a function of ours: tokens ``first`` up to but not ``after``; its arguments as runs of tokens."""

    name: str
    first: int
    after: int
    arguments: tuple[tuple[Token, ...], ...]


def call_sites(found: list[Token]) -> list[CallSite]:
    """Return the outermost calls of functions of ours, in the order of the text. Expects balanced brackets."""
    result: list[CallSite] = []
    i = 0
    while i < len(found) - 1:
        if found[i].kind == "name" and _is_ours(found[i], found[i + 1]) and found[i].text in FUNCTIONS:
            result.append(_call_site(found, i))
            i = result[-1].after
        else:
            i += 1
    return result


def _call_site(found: list[Token], first: int) -> CallSite:
    arguments: list[tuple[Token, ...]] = []
    depth = 0
    start = first + 2
    for i in range(first + 1, len(found)):
        sign = found[i].text if found[i].kind == "sign" else ""
        depth += (sign in _CLOSING.values() and sign != "") - (sign in _CLOSING)
        if (sign == "," and depth == 1) or depth == 0:
            if i > start or sign == "," or arguments:
                arguments.append(tuple(found[start:i]))
            start = i + 1
        if depth == 0:
            return CallSite(found[first].text, first, i + 1, tuple(arguments))
    raise AssertionError("brackets were checked")
