"""An alert rule, and the two forms in which Grafana takes it: in a file that it mounts, and by its API.

Rules notify one contact point by settings of their own, so that nobody's notification policies have to change.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from driftband.grafana.explore import DATASOURCE

FOLDER = "driftband"
SELF = "self"
"""The value of the label ``driftband`` by which a rule about driftband itself is told apart: driftband is not told."""
NAMED = "driftband_rule"
"""The label that names the rule: the uid of a rule stands in no alert but as a part of its link."""
Outcome = Literal["OK", "Alerting", "Error", "KeepLast"]
_EXPRESSION = "__expr__"
_LOOKS_BACK_SECONDS = 600


@dataclass(frozen=True, kw_only=True)
class Rule:
    """One rule.

    uid: begins with ``driftband-``; the rest names its runbook. query: a name for its value in annotations, and PromQL; one
    alone, since Grafana takes a second that fails for no data, and ends the alerts. fires: Grafana's evaluator with its
    parameters. holds_for: a duration. about: the value of the label ``driftband``. severity: none where the series says
    it. panel: of which dashboard, by number.
    """

    uid: str
    title: str
    query: tuple[str, str]
    fires: tuple[str, tuple[float, ...]]
    holds_for: str
    about: str
    summary: str
    description: str
    severity: str | None = None
    panel: tuple[str, int] | None = None
    # Nothing to be seen is no drift. An error is no end of what was seen before: who tells of it is a rule of its own.
    no_data: Outcome = "OK"
    on_error: Outcome = "KeepLast"

    @property
    def runbook(self) -> str:
        """The name of its page, of the file in web/runbooks."""
        return self.uid.removeprefix("driftband-")

    def labels(self) -> dict[str, str]:
        """Return what it adds to the labels of a series."""
        severity = {"severity": self.severity} if self.severity else {}
        return {**severity, "driftband": self.about, NAMED: self.uid}

    def annotations(self, runbooks: str) -> dict[str, str]:
        """Return what people are told. runbooks: the address that the pages are under, with a slash at the end."""
        shown = {"__dashboardUid__": self.panel[0], "__panelId__": str(self.panel[1])} if self.panel else {}
        return {
            "summary": self.summary,
            "description": self.description,
            "runbook_url": f"{runbooks}{self.runbook}",
            **shown,
        }

    def data(self) -> list[dict[str, Any]]:
        """Return its query and what is made of it."""
        name, expr = self.query
        evaluator, parameters = self.fires
        # Grafana's builder mode would lose a function that it does not know.
        asked = {
            "refId": name,
            "datasource": {"type": "prometheus", "uid": DATASOURCE},
            "editorMode": "code",
            "expr": expr,
            "instant": True,
            "range": False,
        }
        judged = {
            "refId": "fires",
            "type": "threshold",
            "datasource": {"type": _EXPRESSION, "uid": _EXPRESSION},
            "expression": name,
            "conditions": [{"evaluator": {"type": evaluator, "params": list(parameters)}}],
        }
        return [_step(DATASOURCE, asked), _step(_EXPRESSION, judged)]

    def document(self, runbooks: str, receiver: str) -> dict[str, Any]:
        """Return what both forms have in common. receiver: the contact point, but of a rule about driftband itself.

        That one goes the way of the user's own policies.
        """
        told = {} if self.about == SELF else {"notification_settings": {"receiver": receiver, **_TIMING}}
        return {
            "uid": self.uid,
            "title": self.title,
            "condition": "fires",
            "for": self.holds_for,
            "noDataState": self.no_data,
            "execErrState": self.on_error,
            "labels": self.labels(),
            "annotations": self.annotations(runbooks),
            **told,
            "data": self.data(),
        }


# driftband dates what it hears by the alert's own start, and answers at once.
_TIMING = {"group_wait": "10s", "group_interval": "1m", "repeat_interval": "4h"}


@dataclass(frozen=True, kw_only=True)
class Group:
    """Rules that are evaluated together, one after the other. minutes: how often."""

    name: str
    rules: Sequence[Rule] = field(default_factory=tuple)
    minutes: int = 1

    def for_file(self, runbooks: str, receiver: str) -> dict[str, Any]:
        """Return it as a provisioning file has it."""
        rules = [_expandable(rule.document(runbooks, receiver)) for rule in self.rules]
        return {
            "orgId": 1,
            "name": self.name,
            "folder": FOLDER,
            "interval": f"{self.minutes}m",
            "rules": rules,
        }

    def for_api(self, runbooks: str, receiver: str, folder: str) -> dict[str, Any]:
        """Return it as ``PUT /api/v1/provisioning/folder/.../rule-groups/...`` takes it. folder: its uid."""
        place = {"folderUID": folder, "ruleGroup": self.name, "orgID": 1}
        rules = [{**rule.document(runbooks, receiver), **place} for rule in self.rules]
        return {"title": self.name, "folderUid": folder, "interval": self.minutes * 60, "rules": rules}


def _step(source: str, model: dict[str, Any]) -> dict[str, Any]:
    looks_back = {"from": _LOOKS_BACK_SECONDS, "to": 0}
    return {"refId": model["refId"], "relativeTimeRange": looks_back, "datasourceUid": source, "model": model}


def _expandable(document: dict[str, Any]) -> dict[str, Any]:
    """Return a rule whose title and labels mean what they say: Grafana expands ``$`` there, but not in the rest."""
    labels = {name: value.replace("$", "$$") for name, value in document["labels"].items()}
    return {**document, "title": document["title"].replace("$", "$$"), "labels": labels}
