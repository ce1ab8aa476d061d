"""Default tags of Terraform's providers, as ``terraform fmt`` writes them."""

import re
from collections.abc import Mapping

from driftband.tags.facts import Facts

_ESCAPES = {'"': '\\"', "\\": "\\\\"}
_LONGEST_LABEL = 63
_LONGEST_AWS = 256


def terraform(facts: Facts) -> str:
    """Return provider blocks with the facts as tags; to be merged into the blocks that are there."""
    tags = facts.tags()
    aws = {name: re.sub(r"[^\w\s+\-=.:/@]", "_", value)[:_LONGEST_AWS] for name, value in tags.items()}
    google = google_labels(tags)
    note = (
        "# A commit in default tags changes every resource at each apply; without --commit it is left out.\n"
        if facts.commit
        else ""
    )
    return (
        f"{note}"
        f'provider "aws" {{\n  default_tags {{\n{_map("tags", aws, 4)}  }}\n}}\n\n'
        f"# Labels are lower case, with - and _ alone: values are adapted.\n"
        f'provider "google" {{\n{_map("default_labels", google, 2)}}}\n\n'
        f"# azurerm has no default tags: write tags = local.driftband_tags, or merge(local.driftband_tags, {{ ... }}).\n"
        f"locals {{\n{_map('driftband_tags', tags, 2)}}}\n"
    )


def google_labels(tags: Mapping[str, str]) -> dict[str, str]:
    """Return names and values as Google's labels allow them."""
    return {_label(name): _label(value) for name, value in tags.items()}


def quoted(text: str) -> str:
    """Return a string literal; templates in it are text."""
    escaped = "".join(_ESCAPES.get(c, c) for c in text)
    return '"' + re.sub(r"[$%](?=\{)", lambda found: found[0] * 2, escaped) + '"'


def _map(name: str, entries: Mapping[str, str], indent: int) -> str:
    width = max((len(key) for key in entries), default=0)
    lines = (f"{' ' * (indent + 2)}{key:<{width}} = {quoted(value)}\n" for key, value in entries.items())
    return f"{' ' * indent}{name} = {{\n{''.join(lines)}{' ' * indent}}}\n"


def _label(text: str) -> str:
    return re.sub(r"[^a-z0-9_-]", "_", text.lower())[:_LONGEST_LABEL]
