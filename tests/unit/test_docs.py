"""What there is has its place in the documentation, and what stands there is right."""

import json
import re
from pathlib import Path
from typing import Any, cast, get_args

import pytest
from flask import Flask

from driftband.config import Config
from driftband.detect import configuration
from driftband.model.change import ChangeKind, ChangeStatus
from driftband.model.finding import Class, Severity, State
from driftband.model.incident import Deed, IncidentState
from driftband.model.notification import NotificationState
from driftband.model.run import RunStatus
from driftband.query.names import FUNCTIONS, NATIVE
from driftband.query.plan import plan_local
from driftband.store.incident_world import SILENT
from driftband.web import alerts, evidence, incidents, pagerduty, verification

ROOT = Path(__file__).parents[2]
PAGES = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
PROMQL = re.findall(r"```promql\n(.*?)```", (ROOT / "docs/series.md").read_text(encoding="utf-8"), re.DOTALL)


def page(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def routes() -> list[str]:
    app = Flask("documented")
    for api in (
        evidence.blueprint(cast("Any", None)),
        incidents.blueprint(cast("Any", None)),
        alerts.blueprint(cast("Any", None), cast("Any", None)),
        pagerduty.blueprint(cast("Any", None)),
        verification.blueprint(cast("Any", None)),
    ):
        app.register_blueprint(api)
    found = []
    for rule in app.url_map.iter_rules():
        plain = re.sub(r"<\w+:", "<", rule.rule)
        if plain.startswith(evidence.PREFIX):
            found += [f"### `{method} {plain}`" for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}]
    return sorted(found)


def test_every_route_of_the_api_is_described_and_no_other() -> None:
    assert sorted(re.findall(r"^### `.*`$", page("docs/api.md"), re.MULTILINE)) == routes()


@pytest.mark.parametrize("route", routes())
def test_a_route_has_its_answer(route: str) -> None:
    text = page("docs/api.md").partition(route)[2].partition("\n#")[0]
    assert "{" in text or "204" in text or "One change" in text


def test_every_dashboard_is_described() -> None:
    titles = {json.loads(path.read_text(encoding="utf-8"))["title"] for path in (ROOT / "dashboards").glob("*.json")}
    assert set(re.findall(r"^\| ([\w ]+) \| ", page("docs/dashboards.md"), re.MULTILINE)) - {"dashboard"} == titles


def test_every_argument_of_the_api_is_named() -> None:
    text = page("docs/api.md")
    for arguments in (*evidence._ARGUMENTS.values(), *incidents._ARGUMENTS.values()):
        assert all(f"`{name}`" in text or f"?{name}=" in text for name in arguments)
    assert all(f"`{name}`" in text for kinds in (ChangeKind, ChangeStatus) for name in get_args(kinds))


def test_every_class_status_severity_state_and_kind_is_described() -> None:
    text = page("docs/detectors/configuration.md")
    kinds = re.findall(
        r'"(\w+_(?:changed|outside|change|drifted))"', Path(configuration.__file__).read_text(encoding="utf-8")
    )
    assert len(set(kinds)) == 4
    for name in (*get_args(Class), *get_args(RunStatus), *get_args(Severity), *kinds):
        assert f"\n| `{name}` |" in text, name
    assert all(f"`{state}`" in text for state in get_args(State))


def test_every_native_series_is_described() -> None:
    text = page("docs/series.md")
    assert all(f"`{name}`" in text for name in NATIVE)
    assert set(re.findall(r"driftband_\w+", text)) == set(NATIVE)


def test_every_function_is_in_the_readme() -> None:
    assert all(f"`{name}(" in page("README.md") for name in FUNCTIONS)


def test_the_readme_names_the_configurations_sections() -> None:
    text = page("README.md")
    missing = [name for name in Config.model_fields if f"`{name}" not in text and f"\n{name}:" not in text]
    assert missing == []


@pytest.mark.parametrize("query", PROMQL)
def test_examples_are_queries(query: str) -> None:
    plan_local(query.replace("$service", "checkout"))


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_somewhere(path: Path) -> None:
    for target in re.findall(r"\]\((?!https?:)([^)\s]+)\)", path.read_text(encoding="utf-8")):
        name, _, anchor = target.partition("#")
        other = (path.parent / name) if name else path
        assert other.exists(), target
        if anchor:
            headings = re.findall(r"^#+ (.*)$", other.read_text(encoding="utf-8"), re.MULTILINE)
            assert anchor in {re.sub(r"[^\w -]", "", h.lower()).replace(" ", "-") for h in headings}, target


def test_the_words_of_incidents_and_notifications_are_described() -> None:
    text = page("docs/api.md")
    assert all(f"`{word}`" in text for kind in (IncidentState, Deed, NotificationState) for word in get_args(kind))
    assert all(f"`{word}`" in page("docs/alerts.md") + page("docs/watching.md") for word in ("alert_firing", *SILENT))
