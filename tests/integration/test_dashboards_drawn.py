"""Every dashboard of `dashboards/`, drawn by a real Grafana in a real browser, on the demo.

Where DRIFTBAND_PICTURES names a folder, pictures of all of them are left there.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Page

from .browser import browser_page
from .conftest import GrafanaFactory
from .demo_server import DemoServer
from .drawn_dashboard import BOARDS, TALL, opened
from .grafana_server import Grafana

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
PICTURES = os.environ.get("DRIFTBAND_PICTURES")
WIDTHS = {"wall": 1920, "phone": 390}


_SOURCE = {"type": "prometheus", "uid": "driftband"}
_REQUESTS = {
    "id": 1,
    "type": "timeseries",
    "title": "Requests",
    "datasource": _SOURCE,
    "targets": [
        {"refId": "A", "expr": 'sum(rate(http_requests_total{service="checkout"}[5m]))', "datasource": _SOURCE}
    ],
    "gridPos": {"x": 0, "y": 0, "w": 24, "h": 12},
}
_SOMEBODYS = (
    {"uid": "mine", "title": "Mine", "panels": [], "schemaVersion": 41},
    {
        "uid": "theirs",
        "title": "Theirs",
        "panels": [_REQUESTS],
        "schemaVersion": 41,
        "time": {"from": "now-12h", "to": "now+3h"},
    },
)
"""Dashboards that there are from the beginning: Grafana remembers for minutes what an Editor may read."""


@dataclass(frozen=True)
class _Stage:
    demo: DemoServer
    server: Grafana

    @property
    def grafana(self) -> str:
        return self.server.url

    @property
    def values(self) -> dict[str, str]:
        """The variables with which every panel has something to show: the service and the change of the incident."""
        suspected: Any = self.demo.suspected()
        return {"service": "checkout", "signal": "http_error_share", "change": suspected["suspects"][0]["change"]}

    def of(self, name: str) -> dict[str, str]:
        known = {variable["name"] for variable in BOARDS[name]["templating"]["list"] if not variable.get("includeAll")}
        return {key: value for key, value in self.values.items() if key in known}


@pytest.fixture(scope="module")
def stage(grafana_factory: GrafanaFactory, tmp_path_factory: pytest.TempPathFactory) -> Iterator[_Stage]:
    provisioning = tmp_path_factory.mktemp("mounted")
    for folder in ("datasources", "dashboards"):
        shutil.copytree(ROOT / "provisioning" / folder, provisioning / folder)
    with DemoServer(tmp_path_factory.mktemp("demo")) as demo:
        environ = {
            "DRIFTBAND_URL": demo.url,
            "DRIFTBAND_READ_TOKEN": "",
            "DRIFTBAND_DASHBOARDS": str(ROOT / "dashboards"),
        }
        server = grafana_factory(provisioning=provisioning, environ=environ)
        for board in _SOMEBODYS:
            server.ask("POST", "/api/dashboards/db", json={"dashboard": board})
        yield _Stage(demo, server)


def _pictured(page: Page, name: str) -> None:
    if PICTURES:
        page.screenshot(path=f"{PICTURES}/{name}.png", full_page=True)


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("name", BOARDS)
def test_every_panel_has_data_and_neither_error_nor_warning(stage: _Stage, name: str, width: str) -> None:
    with browser_page(WIDTHS[width], TALL) as page:
        drawn = opened(page, stage.grafana, name, **stage.of(name))
        _pictured(page, f"{name}-{width}")
        assert drawn.complaints == []
        assert drawn.empty() == {}


@pytest.mark.parametrize("name", BOARDS)
def test_it_is_read_in_the_light_too(stage: _Stage, name: str) -> None:
    with browser_page(1400, TALL) as page:
        drawn = opened(page, stage.grafana, name, theme="light", **stage.of(name))
        _pictured(page, f"{name}-light")
        assert drawn.complaints == []


def test_links_keep_the_range_and_the_variables(stage: _Stage) -> None:
    with browser_page(1400, 1000) as page:
        opened(page, stage.grafana, "service", service="checkout", env="demo")
        page.goto(page.url.replace("from=now-24h", "from=now-12h"))
        page.locator('[data-testid="data-testid Dashboard link dropdown"]').click()
        page.get_by_role("menuitem", name="Signal").or_(page.get_by_role("link", name="Signal")).first.click()
        page.wait_for_url("**/d/driftband-signal/**")
        asked = parse_qs(urlsplit(page.url).query)
        assert (asked["from"], asked["to"]) == (["now-12h"], ["now+6h"])
        assert (asked["var-service"], asked["var-env"]) == (["checkout"], ["demo"])


def test_variables_offer_what_there_is_and_narrow_what_is_drawn(stage: _Stage) -> None:
    with browser_page(1400, TALL) as page:
        drawn = opened(page, stage.grafana, "overview", service="recommendation")
        assert drawn.complaints == []
        (incidents,) = drawn.places(BOARDS["overview"]["panels"][5])
        assert "recommendation" in incidents.inner_text()
        assert "security_group" not in incidents.inner_text()


def test_changes_are_marked_and_named(stage: _Stage) -> None:
    with browser_page(1400, TALL) as page:
        drawn = opened(page, stage.grafana, "service", service="checkout")
        (panel,) = drawn.places(BOARDS["service"]["panels"][4])
        markers = panel.locator('[data-testid="data-testid annotation-marker"]')
        assert markers.count() >= 2
        markers.first.hover()
        assert page.get_by_text("fewer database connections").first.is_visible()


def test_a_range_is_zoomed_into(stage: _Stage) -> None:
    with browser_page(1400, TALL) as page:
        drawn = opened(page, stage.grafana, "service", service="checkout")
        (panel,) = drawn.places(BOARDS["service"]["panels"][4])
        box: Any = panel.locator(".u-over").bounding_box()
        middle = box["y"] + box["height"] / 2
        page.mouse.move(box["x"] + box["width"] * 0.3, middle)
        page.mouse.down()
        page.mouse.move(box["x"] + box["width"] * 0.6, middle, steps=5)
        page.mouse.up()
        page.wait_for_url(lambda url: "from=now" not in url)
        drawn.settle()
        assert drawn.complaints == []


def test_calls_between_services_are_drawn_the_new_one_in_its_colour(stage: _Stage) -> None:
    with browser_page(1400, TALL) as page:
        drawn = opened(page, stage.grafana, "dependencies")
        (graph,) = (panel for panel in BOARDS["dependencies"]["panels"] if panel["type"] == "nodeGraph")
        (place,) = drawn.places(graph)
        for service in ("frontend", "checkout", "recommendation", "cart"):
            assert place.locator(f'[data-testid="node-circle-{service}"]').count() == 1
        new = place.locator('line[stroke="#F0B93A"], path[stroke="#F0B93A"]')
        assert new.count() >= 1


def _annotate(stage: _Stage, token: str, *arguments: str, fails: bool = False) -> str:
    """Return what the verb prints: on stderr where it fails."""
    environ = {"PATH": "/usr/bin:/bin", "GRAFANA_URL": stage.grafana, "GRAFANA_TOKEN": token}
    command = [sys.executable, "-m", "driftband", "dashboards", "annotate", *arguments]
    done = subprocess.run(command, env=environ, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == int(fails), done.stderr
    return done.stderr if fails else done.stdout


@pytest.mark.parametrize(
    ("uid", "role", "more", "why"),
    [
        ("nowhere", "Editor", ["--yes"], "there is no dashboard with the uid 'nowhere'"),
        ("driftband-overview", "Editor", ["--yes"], "is provisioned from a file"),
        ("mine", "Viewer", ["--yes"], "forbids to save the dashboard (403)"),
        ("mine", "Editor", [], "nothing was changed: nobody can be asked here; give --yes"),
    ],
    ids=["unknown", "provisioned", "viewer", "nobody-to-ask"],
)
def test_a_dashboard_that_cannot_be_saved_stays_and_it_is_said_why(
    stage: _Stage, uid: str, role: str, more: list[str], why: str
) -> None:
    before, token = stage.server.ask("GET", "/api/dashboards/uid/mine")["dashboard"], stage.server.token(role)
    assert why in _annotate(stage, token, uid, *more, fails=True)
    assert stage.server.ask("GET", "/api/dashboards/uid/mine")["dashboard"] == before


def test_a_dashboard_that_one_has_gets_bands_and_changes_and_loses_them_again(stage: _Stage) -> None:
    def held() -> Any:
        board = stage.server.ask("GET", "/api/dashboards/uid/theirs")["dashboard"]
        return {key: value for key, value in board.items() if key not in {"id", "version"}}

    before, token = held(), stage.server.token("Editor")
    assert "+" in _annotate(stage, token, "theirs", "--yes")
    assert "nothing to change" in _annotate(stage, token, "theirs", "--yes")
    with browser_page(1400, 900) as page:
        page.goto(f"{stage.grafana}/d/theirs?kiosk", timeout=90_000)
        for side in ("lower", "expected", "upper"):
            page.get_by_text(side, exact=True).first.wait_for(timeout=90_000)
        page.locator('[data-testid="data-testid annotation-marker"]').first.wait_for(timeout=60_000)
        _pictured(page, "annotated")
    _annotate(stage, token, "theirs", "--undo", "--yes")
    after = held()
    assert after["annotations"]["list"] == before.get("annotations", {"list": []})["list"]
    assert [one["refId"] for one in after["panels"][0]["targets"]] == ["A"]
    assert after["panels"][0]["fieldConfig"]["overrides"] == []
