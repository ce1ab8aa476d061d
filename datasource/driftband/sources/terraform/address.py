"""Addresses of resources: the path of their modules, and keys that are secrets."""

import json
import re

from driftband.sources.terraform.marks import numbered
from driftband.sources.terraform.shapes import is_secret

_KEY = re.compile(r'\["((?:[^"\\]|\\.)*)"\]')
_RESOURCE = re.compile(r'([\w-]+)\.([\w-]+)(?:\[("(?:[^"\\]|\\.)*"|\d+)\])?', re.DOTALL)
_CALL = re.compile(r'module\.([\w-]+)(?:\[(?:"(?:[^"\\]|\\.)*"|\d+)\])?(?:\.|$)')


def module_path(address: str) -> str:
    """Return the module calls of an address without instance keys, such as ``network.subnet``; empty for the root."""
    names = []
    position = 0
    while call := _CALL.match(address, position):
        names.append(call[1])
        position = call.end()
    return ".".join(names)


def parts(address: str) -> tuple[str, str, str, str | int | None]:
    """Return module address, type, name and instance key of a managed resource; empty texts where it is no address."""
    position = 0
    while call := _CALL.match(address, position):
        position = call.end()
    found = _RESOURCE.fullmatch(address, position)
    if found is None:
        return "", "", "", None
    key = json.loads(found[3]) if found[3] else None
    return address[:position].removesuffix("."), found[1], found[2], key


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
