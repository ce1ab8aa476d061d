"""Webhooks of others that tell of applies and drift, taken as they are."""

from driftband.sources.hooks.atlantis import read_atlantis
from driftband.sources.hooks.hcp import read_hcp, verify_hcp
from driftband.sources.hooks.hooked import Hooked, HookError

__all__ = ["HookError", "Hooked", "read_atlantis", "read_hcp", "verify_hcp"]
