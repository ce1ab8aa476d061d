"""Stories of a workspace: what is reported, what is answered, and what is open and drawn then, on both stores."""

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from ..integration.conftest import *  # noqa: F403, TID252 - their servers
from ..integration.evidence_api import CAPTURES, Api  # noqa: TID252

STORIES = sorted(path.parent.name for path in Path(__file__).parent.glob("*/story.yaml"))


@pytest.mark.parametrize("name", STORIES)
def test_story(api: Api, name: str) -> None:
    steps = yaml.safe_load((Path(__file__).parent / name / "story.yaml").read_text())
    for number, step in enumerate(steps):
        _tell(api, f"story/{name}", number, step)


def _tell(api: Api, workspace: str, number: int, step: dict[str, Any]) -> None:
    what = f"step {number}: {step['what']}"
    about = {"run": f"run-{number}", "started_at": step.get("started_at")}
    body = (CAPTURES / step["report"]).read_bytes()
    taken = api.report(body, workspace, **about)
    run = taken["run"]
    answer = {"status": run["status"], **{name: taken[name] for name in ("opened", "still_open", "closed")}}
    assert answer == step["answer"], what
    assert run["renamed"] == step.get("renamed", run["renamed"]), what
    assert run["superseded"] == step.get("superseded", False), what
    assert api.report(body, workspace, **about) == taken, what
    assert api.open(workspace) == step["after"], what
    assert api.drifted(workspace) == step["series"], what
    at = datetime.fromisoformat(run["at"])
    if not run["superseded"]:
        assert api.drifted(workspace, at) == step["series"], what
    assert json.dumps(api.get("/runs", workspace=workspace)["runs"][0]) == json.dumps(run) or run["superseded"], what
