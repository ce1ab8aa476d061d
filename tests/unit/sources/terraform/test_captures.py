"""Every capture gives what its row says, and none of its secrets comes out."""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from driftband.model.attribute import AttributeDiff
from driftband.model.report import Renamed, Report
from driftband.sources.terraform import ReportError, read_apply, read_inventory, read_report, redacted

CAPTURES = Path(__file__).parents[3] / "captures"
PLANS = sorted(path.parent.name for path in CAPTURES.glob("*/plan.json"))
STREAMS = sorted(path.parent.name for path in CAPTURES.glob("*/stream.jsonl"))
APPLIES = ("l_apply_stream/apply_ok_12s.jsonl", "l2_apply_errored/apply.jsonl")
STATES = ("m_misc/show_state.json", "m_misc/state_pull.json")
DOCUMENTS = (*(f"{name}/plan.json" for name in PLANS), *(f"{name}/stream.jsonl" for name in STREAMS), *APPLIES, *STATES)

ORDERS = 'module.role["orders"].postgresql_role.this'
BILLING = 'module.role["billing"].postgresql_role.this'
Read = Callable[[str], bytes]


def drift(report: Report) -> dict[str, Any]:
    return {
        each.address: each.action if each.action == "delete" or not each.known_values else list(each.attributes)
        for each in report.drift
    }


def limit(before: int, after: int) -> list[AttributeDiff]:
    return [AttributeDiff(path="connection_limit", before=before, after=after)]


BY_HAND = {ORDERS: limit(20, 3), "postgresql_database.shard[1]": limit(50, 5)}
FILE = {"local_file.pool": "delete"}
DROPPED = {"postgresql_database.shard[2]": "delete"}
PASSWORD = {BILLING: [AttributeDiff(path="password", sensitive=True)]}
EXPECTED: dict[str, dict[str, Any]] = {
    "a_clean_refresh_only": {},
    "b_attr_drift": BY_HAND,
    "b2_local_file_content_drift": {**BY_HAND, **FILE},
    "c_deleted_outside": {**BY_HAND, **FILE, **DROPPED},
    "d2_sensitive_drift_md5": {**BY_HAND, **FILE, **DROPPED, **PASSWORD},
    "e_normal_plan_drift_and_changes": {**BY_HAND, **FILE, **DROPPED, **PASSWORD},
    "g1_provider_unreachable": {},
    "t2_tofu_drift_refresh_only": {**FILE, 'module.role["t_orders"].postgresql_role.this': limit(20, 3)},
}


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_drift_of_a_plan_is_told_by_attribute(name: str, capture: Read) -> None:
    report = read_report(capture(f"{name}/plan.json"))
    assert drift(report) == EXPECTED[name]
    assert report.source == "plan"


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_the_stream_names_the_same_resources_without_values(name: str, capture: Read) -> None:
    report = read_report(capture(f"{name}/stream.jsonl"))
    assert {each.address: each.action for each in report.drift} == {
        address: "delete" if expected == "delete" else "update" for address, expected in EXPECTED[name].items()
    }
    assert not any(each.known_values or each.attributes for each in report.drift)
    assert report.resources is None
    assert report.planned is None


def test_the_noise_after_the_first_apply_is_normalisation_alone(capture: Read) -> None:
    report = read_report(capture("a0_first_refresh_after_create_noise/plan.json"))
    assert len(report.drift) == 4
    assert all(each.only_normalised and each.normalised == ("roles", "search_path") for each in report.drift)


def test_a_clean_plan_is_complete_and_has_read_everything(capture: Read) -> None:
    report = read_report(capture("a_clean_refresh_only/plan.json"))
    assert (report.errored, report.complete, report.locked, report.read) == (False, True, False, 11)
    assert report.timestamp == datetime(2026, 11, 24, 0, 17, 1, tzinfo=UTC)
    assert report.planned is None
    assert (report.tool, report.tool_version) == ("terraform", "1.11.4")


def test_a_clean_stream_is_complete_and_has_read_everything(capture: Read) -> None:
    report = read_report(capture("a_clean_refresh_only/stream.jsonl"))
    assert (report.errored, report.complete, report.read, report.unread) == (False, True, 11, ())


def test_a_normal_plan_tells_what_it_would_do(capture: Read) -> None:
    report = read_report(capture("e_normal_plan_drift_and_changes/plan.json"))
    planned = {each.address: each for each in report.planned or ()}
    assert {address: each.actions for address, each in planned.items()} == {
        "local_file.pool": ("create",),
        "postgresql_database.shard[1]": ("update",),
        "terraform_data.release": ("delete", "create"),
        BILLING: ("update",),
        ORDERS: ("update",),
    }
    assert list(planned[ORDERS].attributes) == limit(3, 25)
    assert list(planned[BILLING].attributes) == [AttributeDiff(path="password", sensitive=True)]
    release = {each.path: (each.before, each.after) for each in planned["terraform_data.release"].attributes}
    assert release["input.version"] == ("2026.11.1", "2026.11.2")
    assert release["id"] == ("6d095418-7b12-7354-d530-ad73549a353a", None)
    assert release["output"][1] is None
    assert {each.path for each in planned["local_file.pool"].attributes} == {
        "content",
        "directory_permission",
        "file_permission",
        "filename",
    }


@pytest.mark.parametrize("document", ["plan.json", "stream.jsonl"])
@pytest.mark.parametrize("name", ["e_normal_plan_drift_and_changes", "g1_provider_unreachable"])
def test_a_moved_resource_is_renamed_and_has_not_drifted(name: str, document: str, capture: Read) -> None:
    report = read_report(capture(f"{name}/{document}"))
    assert report.renamed == (Renamed(source="postgresql_role.group", target="postgresql_role.group_main"),)


def test_an_unreachable_provider_leaves_the_plan_errored_and_incomplete(capture: Read) -> None:
    report = read_report(capture("g1_provider_unreachable/plan.json"))
    assert (report.errored, report.complete, report.drift) == (True, False, ())


def test_an_unreachable_provider_shows_in_the_stream_as_what_was_not_read(capture: Read) -> None:
    report = read_report(capture("g1_provider_unreachable/stream.jsonl"))
    assert (report.errored, report.complete, report.locked, report.read) == (True, False, False, 2)
    assert set(report.unread) == {
        "postgresql_role.group_main",
        BILLING,
        ORDERS,
        'module.role["report.ro"].postgresql_role.this',
    }
    assert len(report.errors) == 1
    assert report.errors[0].startswith("error connecting to PostgreSQL server 127.0.0.1")


def test_a_locked_state_is_told(capture: Read) -> None:
    report = read_report(capture("h_state_locked/stream.jsonl"))
    assert (report.locked, report.errored, report.complete) == (True, True, False)
    assert report.errors == ("Error acquiring the state lock",)


def test_opentofu_is_told_from_terraform(capture: Read) -> None:
    for document in ("plan.json", "stream.jsonl"):
        report = read_report(capture(f"t2_tofu_drift_refresh_only/{document}"))
        assert (report.tool, report.tool_version, report.complete) == ("opentofu", "1.12.6-dev", True)


def test_resources_have_what_was_declared_and_not_what_was_found(capture: Read) -> None:
    report = read_report(capture("d2_sensitive_drift_md5/plan.json"))
    resources = {each.address: each for each in report.resources or ()}
    assert resources[ORDERS].attributes["connection_limit"] == 20
    assert resources["postgresql_database.shard[1]"].attributes["connection_limit"] == 50
    # Gone, and declared all the same.
    assert resources["postgresql_database.shard[2]"].attributes["connection_limit"] == 50
    assert report.read == 9
    assert len(resources) == 11
    assert resources[ORDERS].module == "role"
    assert resources[ORDERS].sensitive == ("password",)
    assert resources[ORDERS].provider == "registry.terraform.io/cyrilgdn/postgresql"
    assert resources["terraform_data.release"].tags == {"env": "prod", "service": "orders", "team": "data"}
    assert resources["terraform_data.release"].attributes["input.tags.team"] == "data"


def test_both_forms_of_a_state_give_the_same_inventory(capture: Read) -> None:
    shown, pulled = (read_inventory(capture(name)) for name in STATES)
    assert {each.address: each for each in shown.resources} == {each.address: each for each in pulled.resources}
    assert len(shown.resources) == 11
    assert (shown.lineage, shown.serial) == ("", None)
    assert (pulled.lineage, pulled.serial) == ("bcd697ed-cd3f-d3b4-3996-8dfd046d5e51", 13)
    secret = {each.address: each.sensitive for each in pulled.resources}
    assert secret["random_password.app"] == ("bcrypt_hash", "result")


def test_an_apply_that_succeeds(capture: Read) -> None:
    applied = read_apply(None, capture(APPLIES[0]))
    assert (applied.status, applied.summary, applied.errors) == ("succeeded", "1 added, 0 changed, 0 destroyed", ())
    assert applied.started_at == datetime(2026, 11, 24, 0, 19, 57, 22000, tzinfo=UTC)
    assert applied.ended_at == datetime(2026, 11, 24, 0, 20, 9, 31000, tzinfo=UTC)
    (touched,) = applied.resources
    assert (touched.address, touched.type, touched.actions) == ("terraform_data.slow", "terraform_data", ("create",))


def test_an_apply_that_fails(capture: Read) -> None:
    applied = read_apply(None, capture(APPLIES[1]))
    assert (applied.status, applied.errors) == ("failed", ("local-exec provisioner error",))
    assert applied.summary == "1 added, 0 changed, 1 destroyed, 1 failed"
    assert {each.address: each.actions for each in applied.resources} == {
        "terraform_data.slow": ("delete", "create"),
        "terraform_data.boom[0]": ("create",),
    }


def test_an_apply_known_by_its_plan_alone(capture: Read) -> None:
    applied = read_apply(capture("e_normal_plan_drift_and_changes/plan.json"), None)
    assert applied.summary == "2 to add, 3 to change, 1 to destroy"
    assert (applied.status, applied.ended_at) == ("succeeded", None)
    assert {each.address: each.attributes for each in applied.resources}[ORDERS] == tuple(limit(3, 25))


@pytest.mark.parametrize("name", APPLIES)
def test_the_log_of_an_apply_is_no_report(name: str, capture: Read) -> None:
    with pytest.raises(ReportError, match="driftband change record"):
        read_report(capture(name))


@pytest.mark.parametrize("name", STATES)
def test_a_state_is_no_report(name: str, capture: Read) -> None:
    with pytest.raises(ReportError, match="send it to the inventory"):
        read_report(capture(name))


@pytest.mark.parametrize("name", ["m_misc/providers_schema.json", "m_misc/version.json"])
def test_other_outputs_of_terraform_are_named(name: str, capture: Read) -> None:
    with pytest.raises(ReportError, match=r"the output of `terraform (providers schema|version) -json`"):
        read_report(capture(name))


def secrets(value: Any, mask: Any) -> Iterator[str]:
    """Return the texts under a mask."""
    if isinstance(value, str) and mask is True and value:
        yield value
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield from secrets(inner, mask.get(key) if isinstance(mask, dict) else mask)
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from secrets(inner, mask[index] if isinstance(mask, list) else mask)


def canaries() -> set[str]:
    found = {"pgadmin", "hunter2", "359885b1dcdeb732e10bfe1a1118e2db"}
    for name in PLANS:
        plan = json.loads((CAPTURES / name / "plan.json").read_bytes())
        for item in (*plan.get("resource_drift", ()), *plan.get("resource_changes", ())):
            change = item["change"]
            found.update(secrets(change["before"], change["before_sensitive"]))
            found.update(secrets(change["after"], change["after_sensitive"]))
        for item in plan["output_changes"].values():
            found.update(secrets(item["before"], item["before_sensitive"]))
    return found


def output_of(name: str, body: bytes) -> str:
    if name in APPLIES:
        return repr(read_apply(None, body))
    return repr(read_inventory(body) if name in STATES else read_report(body))


@pytest.mark.parametrize("name", DOCUMENTS)
def test_no_secret_comes_out(name: str, capture: Read) -> None:
    body = capture(name)
    shown = output_of(name, body) + redacted(body).decode()
    assert len(canaries()) > 5
    for canary in canaries():
        assert canary not in shown
        assert json.dumps(canary)[1:-1] not in shown


@pytest.mark.parametrize("name", PLANS)
def test_no_secret_stands_in_an_apply(name: str, capture: Read) -> None:
    shown = repr(read_apply(capture(f"{name}/plan.json"), capture(APPLIES[1])))
    assert not [canary for canary in canaries() if canary in shown]


@pytest.mark.parametrize("name", DOCUMENTS)
def test_a_redacted_document_reads_the_same_and_stays_as_it_is(name: str, capture: Read) -> None:
    body = capture(name)
    safe = redacted(body)
    assert output_of(name, safe) == output_of(name, body)
    assert redacted(safe) == safe
    assert len(safe) < len(body)


@pytest.mark.parametrize("name", PLANS)
def test_a_plan_redacted_with_schemas_reads_as_with_the_whole_of_them(name: str, capture: Read) -> None:
    body, schemas = capture(f"{name}/plan.json"), capture("m_misc/providers_schema.json")
    safe = redacted(body, schemas)
    whole = json.dumps({**json.loads(body), "provider_schemas": json.loads(schemas)}).encode()
    assert read_report(safe) == read_report(whole)
    assert redacted(safe) == safe
    assert len(safe) - len(redacted(body)) < 1000


@pytest.mark.parametrize("name", DOCUMENTS)
def test_a_document_cut_anywhere_is_refused_or_incomplete(name: str, capture: Read) -> None:
    body = capture(name)
    for cut in range(0, len(body) - 2, 97):
        try:
            report = read_report(body[:cut])
        except ReportError:
            continue
        assert report.source == "stream"
        assert not report.complete or b'"change_summary"' in body[:cut]
