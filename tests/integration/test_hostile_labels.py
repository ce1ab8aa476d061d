"""Hostile labels, the whole way: from an alert and a change to the page, PagerDuty, a webhook, a chat and a terminal."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from driftband.model.moment import show_moment
from driftband.respond.message import harmless

from ..unit.respond.stand_ins import ROUTING_KEY, PagerDuty, StandIn, Webhook  # noqa: TID252 - strict ones
from ..unit.respond.stand_ins import SECRET as HOOK_SECRET  # noqa: TID252
from .alert_bodies import told, webhook
from .evidence_api import Api, now, serving
from .waiting import until

pytestmark = pytest.mark.slow


@pytest.fixture
def servers() -> Iterator[dict[str, Any]]:
    with PagerDuty() as pagerduty, Webhook() as hook, StandIn() as chat, StandIn() as nobody:
        yield {"pagerduty": pagerduty, "hook": hook, "chat": chat, "nobody": nobody}


@pytest.fixture
def api(servers: dict[str, Any], tmp_path: Path) -> Iterator[Api]:
    chat = servers["chat"].url.removeprefix("http://")
    destinations = [
        {
            "name": "oncall",
            "type": "pagerduty",
            "url": servers["pagerduty"].url,
            "routing_key": ROUTING_KEY,
            "changes": True,
        },
        {"name": "hook", "type": "webhook", "url": f"{servers['hook'].url}/x", "secret": HOOK_SECRET},
        {"name": "chat", "type": "apprise", "url": f"json://{chat}/room"},
    ]
    with serving(tmp_path, f"sqlite:///{tmp_path}/ledger.db", destinations=destinations) as api:
        yield api


def test_nothing_of_it_is_obeyed_and_no_address_in_it_is_asked(
    api: Api, servers: dict[str, Any], tmp_path: Path
) -> None:
    elsewhere, canary = servers["nobody"].url, tmp_path / "canary"
    hostile = (
        f"<script src={elsewhere}/a.js></script><!channel> *bold* [x]({elsewhere}/md) `$(touch {canary})` "
        f"; touch {canary} && {{{{7*7}}}} \u202e\x1b[31m\r\n::error::x\x00 {elsewhere}/plain"
    )
    change = {
        "id": f"run; touch {canary}", "kind": "deploy", "started_at": show_moment(now()), "summary": hostile,
        "actor": hostile, "url": f"{elsewhere}/run", "identity": {"service": hostile[:200].replace("\x00", "")},
    }  # fmt: skip
    api.change(**change)
    alert = told(
        hostile,
        now(),
        annotations={"summary": hostile, "runbook_url": f"{elsewhere}/r"},
        service=hostile,
        severity="critical",
    )
    alert |= {"generatorURL": f"{elsewhere}/rule", "panelURL": f"{elsewhere}/panel", "imageURL": f"{elsewhere}/a.png"}
    assert api.post("/alerts/alertmanager", webhook(alert)).status_code == 202
    (incident,) = until(lambda: api.get("/incidents")["incidents"])
    until(lambda: api.get("/notifications", state="waiting")["notifications"] == [])
    assert api.get("/notifications", state="dead")["notifications"] == []

    page = requests.get(f"{api.server.url}/incidents/{incident['id']}", timeout=60)
    assert page.status_code == 200
    assert "<script src=" not in page.text
    assert "\x1b" not in page.text
    assert "49" not in page.text or "{{7*7}}" in page.text

    assert (servers["pagerduty"].faults, servers["hook"].faults) == ([], [])
    assert servers["pagerduty"].pages == 1
    (event,) = servers["hook"].events.values()
    assert event["data"]["id"] == incident["id"]
    (said,) = [asked.json for asked in servers["chat"].asked]
    text = said["title"] + said["message"]
    assert all(sign not in text for sign in ("<", "`", "*", "[x]", "\x1b", "\u202e"))
    assert text.count("://") == text.count(f"{api.server.url}/incidents/")
    assert harmless(hostile)[:40] in text

    environ = {"PATH": "/usr/bin:/bin", "DRIFTBAND_URL": api.server.url}
    for arguments in (
        ["incidents", "show", incident["id"]],
        ["notifications", "list"],
        ["verify", "--change", change["id"], "--for", "1s"],
    ):
        command = [sys.executable, "-m", "driftband", *arguments]
        done = subprocess.run(command, env=environ, capture_output=True, text=True, check=False)
        assert "\x1b" not in done.stdout + done.stderr
        assert not any(line.startswith("::") for line in done.stdout.splitlines())
    assert json.loads(json.dumps(incident)) == incident
    assert not canary.exists()
    assert (servers["nobody"].asked, servers["nobody"].faults) == ([], [])
