"""Killed at any point: what was answered is kept, and sending the rest again completes the ledger as if nothing had been."""

import random
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import requests

from .evidence_api import B2, D2, A, Api, B, C, E, H, StartApi, capture
from .ledger_content import content, contradictions

pytestmark = pytest.mark.slow

Call = tuple[str, Any, dict[str, Any]]
NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
NAMES = (A, B, B2, C, D2, E, D2, B, A, C, A, B)


def _calls() -> Iterator[Call]:
    """Yield what CI sends of three workspaces in a day: reports, streams of the same runs, applies, audit events."""
    for n, name in enumerate(NAMES):
        for workspace in ("one", "two", "three"):
            at = NOON + timedelta(minutes=5 * n)
            about = {"workspace": f"killed/{workspace}", "run": f"run-{n}", "started_at": at, "commit": f"c{n}"}
            yield "/drift-reports", capture(name), about
            yield "/drift-reports", capture(name, "stream.jsonl"), about
            if n % 3 == 2:
                yield "/drift-reports", capture(H, "stream.jsonl"), {**about, "run": f"locked-{n}"}
                change = {"id": f"{workspace}-{n}", "kind": "terraform_apply", "workspace": f"killed/{workspace}"}
                touched = [{"address": "postgresql_database.shard[1]", "actions": ["update"]}]
                began = (at - timedelta(minutes=2)).isoformat()
                yield "/changes", {**change, "status": "running", "started_at": began}, {}
                over = {
                    "status": "succeeded",
                    "ended_at": (at - timedelta(minutes=1)).isoformat(),
                    "resources": touched,
                }
                yield "/changes", {**change, "started_at": began, **over, "commit": f"c{n}"}, {}
                event = {"id": f"{workspace}-{n}", "actor": "dana", "action": "alter", "resource": "shard_1"}
                yield "/audit-events", {**event, "at": began}, {}


def _send(api: Api, call: Call) -> bool:
    """Send a call, and tell whether it was answered."""
    path, body, about = call
    with suppress(requests.RequestException):
        answer = api.post(path, body, **about)
        assert answer.status_code in (200, 201), answer.text
        return True
    return False


@pytest.mark.parametrize("seed", [0, *(pytest.param(n, marks=pytest.mark.slow) for n in (1, 2, 3))])
def test_a_killed_service_completes_the_ledger(start_api: StartApi, seed: int) -> None:
    calls = list(_calls())
    undisturbed = start_api()
    assert all(_send(undisturbed, call) for call in calls)

    api = start_api()
    chance, killed = random.Random(seed), 0
    for call in calls:
        while chance.random() < 0.06 and killed < 8:
            killed += 1
            pause = chance.random() * 0.03
            killer = threading.Thread(target=lambda pause=pause: (time.sleep(pause), api.server.kill()))
            killer.start()
            _send(api, call)
            killer.join()
            api.server.__enter__()
            assert contradictions(api.store) == []
        assert _send(api, call)
    assert killed > 4
    assert content(api.store) == content(undisturbed.store)
