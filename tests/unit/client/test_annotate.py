"""``driftband annotate`` against a strict stand-in for Grafana on a real socket."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from driftband import cli

from ..grafana.stand_in import TOKEN, GrafanaStandIn  # noqa: TID252 - the neighbour's server

LOG = Path(__file__).parents[2] / "captures/l_apply_stream/apply_ok_12s.jsonl"


@pytest.fixture
def grafana(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[GrafanaStandIn]:
    monkeypatch.chdir(tmp_path)
    for name in ("GITHUB_ACTIONS", "GITLAB_CI", "JENKINS_URL", "BUILD_TAG", "GRAFANA_URL", "GRAFANA_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    with GrafanaStandIn() as server:
        yield server


def annotate(url: str, *arguments: str, token: str = TOKEN) -> Result:
    environ = {"GRAFANA_URL": url, "GRAFANA_TOKEN": token}
    result = CliRunner().invoke(cli.main, ["annotate", *arguments], env=environ)
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    assert token not in result.output
    return result


def test_an_apply_is_annotated_once(grafana: GrafanaStandIn) -> None:
    for _ in range(2):
        result = annotate(grafana.url, "--apply-log", str(LOG), "--workspace", "prod/db", "--id", "run-1")
        assert (result.exit_code, result.stdout) == (0, "annotation 1 in Grafana\n")
    (held,) = grafana.held.values()
    assert "driftband_id:run-1" in held["tags"]
    assert held["time"] < held["timeEnd"]


def test_a_grafana_that_is_away_for_a_moment_is_asked_again(grafana: GrafanaStandIn) -> None:
    turns = iter([(503, {})])
    grafana.turn = lambda _method, _path: next(turns, None)
    assert annotate(grafana.url, "--kind", "deploy", "--id", "d").exit_code == 0
    assert len(grafana.held) == 1


def test_an_apply_does_not_fail_for_grafana_unless_asked(grafana: GrafanaStandIn) -> None:
    for url, token in (("http://127.0.0.1:9", TOKEN), (grafana.url, "another-token")):
        result = annotate(url, "--kind", "deploy", "--wait", "200ms", token=token)
        assert (result.exit_code, result.stdout) == (0, "")
        assert "the change was not annotated: Grafana at " in result.stderr
        assert annotate(url, "--kind", "deploy", "--wait", "200ms", "--strict", token=token).exit_code == 1


def test_json_has_the_annotation_and_the_change(grafana: GrafanaStandIn) -> None:
    document = json.loads(annotate(grafana.url, "--kind", "deploy", "--id", "d", "--json").stdout)
    assert (document["annotation"], document["change"]["id"]) == (1, "d")


def test_the_address_comes_from_the_configuration_too(grafana: GrafanaStandIn, tmp_path: Path) -> None:
    config = tmp_path / "driftband.yaml"
    config.write_text(f"prometheus: {{url: 'sample:'}}\ngrafana: {{url: '{grafana.url}', token: {TOKEN}}}\n")
    assert annotate("", "--config", str(config), "--kind", "deploy").exit_code == 0
    assert len(grafana.held) == 1
    config.write_text("prometheus: {url: 'sample:'}\n")
    assert "has no `grafana` section" in annotate("", "--config", str(config), "--kind", "deploy").stderr


@pytest.mark.parametrize(
    ("url", "token", "message"),
    [
        ("", TOKEN, "no Grafana is named"),
        ("ftp://x", TOKEN, "GRAFANA_URL or --grafana-url: expected http"),
        ("http://x", "two words", "printable ASCII"),
    ],
)
def test_what_cannot_be_asked_is_told(grafana: GrafanaStandIn, url: str, token: str, message: str) -> None:
    result = annotate(url, "--kind", "deploy", token=token)
    assert result.exit_code == 1
    assert message in result.stderr
    assert grafana.asked == []
