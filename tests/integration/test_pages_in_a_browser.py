"""Every page in a real browser: axe-core finds nothing serious, nothing is cut off on a phone, and forms work without a script."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page
from werkzeug.serving import make_server

from .browser import browser_page
from .pages_world import NOW, READ, WRITE, World, breach, change, drifted, world
from .test_pages import tell_of_a_run

pytestmark = pytest.mark.slow

PHONE, DESK = (390, 844), (1280, 900)
CHECKED = {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}
PATHS = (
    "/", "/incidents", "/incidents?state=all", "INCIDENT", f"/findings/{breach().id}", "/changes/run-4711", "/workspaces",
    "/workspaces/prod/checkout", "/search?q=checkout", "/search?q=nothing-is-called-this", "/incidents/nonsense", "/runbooks/correlated",
)  # fmt: skip


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[World, str]]:
    """Return a world, and where it is served."""
    with world(tmp_path_factory.mktemp("pages")) as made:
        made.tell(change(), breach(), drifted())
        tell_of_a_run(made, "prod/checkout")
        with served(made) as url:
            yield made, url


@contextmanager
def served(made: World) -> Iterator[str]:
    """Serve a world, and return where."""
    server = make_server("127.0.0.1", 0, made.app, threaded=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.port}"
    finally:
        server.shutdown()


def _signed_in(page: Page, url: str) -> list[str]:
    """Sign in as a person does, and return what the browser complains of from then on."""
    complaints: list[str] = []
    page.on("console", lambda told: complaints.append(told.text) if told.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(f"{url}/incidents")
    page.get_by_label("Read token").fill(READ)
    page.get_by_text("I want to act too").click()
    page.get_by_label("Write token").fill(WRITE)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(f"{url}/incidents")
    complaints.clear()  # that the first page was a 401
    return complaints


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [PHONE, DESK], ids=["phone", "desk"])
def test_nothing_serious_on_any_page(shop: tuple[World, str], scheme: str, size: tuple[int, int]) -> None:
    made, url = shop
    axe = Axe()
    with browser_page(*size) as page:
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        page.goto(url)
        assert _serious(axe, page) == []
        complaints = _signed_in(page, url)
        found = {path: _wrong(axe, page, url + path.replace("INCIDENT", made.incident()), size) for path in PATHS}
        assert {path: wrong for path, wrong in found.items() if wrong} == {}
        assert [told for told in complaints if "404" not in told] == []


def test_somebody_acknowledges_and_accepts_without_a_script(tmp_path: Path) -> None:
    with world(tmp_path) as made, served(made) as url, browser_page(*PHONE) as page:
        made.tell(change(), breach())
        _signed_in(page, url)
        page.goto(url + made.incident())
        page.get_by_label("Your name").first.fill("dana")
        page.get_by_role("button", name="Acknowledge").click()
        assert page.get_by_role("status").inner_text() == "Acknowledged."
        assert page.get_by_text("dana looks after it").is_visible()
        page.get_by_text("Accept it for a time").click()
        page.get_by_label("Why").fill("known")
        page.get_by_role("button", name="Accept", exact=True).click()
        assert page.get_by_text(f"accepted by dana until {NOW:%Y-%m-%d}T16:00:00Z: known").first.is_visible()


def test_the_keyboard_goes_from_top_to_bottom(shop: tuple[World, str]) -> None:
    made, url = shop
    with browser_page(*DESK) as page:
        _signed_in(page, url)
        page.goto(url + made.incident())
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.textContent") == "Skip to the content"
        page.keyboard.press("Enter")
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.name") == "by", "after the skip link comes what one is here to do"


def _wrong(axe: Axe, page: Page, url: str, size: tuple[int, int]) -> list[str]:
    """Return what is wrong on a page with all that can be opened open."""
    page.goto(url)
    page.evaluate("document.querySelectorAll('details').forEach(one => { one.open = true })")
    wide = page.evaluate("document.documentElement.scrollWidth")
    cut = [f"it is {wide} wide"] if wide > size[0] else []
    return [*_serious(axe, page), *cut, *(_small_targets(page) if size == PHONE else [])]


def _serious(axe: Axe, page: Page) -> list[str]:
    found: dict[str, Any] = axe.run(page, options={"runOnly": CHECKED}).response
    return [
        f"{one['id']}: {one['help']}: {[node['html'][:200] for node in one['nodes'][:3]]}"
        for one in found["violations"]
        if one["impact"] in ("serious", "critical", "moderate")
    ]


def _small_targets(page: Page) -> list[str]:
    """Return buttons and fields that a thumb misses."""
    shown = page.locator("button:visible, input:visible, select:visible, summary:visible, header a:visible")
    boxes = [(one.inner_text() or one.get_attribute("name"), one.bounding_box()) for one in shown.all()]
    return [str(name) for name, box in boxes if box is not None and box["height"] < 44]
