"""The alert rules, as code: all that Grafana should say by itself about drift, about incidents and about driftband.

In annotations ``$labels`` and ``$values`` are Grafana's. Labels must not move while an alert fires: one that moves is a new
alert. So an incident's suspect is told as it was when the incident was announced, and its page has the present one.
"""

from driftband.grafana.rule import SELF, Group, Rule

RUNBOOKS = "http://127.0.0.1:8088/runbooks/"
"""Where driftband shows them by default; ``--runbooks`` says where else people read them."""
CODIFY_WITHIN = "7d"
STALE_AFTER_SECONDS = 26 * 3600
"""Longer than the night between two daily scans."""
SILENT_AFTER_SECONDS = 15 * 60

_DRIFT_PAGE = "{{ externalURL }}d/driftband-drift?var-workspace={{ urlquery $labels.workspace }}"


def _incident(verdict: str) -> tuple[str, str]:
    """Return the query for unresolved incidents of a verdict as it is now."""
    # The label is the verdict of the beginning.
    ours = "max without (verdict) (driftband_incident)"
    return "findings", f'{ours} and on (incident) driftband_incident_info{{verdict="{verdict}"}}'


_SUSPECT = (
    "{{ if $labels.suspect }}Suspect: {{ $labels.suspect }}"
    "{{ if $labels.suspect_commit }}, commit {{ $labels.suspect_commit }}{{ end }}. "
    "{{ else }}No suspect was known when it began. {{ end }}"
)
_INCIDENT_PAGE = "The story, the suspects with their reasons, and what to do: {{ $labels.url }}"

BANDS = Group(
    name="driftband",
    rules=(
        Rule(
            uid="driftband-request-rate",
            title="Request rate outside its band",
            query=("score", "anomaly_score(sum by (service) (rate(http_requests_total[5m])))"),
            fires=("outside_range", (-1, 1)),
            holds_for="5m",
            about="band",
            severity="warning",
            summary='The request rate of {{ $labels.service }} has left its band (score {{ printf "%.2f" $values.score.Value }})',
            description="Above 0 is more than expected, below 0 is less; beyond 1 or -1 is outside the band.",
            panel=("driftband-bands", 1),
        ),
    ),
)

DRIFT = Group(
    name="driftband drift",
    rules=(
        Rule(
            uid="driftband-correlated",
            title="Drift that a change explains",
            query=_incident("explained"),
            fires=("gt", (0,)),
            holds_for="0s",
            about="incident",
            summary="{{ $labels.title }}",
            description=f"{_SUSPECT}{_INCIDENT_PAGE}",
        ),
        Rule(
            uid="driftband-unexplained",
            title="Anomaly that no change explains",
            query=_incident("unexplained"),
            fires=("gt", (0,)),
            # What was changed is often told a little later than it shows.
            holds_for="5m",
            about="incident",
            summary="{{ $labels.title }}",
            description=f"{_SUSPECT}{_INCIDENT_PAGE}",
        ),
        Rule(
            uid="driftband-exposure",
            title="Access or public exposure has drifted",
            # What else makes a moved attribute an error: docs/detectors/configuration.md.
            query=(
                "drift",
                (
                    'max without (class) (driftband_drift{layer="configuration", kind="attribute_changed", class="drift",'
                    ' severity=~"error|critical"})'
                ),
            ),
            fires=("gt", (0,)),
            holds_for="0s",
            about="drift",
            summary="{{ if eq $labels.severity `critical` }}Open to anybody{{ else }}Access or a secret has changed outside Terraform{{ end }}: {{ $labels.address }} in {{ $labels.workspace }}",
            description=f"Somebody or something changed it past Terraform. What it was and who did it, as far as an audit log tells: {_DRIFT_PAGE}",
        ),
        Rule(
            uid="driftband-uncodified",
            title=f"Drift that nobody has codified for {CODIFY_WITHIN}",
            # The class moves when a refresh takes the drift over: the same finding, and as little codified as before.
            query=(
                "drift",
                (
                    'max without (class) (driftband_drift{layer="configuration", class=~"drift|accepted_undeclared"})'
                    f' and on (finding) driftband_drift{{class=~"drift|accepted_undeclared"}} offset {CODIFY_WITHIN}'
                ),
            ),
            fires=("gt", (0,)),
            holds_for="0s",
            about="drift",
            summary=f"{{{{ $labels.address }}}} in {{{{ $labels.workspace }}}} is not as declared for more than {CODIFY_WITHIN}",
            description=f"Put it into the code, revert it, or ignore it with a reason and an end: {_DRIFT_PAGE}",
        ),
        Rule(
            uid="driftband-limit",
            title="A limit will be reached",
            query=("score", 'max without (class) (driftband_drift{kind="saturation"})'),
            fires=("gt", (0,)),
            holds_for="0s",
            about="drift",
            summary="{{ $labels.signal }}{{ with $labels.service }} of {{ . }}{{ end }} is forecast to reach its limit within the day",
            description='Score {{ printf "%.1f" $values.score.Value }}: 4 is six hours, 24 is one. The forecast: '
            "{{ externalURL }}d/driftband-signal?var-signal={{ urlquery $labels.signal }}",
        ),
    ),
)

ITSELF = Group(
    name="driftband itself",
    rules=(
        Rule(
            uid="driftband-self-unreachable",
            title="driftband cannot be reached",
            # Either is there, and the source is not asked.
            query=("answers", "count(driftband_scan_status) or absent(driftband_scan_status)"),
            fires=("lt", (1,)),
            holds_for="5m",
            about=SELF,
            severity="critical",
            no_data="Alerting",
            on_error="Alerting",
            summary="Grafana gets no answer from driftband",
            # The runbook is driftband's own page, which cannot be read now.
            description="Is it running, what does its log say, does /readyz answer, does the data source have its address and its token? "
            "Bands, drift and incidents are not to be seen meanwhile, and rules that ask driftband keep the state that they had.",
        ),
        Rule(
            uid="driftband-self-watcher",
            title="driftband has stopped watching",
            query=("seconds", "time() - max(driftband_watch_last_evaluated_timestamp_seconds)"),
            fires=("gt", (SILENT_AFTER_SECONDS,)),
            holds_for="5m",
            about=SELF,
            severity="error",
            summary="No signal has been evaluated for {{ humanizeDuration $values.seconds.Value }}",
            description="What happens meanwhile is found afterwards, not now: no band, no intent and no dependency opens a finding.",
        ),
        Rule(
            uid="driftband-self-scan",
            title="A workspace has not been looked at",
            # A workspace whose every run failed has a status alone.
            query=(
                "seconds",
                (
                    "time() - (driftband_scan_last_complete_timestamp_seconds"
                    " or on (workspace) max by (workspace) (driftband_scan_status) * 0)"
                ),
            ),
            fires=("gt", (STALE_AFTER_SECONDS,)),
            holds_for="30m",
            about=SELF,
            severity="warning",
            summary="{{ $labels.workspace }} has {{ if gt $values.seconds.Value 1e9 }}never been looked at whole{{ else }}not been looked at whole for {{ humanizeDuration $values.seconds.Value }}{{ end }}",
            description=f"Whether it has drifted is not known. What its last runs said: {_DRIFT_PAGE}",
        ),
    ),
)

GROUPS = (BANDS, DRIFT, ITSELF)
