"""Each destination has all that belongs to it: a key in the configuration, a page, a test."""

import re
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, get_args

import pytest
import yaml

from driftband import app_respond
from driftband.app_changes import owed_changes
from driftband.config import Config, load
from driftband.config_destinations import Destination, Kind
from driftband.model.change import Change
from driftband.respond.destinations import DESTINATIONS

from .memory_outbox import START

ROOT = Path(__file__).parents[3]
PAGES = ROOT / "docs/destinations"
_YAML = re.compile(r"^```yaml\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def configured(text: str, tmp_path: Path) -> Config:
    (tmp_path / "pd.key").write_text("key-of-pagerduty")
    path = tmp_path / "driftband.yaml"
    path.write_text("prometheus: {url: 'sample:'}\n" + text)
    keys = dict.fromkeys(re.findall(r"\$\{(\w+)\}", text), "a-secret-of-the-environment")
    return load(path, keys)


def test_the_configuration_knows_what_is_registered() -> None:
    assert get_args(Kind) == tuple(DESTINATIONS)


@pytest.mark.parametrize("kind", DESTINATIONS)
def test_each_has_a_page_and_a_test(kind: str) -> None:
    page = PAGES / f"{kind}.md"
    assert page.is_file(), f"write {page.relative_to(ROOT)}"
    assert f"({kind}.md)" in (PAGES / "README.md").read_text()
    assert "(README.md)" in page.read_text()
    assert (Path(__file__).parent / f"test_{kind}.py").is_file()


@pytest.mark.parametrize("page", [*DESTINATIONS, "README"])
def test_what_a_page_shows_can_be_configured(page: str, tmp_path: Path) -> None:
    (example,) = _YAML.findall((PAGES / f"{page}.md").read_text())
    config = configured(example, tmp_path)
    kinds = {one.type for one in config.destinations}
    assert page == "README" or page in kinds
    assert app_respond.senders(config).keys() == app_respond.rules(config).keys()
    assert "a-secret-of" not in yaml.safe_dump(config.effective())


def test_each_key_is_documented() -> None:
    text = "".join(path.read_text() for path in PAGES.glob("*.md"))
    assert all(f"| `{key}` |" in text for key in Destination.model_fields)


def test_who_is_told_of_a_change(tmp_path: Path) -> None:
    (example,) = _YAML.findall((PAGES / "pagerduty.md").read_text())
    owed = owed_changes(configured(example.replace("match: [", "match: ['service=\"checkout\"', "), tmp_path))
    change = Change(id="run-1", kind="deploy", started_at=START, ended_at=START, identity={"service": "checkout"})

    def told(at: datetime = START, **more: Any) -> list[str]:
        return [one.destination for one in owed(replace(change, **more), at)]

    assert told() == ["oncall"]
    assert told(identity={}, workspace="prod/checkout") == ["oncall"]
    assert told(identity={"service": "cart", "team": "shop"}) == []
    assert told(status="running", ended_at=None) == []
    assert told(START + timedelta(hours=23)) == ["oncall"]
    assert told(START + timedelta(hours=25)) == []


def test_rules_are_those_of_the_configuration(tmp_path: Path) -> None:
    (example,) = _YAML.findall((PAGES / "README.md").read_text())
    rules = app_respond.rules(configured(example, tmp_path))
    oncall = rules["oncall"]
    assert [matcher.name for matcher in oncall.match] == ["severity", "owner"]
    assert oncall.quiet is not None
    assert (str(oncall.quiet.zone), oncall.quiet.begins.hour, oncall.quiet.ends.hour) == ("Europe/Berlin", 22, 7)
    assert [matcher.value for matcher in oncall.quiet.excepted] == ["critical"]
    assert oncall.escalate is not None
    assert (oncall.escalate.to, oncall.escalate.after.total_seconds()) == ("lead", 900)
    assert (oncall.only_escalated, rules["lead"].only_escalated) == (False, True)
