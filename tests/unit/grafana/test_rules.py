"""The rules as values: what they ask can be answered, what they tell is understood, each has its page."""

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from driftband.detect.alerts import meaning
from driftband.grafana import connection
from driftband.grafana.dashboards import DASHBOARDS
from driftband.grafana.rule import NAMED, Rule
from driftband.grafana.rules import CODIFY_WITHIN, GROUPS, RUNBOOKS
from driftband.model.alert import Alert
from driftband.query.plan import plan, plan_local

ROOT = Path(__file__).parents[3]
RULES = [rule for group in GROUPS for rule in group.rules]
each_rule = pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.uid)


def alert(rule: Rule, **labels: str) -> Alert:
    told = {**labels, **rule.labels(), "alertname": rule.title}
    at = datetime(2026, 11, 24, tzinfo=UTC)
    return Alert(source="grafana", status="firing", labels=told, starts_at=at, fingerprint="f")


def test_uids_titles_and_groups_are_told_apart() -> None:
    for names in ([r.uid for r in RULES], [r.title for r in RULES], [g.name for g in GROUPS]):
        assert len(set(names)) == len(names)


@each_rule
def test_what_it_asks_can_be_planned(rule: Rule) -> None:
    plan_local(rule.query[1])


@pytest.mark.parametrize("rule", [r for r in RULES if r.about != "band"], ids=lambda rule: rule.uid)
def test_it_does_not_fail_with_the_source(rule: Rule) -> None:
    assert "Remote(" not in repr(plan(rule.query[1]))


@each_rule
def test_its_uid_is_one_that_grafana_takes(rule: Rule) -> None:
    assert re.fullmatch(r"driftband-[a-z-]{1,30}", rule.uid)


@each_rule
def test_it_is_known_again_where_it_comes_in(rule: Rule) -> None:
    expected = "about_driftband" if rule.uid.startswith("driftband-self-") else "own"
    assert meaning(alert(rule, service="checkout"), frozenset()) == expected
    assert (rule.about == "self") == (expected == "about_driftband")


@each_rule
def test_only_driftband_itself_goes_the_way_of_the_users_policies(rule: Rule) -> None:
    told = rule.document(RUNBOOKS, "somebody").get("notification_settings")
    if rule.about == "self":
        assert told is None
    else:
        assert told is not None
        assert told["receiver"] == "somebody"


@each_rule
def test_it_judges_its_only_query_and_names_itself(rule: Rule) -> None:
    document = rule.document(RUNBOOKS, connection.CONTACT_POINT)
    # Grafana takes a second query that fails for no data, and resolves what fired.
    asked, judged = document["data"]
    assert document["condition"] == judged["refId"] == "fires"
    assert judged["model"]["expression"] == asked["refId"]
    assert (asked["datasourceUid"], judged["datasourceUid"]) == ("driftband", "__expr__")
    assert document["labels"][NAMED] == rule.uid
    # A label that is made of values would be another alert with each of them.
    assert not any("{{" in value for value in document["labels"].values())


@each_rule
def test_each_state_is_chosen(rule: Rule) -> None:
    expected = ("Alerting", "Alerting") if rule.uid == "driftband-self-unreachable" else ("OK", "KeepLast")
    assert (rule.no_data, rule.on_error) == expected


@each_rule
def test_its_runbook_is_there_and_names_it(rule: Rule) -> None:
    text = (ROOT / "datasource/driftband/web/runbooks" / f"{rule.runbook}.md").read_text(encoding="utf-8")
    assert text.startswith("# ")
    assert f"`{rule.uid}`" in text
    headings = re.findall(r"^## (.*)$", text, re.MULTILINE)
    assert headings == ["What it means", "Look first", "End it", "When it is wrong"]
    assert rule.annotations("https://wiki.example/")["runbook_url"] == f"https://wiki.example/{rule.runbook}"


def test_no_runbook_is_of_no_rule() -> None:
    assert {path.stem for path in (ROOT / "datasource/driftband/web/runbooks").glob("*.md")} == {
        rule.runbook for rule in RULES
    }


@each_rule
def test_the_page_of_rules_says_how_long_it_waits_and_whom_it_tells(rule: Rule) -> None:
    page = (ROOT / "docs/provisioning.md").read_text(encoding="utf-8")
    (line,) = re.findall(
        rf"^\| \[[^\]]*\]\(\.\./datasource/driftband/web/runbooks/{re.escape(rule.runbook)}\.md\).*$",
        page,
        re.MULTILINE,
    )
    title = rule.title.removesuffix(f" for {CODIFY_WITHIN}")
    waits = "at once" if rule.holds_for == "0s" else rule.holds_for
    assert line.startswith(f"| [{title}](")
    assert line.endswith(f" | {waits} | {'you' if rule.about == 'self' else 'driftband'} |")


@each_rule
def test_its_panel_and_the_dashboards_it_links_to_are_there(rule: Rule) -> None:
    dashboards = {made.uid: made for made in (make() for make in DASHBOARDS.values())}
    for uid in re.findall(r"/d/([\w-]+)", rule.description):
        assert uid in dashboards
    if rule.panel is not None:
        uid, number = rule.panel
        panels = dashboards[uid].panels or []
        assert number in [panel.id_val for panel in panels]


def test_the_contact_point_signs_as_driftband_checks_it() -> None:
    settings = connection.webhook("http://driftband:8088")
    assert settings["url"] == "http://driftband:8088/driftband/v1/alerts/grafana"
    assert settings["hmacConfig"] == {
        "header": "X-Grafana-Alerting-Signature",
        "timestampHeader": "X-Grafana-Alerting-Timestamp",
    }


def test_the_optional_policies_tell_driftband_of_others_rules_alone() -> None:
    told, rest = connection.policies()["routes"]
    assert (told["receiver"], told["object_matchers"], told["continue"]) == (
        "driftband",
        [["driftband", "=", ""]],
        True,
    )
    assert rest == {"receiver": connection.policies()["receiver"]}
