"""What the address of a resource says: its modules, its type, its name and its key."""

import json
import re

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
