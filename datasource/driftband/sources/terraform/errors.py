"""The one error of these readers, and the guard that turns every other into it."""

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

import msgspec

P = ParamSpec("P")
T = TypeVar("T")


class ReportError(ValueError):
    """Refused input: says where, what was expected and what to do. It never repeats a value of the input."""


def guarded(reader: Callable[P, T]) -> Callable[P, T]:
    """Let ``reader`` raise nothing but ReportError for what its input may hold.

    The cause is left out on purpose: a decoder's error may carry the input itself.
    """

    @wraps(reader)
    def read(*arguments: P.args, **named: P.kwargs) -> T:
        try:
            return reader(*arguments, **named)
        except (msgspec.MsgspecError, RecursionError, UnicodeError) as error:
            raise ReportError(explain(error)) from None

    return read


def explain(error: Exception) -> str:
    """Say in words what a decoder met; only positions, types and names of fields are repeated."""
    if isinstance(error, RecursionError):
        return "the document is nested too deeply: expected what Terraform writes"
    if isinstance(error, UnicodeError):
        return "the document is not UTF-8: expected JSON as Terraform writes it"
    text = str(error)
    if isinstance(error, msgspec.ValidationError):
        return f"the document has not the form that Terraform writes: {text[:1].lower()}{text[1:]}"
    if "truncated" in text:
        return "the JSON is truncated: it ends before the document does; was the file written to its end?"
    return f"this is not JSON ({text}): expected the output of `terraform show -json` or of `terraform plan -json`"
