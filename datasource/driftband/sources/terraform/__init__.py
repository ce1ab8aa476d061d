"""What Terraform and OpenTofu say, read: plans, streams and states become values that carry no secret.

Pure functions of bytes. Redaction comes first: nothing that is compared, counted or shown has a secret in it any more.
"""

from driftband.sources.terraform.errors import ReportError
from driftband.sources.terraform.read import read_apply, read_inventory, read_report, redacted

__all__ = ["ReportError", "read_apply", "read_inventory", "read_report", "redacted"]
