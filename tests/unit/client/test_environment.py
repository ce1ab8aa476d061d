import json
import subprocess
from dataclasses import asdict, fields
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftband.client import git
from driftband.client.environment import Job, job_of

EXAMPLES = sorted((Path(__file__).parent / "environments").glob("*.json"))


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_the_job_is_what_the_ci_tells(example: Path) -> None:
    written = json.loads(example.read_text())
    job = job_of(written["environ"])
    assert job == Job(**written["job"])
    assert "canary-secret" not in json.dumps(asdict(job))


def test_a_job_that_is_run_again_is_another_run_and_one_that_is_told_again_is_the_same() -> None:
    environ = json.loads((EXAMPLES[0].parent / "github-push.json").read_text())["environ"]
    assert job_of(environ).run == job_of(dict(environ)).run
    assert job_of(environ).run != job_of({**environ, "GITHUB_RUN_ATTEMPT": "3"}).run


NAMES = sorted({name for path in EXAMPLES for name in json.loads(path.read_text())["environ"]})


@given(st.dictionaries(st.sampled_from(NAMES), st.text(max_size=40)))
def test_whatever_stands_there_no_field_is_more_than_a_line(environ: dict[str, str]) -> None:
    job = job_of(environ)
    for field in fields(job):
        value = getattr(job, field.name)
        assert value in {True, False} or (value.isprintable() and len(value) < 3000)
    assert not job.url or job.url.startswith(("http://", "https://"))


def test_without_a_ci_git_tells_the_commit(tmp_path: Path) -> None:
    assert git.head(tmp_path / "nowhere") == ""
    run = ["git", "-C", str(tmp_path), "-c", "user.name=d", "-c", "user.email=d@x"]
    subprocess.run([*run, "init", "-q"], check=True)
    assert git.head(tmp_path) == ""
    subprocess.run([*run, "commit", "-q", "--allow-empty", "-m", "first"], check=True)
    assert len(git.head(tmp_path)) == 40
