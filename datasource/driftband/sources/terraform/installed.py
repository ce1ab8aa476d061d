"""Which versions of modules ``init`` has installed."""

import os
from collections.abc import Mapping
from pathlib import Path

import msgspec


class _Module(msgspec.Struct):
    key: str = msgspec.field(name="Key", default="")
    version: str = msgspec.field(name="Version", default="")


class _Modules(msgspec.Struct):
    modules: list[_Module] = msgspec.field(name="Modules", default_factory=list)


_MODULES = msgspec.json.Decoder(_Modules)


def module_versions(directory: Path, environ: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return the exact version of each module call that has one, by its path such as ``network.subnet``.

    Empty where ``directory`` is not initialised. ``TF_DATA_DIR`` moves the place, as for Terraform.
    """
    place = directory / ((environ or os.environ).get("TF_DATA_DIR") or ".terraform") / "modules/modules.json"
    try:
        listed = _MODULES.decode(place.read_bytes())
    except (OSError, msgspec.DecodeError):
        return {}
    return {module.key: module.version for module in listed.modules if module.key and module.version}
