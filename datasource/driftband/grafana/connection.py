"""How Grafana and driftband are connected: the data source, the contact point, the words of a message.

``$NAME`` is put in by Grafana where a file is mounted, from its environment.
"""

from typing import Any

from driftband.grafana.explore import DATASOURCE

CONTACT_POINT = "driftband"
TEMPLATE = "driftband"
WEBHOOK = "/driftband/v1/alerts/grafana"


def data_source(url: str) -> dict[str, Any]:
    """Return the data source at an address, as Grafana reaches it. It shows a read token in a header."""
    return {
        "name": DATASOURCE,
        "uid": DATASOURCE,
        "type": "prometheus",
        "access": "proxy",
        "url": url,
        "jsonData": {
            "httpMethod": "POST",
            "httpHeaderName1": "Authorization",
            # Grafana takes the two together.
            "prometheusType": "Prometheus",
            "prometheusVersion": "2.55.0",
            # It would keep a band's past and ask for its end alone; bands can gain points.
            "incrementalQuerying": False,
            "timeInterval": "1m",
        },
    }


def webhook(url: str) -> dict[str, Any]:
    """Return the settings of the contact point that tells driftband, without its secret."""
    return {
        "url": f"{url}{WEBHOOK}",
        "httpMethod": "POST",
        "hmacConfig": {"header": "X-Grafana-Alerting-Signature", "timestampHeader": "X-Grafana-Alerting-Timestamp"},
    }


MESSAGES = """\
{{ define "driftband.title" -}}
{{ if eq .Status "firing" }}{{ len .Alerts.Firing }} firing{{ else }}resolved{{ end }}: {{ with .CommonAnnotations.summary }}{{ . }}{{ else }}{{ .CommonLabels.alertname }}{{ end }}
{{- end }}

{{ define "driftband.message" -}}
{{ range .Alerts }}{{ if eq .Status "firing" }}{{ with .Labels.severity }}[{{ . }}] {{ end }}{{ else }}[resolved] {{ end }}{{ .Annotations.summary }}
{{ with .Annotations.description }}{{ . }}
{{ end }}{{ with .PanelURL }}Panel: {{ . }}
{{ end }}{{ with .Annotations.runbook_url }}Runbook: {{ . }}
{{ end }}{{ with .SilenceURL }}Silence: {{ . }}
{{ end }}
{{ end }}
{{- end }}"""
"""For contact points of the user's: ``{{ template "driftband.title" . }}`` as the title, and so on."""


def policies() -> dict[str, Any]:
    """Return a whole tree of policies: every alert goes to the user's contact point, and to driftband too.

    But for those of driftband's own, which notify by settings of their own, or must not be told to driftband.
    """
    return {
        "orgId": 1,
        "receiver": "$DRIFTBAND_USERS_CONTACT_POINT",
        "group_by": ["grafana_folder", "alertname"],
        "routes": [
            {
                "receiver": CONTACT_POINT,
                "object_matchers": [["driftband", "=", ""]],
                "group_wait": "10s",
                "group_interval": "1m",
                "continue": True,
            },
            {"receiver": "$DRIFTBAND_USERS_CONTACT_POINT"},
        ],
    }
