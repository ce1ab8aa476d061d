"""Settings from the environment: ``DRIFTBAND_`` and the key's path, ``__`` between its parts, all in capitals.

Text is taken as it stands; lists and maps are written as YAML flow text, and ``{file: PATH}`` works too. A variable of
our prefix that is no setting is refused, so that a misspelt one is not ignored in silence.
"""

import difflib
import re
from collections.abc import Mapping
from types import NoneType
from typing import Any, get_args, get_origin

from pydantic import BaseModel

from driftband.config_source import ConfigError, KeyPath, Nodes, Reading, compose
from driftband.config_values import EnvironmentText

PREFIX = "DRIFTBAND_"
OTHER_USES = frozenset(
    PREFIX + name for name in ("URL", "TOKEN", "CONFIG", "READ_TOKEN", "WRITE_TOKEN", "WEBHOOK_SECRET", "DASHBOARDS")
)
"""Variables that are no settings: those of the client verbs, of the example configuration and of provisioning/."""

# Kubernetes gives every pod such variables for a service that is called driftband.
_SERVICE_LINK = re.compile(
    r"DRIFTBAND_(SERVICE_HOST|SERVICE_PORT(_[A-Z0-9_]+)?|PORT(_[0-9]+_(TCP|UDP|SCTP)(_[A-Z]+)?)?)"
)


def override(reading: Reading, schema: type[BaseModel]) -> None:
    """Lay the environment's settings over what was read; a variable that is none of ``schema``'s is a problem."""
    settings = {PREFIX + "__".join(map(str, path)).upper(): (path, kind) for path, kind in _settings(schema, ())}
    for name in sorted(name for name in reading.environ if name.startswith(PREFIX)):
        if name in settings:
            path, kind = settings[name]
            reading.origins[path] = f"environment {name}"
            _put(reading.tree, path, _override_value(reading, name, path, kind))
        elif name not in OTHER_USES and name not in reading.used and not _SERVICE_LINK.fullmatch(name):
            near = difflib.get_close_matches(name, settings, n=1, cutoff=0.5)
            hint = f"; did you mean {near[0]}?" if near else "; remove it"
            reading.complain((), f"there is no such setting{hint}", f"environment {name}")


def _settings(schema: type[BaseModel], above: KeyPath) -> list[tuple[KeyPath, Any]]:
    found: list[tuple[KeyPath, Any]] = []
    for key, about in schema.model_fields.items():
        kind, path = _required(about.annotation), (*above, about.alias or key)
        found.append((path, kind))
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            found += _settings(kind, path)
    return found


def _override_value(reading: Reading, name: str, path: KeyPath, kind: Any) -> Any:
    text = reading.environ[name]
    container = get_origin(kind) in {tuple, Mapping} or (isinstance(kind, type) and issubclass(kind, BaseModel))
    if not container and not re.match(r"\s*\{\s*file\s*:", text):
        return EnvironmentText(text)
    try:
        node = compose(text, f"environment {name}")
    except ConfigError as error:
        reading.problems += error.problems
        return None
    return None if node is None else Nodes(reading, f"environment {name}", lines=False, expand=False).value(node, path)


def _put(tree: dict[str, Any], path: KeyPath, value: Any) -> None:
    *sections, last = path
    inner: Any = tree
    for section in sections:
        if inner.get(section) is None:
            inner[section] = {}
        inner = inner[section]
        if not isinstance(inner, dict):  # what stands there is refused anyway
            return
    inner[last] = value


def schema_at(schema: type[BaseModel], path: KeyPath) -> type[BaseModel] | None:
    """Return the model of the section at ``path``, or None where there is none."""
    current: Any = schema
    for part in path:
        if isinstance(part, int):
            current = get_args(current)[0] if get_origin(current) is tuple else None
        elif isinstance(current, type) and issubclass(current, BaseModel) and part in current.model_fields:
            current = _required(current.model_fields[part].annotation)
        else:
            return None
    return current if isinstance(current, type) and issubclass(current, BaseModel) else None


def _required(annotation: Any) -> Any:
    """Return ``X`` for ``X | None``."""
    arguments = get_args(annotation)
    return next(a for a in arguments if a is not NoneType) if NoneType in arguments else annotation
