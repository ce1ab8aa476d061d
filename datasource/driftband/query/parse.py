"""From the text of a query to promql-parser's tree, with errors that say where.

Three things of ours never reach the parser: strings (it does not print them all back as they were), calls of our
functions (it has no optional arguments of two types) and, with them, their operands (which go to the source exactly as
they were written). Each is a placeholder in the tree.
"""

import itertools
import re
from dataclasses import dataclass

import promql_parser

from driftband.query.errors import QueryError
from driftband.query.names import FUNCTIONS
from driftband.query.tokens import CallSite, Token, call_sites, check_brackets, syntax_error, tokens

_STRING = "drb_string_{}"
_CALL = "drb_call_{}"
_STRING_BACK = re.compile(r'"drb_string_(\d+)"')
_FILLERS = (
    "",
    " x",
    "x",
    "1",
    "5m",
    '"s"',
    '="s"',
    "x)",
    "(x)",
    "s]",
    ' x="s"',
    "(x, x)",
    "(1, x)",
    "x[5m]",
    '("s", x)',
    "1, x",
)


@dataclass(frozen=True)
class Parsed:
    """A query's tree with its placeholders, and what they stand for."""

    text: str
    tree: promql_parser.Expr
    strings: tuple[str, ...]
    calls: tuple["ParsedCall", ...]

    def call_of(self, name: str | None) -> "ParsedCall | None":
        """Return the call that a selector of this name stands for."""
        match = re.fullmatch(_CALL.format(r"(\d+)"), name or "")
        return self.calls[int(match.group(1))] if match else None

    def restore(self, text: str) -> str:
        """Put the strings back into text printed from the tree.

        Raises:
            QueryError: if one stands where it cannot be told apart any more, as a quoted label name does.
        """
        restored = _STRING_BACK.sub(lambda m: self.strings[int(m.group(1))], text)
        if "drb_string_" in restored or "{ or " in restored:
            raise QueryError(
                "execution",
                "quoted label names and `or` between matchers cannot stand beside a function of ours; put them inside its operand",
            )
        return restored

    def string(self, placeholder: str) -> str:
        """Return the unquoted string that a placeholder stands for."""
        return unquote(self.strings[int(placeholder.rsplit("_", 1)[1])])


@dataclass(frozen=True)
class ParsedCall:
    """A call of a function of ours. operand: its tree; operand_text: as it was written; rest: further arguments."""

    name: str
    operand: Parsed
    operand_text: str
    rest: tuple[tuple[Token, ...], ...]
    place: int


def parse(text: str) -> Parsed:
    """Read a query.

    Raises:
        QueryError: bad_data with line and column, in Prometheus's form.
    """
    found = tokens(text)
    check_brackets(text, found)
    return parse_tokens(text, found)


def parse_tokens(text: str, found: list[Token]) -> Parsed:
    """Read a part of a query, given as tokens whose places are those in the whole text."""
    sites = call_sites(found)
    calls = tuple(_parse_call(text, found, site) for site in sites)
    strings: list[str] = []
    words: list[str] = []
    origins: list[Token] = []
    by_first = {site.first: (n, site) for n, site in enumerate(sites)}
    i = 0
    while i < len(found):
        origins.append(found[i])
        if i in by_first:
            n, site = by_first[i]
            words.append(_CALL.format(n))
            i = site.after
            continue
        if found[i].kind == "string":
            words.append(f'"{_STRING.format(len(strings))}"')
            strings.append(found[i].text)
        else:
            words.append(found[i].text)
        i += 1
    try:
        tree = promql_parser.parse(" ".join(words))
    except ValueError as error:
        raise _located(text, words, origins, str(error)) from None
    return Parsed(text, tree, tuple(strings), calls)


def _parse_call(text: str, found: list[Token], site: CallSite) -> ParsedCall:
    signature = FUNCTIONS[site.name]
    place = found[site.first].start
    count = len(site.arguments)
    if not signature.least <= count <= signature.most:
        bound = f"at least {signature.least}" if count < signature.least else f"at most {signature.most}"
        raise syntax_error(
            text, place, f"expected {bound} argument(s) in call to {site.name}({signature.arguments}), got {count}"
        )
    for n, argument in enumerate(site.arguments):
        if not argument:
            raise syntax_error(text, place, f"argument {n + 1} of {site.name}({signature.arguments}) is empty")
    operand = list(site.arguments[0])
    return ParsedCall(
        name=site.name,
        operand=parse_tokens(text, operand),
        operand_text=text[operand[0].start : operand[-1].end],
        rest=site.arguments[1:],
        place=place,
    )


def _located(text: str, words: list[str], origins: list[Token], message: str) -> Exception:
    """Say where the parser stumbled, which it does not tell by itself."""
    named = re.search(r"(?:function with name|call to(?: function)?) '(\w+)'", message)
    if named:
        place = next((t.start for t in origins if t.text == named.group(1)), 0)
        return syntax_error(text, place, message)
    if not message.startswith(_GRAMMAR):
        return syntax_error(text, origins[0].start if origins else 0, message)
    for length in range(1, len(words) + 1):
        if not _can_go_on(words[:length]):
            token = origins[length - 1]
            return syntax_error(text, token.start, f'unexpected "{token.text}"')
    end = origins[-1].end if origins else 0
    return syntax_error(text, end, "unexpected end of input" if origins else "no expression found in input")


_GRAMMAR = ("invalid promql query", "unexpected character")


def _can_go_on(words: list[str]) -> bool:
    """Whether some ending makes a query of this beginning; grammar errors alone count, not those of types."""
    stack = []
    for word in words:
        if word in ("(", "[", "{"):
            stack.append({"(": ")", "[": "]", "{": "}"}[word])
        elif word in (")", "]", "}"):
            stack.pop()
    closing = "".join(reversed(stack))
    beginning = " ".join(words)
    for filler, more in itertools.product(_FILLERS, ("", " x", "(x)")):
        try:
            promql_parser.parse(f"{beginning} {filler}{closing}{more}")
        except ValueError as error:
            if str(error).startswith((*_GRAMMAR, "unknown function", "unexpected right")):
                continue
        return True
    return False


def unquote(token: str) -> str:
    """Return what a PromQL string token means; Go's escapes, as the language defines."""
    body = token[1:-1]
    if token[0] == "`":
        return body
    return re.sub(r"\\(x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|[0-7]{3}|.)", _unescape, body, flags=re.DOTALL)


_ESCAPES = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}


def _unescape(match: re.Match[str]) -> str:
    code = match.group(1)
    if code[0] in "xuU":
        return chr(int(code[1:], 16))
    if code.isdigit() and len(code) == 3:  # noqa: PLR2004 - three octal digits
        return chr(int(code, 8))
    return _ESCAPES.get(code, code)
