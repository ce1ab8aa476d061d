"""Declared values as numbers: Terraform's numbers and truths, and the quantities of Kubernetes."""

import re
from typing import Any

_SUFFIXES = {
    "": 1.0, "m": 1e-3, "k": 1e3, "M": 1e6, "G": 1e9, "T": 1e12, "P": 1e15,
    "Ki": 2.0**10, "Mi": 2.0**20, "Gi": 2.0**30, "Ti": 2.0**40, "Pi": 2.0**50,
}  # fmt: skip
_QUANTITY = re.compile(r"([+-]?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)([kMGTP]i?|Ki|m)?")
_TRUTHS = {"true": 1.0, "false": 0.0}


def quantity(value: Any) -> float | None:
    """Return a declared value as a number: 3, true, "500m" (0.5), "512Mi" (bytes); None where it is none.

    Format: https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/.
    """
    if isinstance(value, bool | int | float):
        return float(value)
    if not isinstance(value, str):
        return None
    text = value.strip()
    if text.lower() in _TRUTHS:
        return _TRUTHS[text.lower()]
    match = _QUANTITY.fullmatch(text)
    if match is None or (match.group(2) or "") not in _SUFFIXES:
        return None
    return float(match.group(1)) * _SUFFIXES[match.group(2) or ""]
