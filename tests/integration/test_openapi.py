"""What /openapi.json says is so: every route and no other, and schemathesis finds nothing against a real service."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from flask import Flask

from driftband.web import alerts, evidence, incidents, openapi, pagerduty, verification

from .evidence_api import Api


def routes() -> set[tuple[str, str]]:
    app = Flask("documented")
    nothing: object = None
    for room in (evidence, incidents, pagerduty, verification):
        app.register_blueprint(room.blueprint(nothing))
    app.register_blueprint(alerts.blueprint(nothing, nothing))
    return {
        (method.lower(), re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule).removeprefix(evidence.PREFIX))
        for rule in app.url_map.iter_rules()
        if rule.rule.startswith(evidence.PREFIX)
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }


def test_every_route_is_described_and_no_other() -> None:
    assert set(openapi.OPERATIONS) == routes()


def test_every_argument_is_described() -> None:
    known = {**evidence._ARGUMENTS, **incidents._ARGUMENTS}
    told = sorted(
        sorted(one["name"] for one in operation.get("parameters", ())) for operation in openapi.OPERATIONS.values()
    )
    assert all(sorted(names) in told for names in known.values())
    assert sorted(verification.ARGUMENTS) in told


@pytest.mark.parametrize("guarded", [True, False])
def test_tokens_are_told_where_they_are_wanted(guarded: bool) -> None:
    told = openapi.document("1", "http://127.0.0.1:8088", guarded=guarded)
    assert ("security" in told) == guarded


@pytest.mark.slow
def test_schemathesis_finds_nothing(api: Api, tmp_path: Path) -> None:
    """All of its checks but one: that a change ends after it began, and the forms of others, no JSON Schema says."""
    command = [
        Path(sys.executable).with_name("schemathesis"), "run", f"{api.server.url}/openapi.json", "--max-examples", "10", "--seed", "1",
        "--exclude-checks", "positive_data_acceptance", "--no-color",
    ]  # fmt: skip
    told = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert told.returncode == 0, told.stdout[-8000:]
