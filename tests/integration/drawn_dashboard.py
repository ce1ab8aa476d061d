"""A dashboard of a real Grafana in a real browser: what is drawn, and what Grafana complains of."""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from playwright.sync_api import Locator, Page, Response

BOARDS = {
    path.stem: json.loads(path.read_text())
    for path in sorted((Path(__file__).parents[2] / "dashboards").glob("*.json"))
}
TALL = 4_500
"""Pixels in which every dashboard is seen whole: Grafana asks only for the panels that are in sight."""
_SETTLES, _POLL = 90.0, 0.5
_PANEL = '[data-testid="data-testid Panel header {}"]'


@dataclass
class Drawn:
    """A dashboard that was opened. complaints: of the browser and of Grafana's data source."""

    page: Page
    board: dict[str, Any]
    complaints: list[str] = field(default_factory=list)

    def places(self, panel: dict[str, Any]) -> list[Locator]:
        """Return where a panel stands: once, or once for each value of the variable that repeats it."""
        first = f"panel-{panel['id']}"
        keyed = f'[data-viz-panel-key="{first}"], [data-viz-panel-key^="{first}-clone"]'
        return self.page.locator(keyed).all()

    def hear(self, response: Response) -> None:
        """Note what the data source answers, where it is no good news."""
        if "/api/ds/query" not in response.url and "/resources/api/v1/" not in response.url:
            return
        if not response.ok:
            self.complaints.append(f"{response.status} {response.url}")
        elif "/api/ds/query" in response.url:
            for ref_id, result in response.json()["results"].items():
                notices = [
                    n for f in result.get("frames", ()) for n in f["schema"].get("meta", {}).get("notices") or ()
                ]
                if result.get("error") or notices:
                    self.complaints.append(f"{ref_id}: {result.get('error')} {notices}")

    def settle(self) -> None:
        """Wait until nothing is loaded any more."""
        page, quiet = self.page, 0
        for _ in range(int(_SETTLES / _POLL)):
            page.wait_for_timeout(_POLL * 1000)
            loading = page.locator('[aria-label="Panel loading bar"]').count()
            spinning = page.get_by_text("Loading plugin panel").count()
            quiet = quiet + 1 if not loading and not spinning else 0
            if quiet * _POLL >= 3:
                return
        raise TimeoutError("the dashboard is still loading")

    def empty(self) -> dict[str, str]:
        """Return the panels that show no data, or an error, and what they show."""
        found = {}
        for panel in self.board["panels"]:
            nothing = ("No data", panel["fieldConfig"]["defaults"]["noValue"])
            places = self.places(panel)
            for place in places:
                text = place.inner_text()
                wrong = place.locator('[data-testid^="data-testid Panel status"]').count()
                if wrong or any(words in text for words in nothing):
                    found[panel["title"]] = text
            if not places:
                found[panel["title"]] = "it is not there"
        return found


def opened(page: Page, grafana: str, name: str, *, theme: str = "dark", **values: str) -> Drawn:
    """Open a dashboard of the folder with some variables, and wait until it is drawn."""
    board = BOARDS[name]
    drawn = Drawn(page, board)
    page.on("pageerror", lambda error: drawn.complaints.append(str(error)))
    page.on("response", drawn.hear)
    variables = {f"var-{key}": value for key, value in values.items()}
    asked = urlencode({"orgId": 1, "theme": theme, **variables})
    page.goto(f"{grafana}/d/{board['uid']}?{asked}&kiosk", timeout=90_000)
    page.locator("[data-viz-panel-key]").first.wait_for(timeout=90_000)
    drawn.settle()
    return drawn
