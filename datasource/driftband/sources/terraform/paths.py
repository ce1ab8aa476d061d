"""Paths into a resource's attributes, as HCL writes them: ``ingress[0].cidr_blocks``, ``tags["cost.center"]``."""

import json
import re
from functools import lru_cache

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")


def below(path: str, key: str) -> str:
    """Return the path of an object's attribute or of a map's element."""
    step = _step(key)
    return path + step if path else step.removeprefix(".")


def at(path: str, index: int) -> str:
    """Return the path of a list's element."""
    return f"{path}[{index}]"


@lru_cache(maxsize=4096)
def _step(key: str) -> str:
    return f".{key}" if _NAME.fullmatch(key) else f"[{json.dumps(key, ensure_ascii=False)}]"
