"""IN: alerts of any origin, as the webhooks of Grafana and Alertmanager tell them."""

from driftband.sources.alerts.signature import refuse_grafana
from driftband.sources.alerts.webhook import AlertError, read_alerts

__all__ = ["AlertError", "read_alerts", "refuse_grafana"]
