"""Addresses of resources whose keys are secrets."""

import re

from driftband.sources.terraform.marks import numbered
from driftband.sources.terraform.shapes import is_secret

_KEY = re.compile(r'\["((?:[^"\\]|\\.)*)"\]')


class Addresses:
    """Makes the addresses of one document safe: a ``for_each`` key that has the shape of a secret is replaced.

    Different keys stay different: the second is ``<redacted:2>``.
    """

    def __init__(self) -> None:
        self._keys: dict[str, str] = {}

    def safe(self, address: str) -> str:
        """Return the address without secrets."""
        return _KEY.sub(self._replace, address) if '["' in address else address

    def _replace(self, found: re.Match[str]) -> str:
        key = found[1]
        if key not in self._keys:
            self._keys[key] = self._token() if is_secret(key) else key
        return f'["{self._keys[key]}"]'

    def _token(self) -> str:
        number = sum(key != shown for key, shown in self._keys.items()) + 1
        return numbered(number)
