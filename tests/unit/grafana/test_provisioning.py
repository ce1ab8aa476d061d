"""The files that a Grafana mounts."""

from pathlib import Path

import yaml

from driftband.grafana import provisioning
from driftband.grafana.rule import Group, Rule

ROOT = Path(__file__).parents[3]


def test_what_is_committed_is_what_the_source_makes() -> None:
    assert provisioning.check(ROOT / "provisioning") == []


def test_check_names_what_is_missing_changed_or_left_over(tmp_path: Path) -> None:
    names = list(provisioning.files())
    assert provisioning.check(tmp_path) == [f"{tmp_path / name}: missing" for name in names]
    provisioning.build(tmp_path)
    assert provisioning.check(tmp_path) == []
    (tmp_path / "alerting/drift.yaml").write_text("apiVersion: 1\n")
    (tmp_path / "alerting/old.yaml").write_text("apiVersion: 1\n")
    assert provisioning.check(tmp_path) == [
        f"{tmp_path / 'alerting/drift.yaml'}: differs",
        f"{tmp_path / 'alerting/old.yaml'}: no source makes it",
    ]


def test_runbooks_may_be_kept_elsewhere() -> None:
    (group,) = yaml.safe_load(provisioning.files("https://wiki.example/x/")["alerting/itself.yaml"])["groups"]
    assert group["rules"][0]["annotations"]["runbook_url"] == "https://wiki.example/x/self-unreachable"


def test_a_secret_is_only_ever_named() -> None:
    for text in provisioning.files().values():
        for line in text.splitlines():
            if "secret:" in line or "Bearer" in line:
                assert line.rpartition(" ")[2].startswith("$DRIFTBAND_")


def test_a_dollar_stays_one_where_grafana_expands() -> None:
    rule = Rule(
        uid="driftband-x", title="1 $ a day", query=("a", "vector(1) > $x"), fires=("gt", (0,)), holds_for="0s",
        about="a$b", summary="{{ $labels.x }}", description="",
    )  # fmt: skip
    (made,) = Group(name="g", rules=(rule,)).for_file("r/", "driftband")["rules"]
    assert (made["title"], made["labels"]["driftband"]) == ("1 $$ a day", "a$$b")
    assert made["annotations"]["summary"] == "{{ $labels.x }}"
    assert made["data"][0]["model"]["expr"] == "vector(1) > $x"
