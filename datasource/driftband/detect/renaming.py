"""Findings follow a resource to its new address; the labels of their series stay what they were."""

from collections.abc import Mapping
from dataclasses import replace

from driftband.detect.configuration import shorten
from driftband.model.address import module_path, parts
from driftband.model.finding import Finding

LABELS_AT_OPENING = "labels_at_opening"
"""The evidence that keeps where a finding opened, once its resource has moved: a label of a series must not move."""


def renamed(finding: Finding, address: str) -> Finding:
    """Return the finding of a resource that has moved to ``address``."""
    _, resource_type, _, _ = parts(address)
    return replace(
        finding,
        address=address,
        module=shorten(module_path(address)),
        resource_type=shorten(resource_type) or finding.resource_type,
        evidence={**finding.evidence, LABELS_AT_OPENING: labels_at_opening(finding)},
    )


def labels_at_opening(finding: Finding) -> Mapping[str, str]:
    """Return the labels of a finding that follow the resource, as they were when it opened."""
    now = {"address": finding.address, "module": finding.module, "resource_type": finding.resource_type}
    known: Mapping[str, str] = finding.evidence.get(LABELS_AT_OPENING, now)
    return known
