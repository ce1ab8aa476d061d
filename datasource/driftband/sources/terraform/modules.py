"""Versions of modules, as a plan's configuration has them."""

import re
from typing import Any

from driftband.sources.terraform.documents import Call, Configuration, ConfiguredModule
from driftband.sources.terraform.shapes import is_secret

_REF = re.compile(r"[?&]ref=([\w.+/-]+)")


def versions(configuration: Configuration | None) -> dict[str, str]:
    """Return the version of each module by its path, such as ``network.subnet``; those without one are left out.

    Exact where the call says one, else the constraint. A module from git has its ``ref``; one from a local directory
    is a part of the module that calls it, and has its version.
    """
    found: dict[str, str] = {}
    if configuration is not None:
        _add(found, "", "", configuration.root_module)
    return found


def _add(found: dict[str, str], path: str, inherited: str, module: ConfiguredModule | None) -> None:
    for name, call in (module.module_calls if module and module.module_calls else {}).items():
        inner = f"{path}.{name}" if path else name
        version = _version(call, inherited)
        if version:
            found[inner] = version
        _add(found, inner, version, call.module)


def _version(call: Call, inherited: str) -> str:
    if constraint := call.version_constraint.strip():
        exact = constraint.removeprefix("=").strip()
        return exact if re.fullmatch(r"[\w.+-]+", exact) else constraint
    if (reference := _REF.search(call.source)) and not is_secret(reference[1]):
        return reference[1]
    return inherited if call.source.startswith(("./", "../")) else ""


def calls(found: dict[str, str]) -> dict[str, Any]:
    """Return the configuration that ``versions`` reads ``found`` from."""
    root: dict[str, Any] = {}
    for path, version in found.items():
        module = root
        *above, name = path.split(".")
        for step in above:
            module = module.setdefault("module_calls", {}).setdefault(step, {}).setdefault("module", {})
        module.setdefault("module_calls", {}).setdefault(name, {})["version_constraint"] = version
    return root
