"""Labels in a Prometheus's configuration."""

from typing import Any

import yaml

from driftband.tags.facts import Facts

_OF_A_SERVER = ("env", "cluster", "region")


def prometheus_config(facts: Facts) -> dict[str, Any]:
    """Return the parts of a configuration. A ``$`` is doubled: both places would expand it."""
    # A commit would begin new series at each apply; driftband_identity_info joins it to them instead.
    labels = {**facts.identity, **({"driftband_workspace": facts.workspace} if facts.workspace else {})}
    relabel = [{"target_label": name, "replacement": value.replace("$", "$$")} for name, value in labels.items()]
    shared = {name: labels[name].replace("$", "$$") for name in _OF_A_SERVER if name in labels}
    return {"relabel_configs": relabel, **({"external_labels": shared} if shared else {})}


def prometheus(facts: Facts) -> str:
    """Return both as YAML."""
    parts = prometheus_config(facts)
    text = "# In the scrape_config of what the workspace runs:\n" + _yaml({"relabel_configs": parts["relabel_configs"]})
    if "external_labels" in parts:
        text += "\n# Or in global, where the whole Prometheus (3 or newer) belongs to one of each:\n"
        text += _yaml({"external_labels": parts["external_labels"]})
    return text


def _yaml(document: dict[str, Any]) -> str:
    return str(yaml.safe_dump(document, sort_keys=False, allow_unicode=True, width=10_000))
