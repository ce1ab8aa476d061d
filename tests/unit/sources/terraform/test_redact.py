"""Redaction: masks, sensitive variables and outputs, names and shapes; and what must stay readable."""

import base64
import json
from collections.abc import Callable
from typing import Any

import pytest

from driftband.model.report import Report
from driftband.sources.terraform import read_inventory, read_report, redacted
from driftband.sources.terraform.names import names_secret
from driftband.sources.terraform.shapes import is_secret, without_shapes

CANARY = "canary-hunter2"
Plan = Callable[..., bytes]


def sensitive(report: Report) -> dict[str, bool]:
    return {each.path: each.sensitive for each in report.drift[0].attributes}


def check(body: bytes, canary: str = CANARY) -> Report:
    """Read a plan, and see that the canary comes out neither there nor in the redacted plan, which reads the same."""
    report = read_report(body)
    safe = redacted(body)
    assert canary not in repr(report)
    assert canary not in safe.decode()
    assert read_report(safe) == report
    assert redacted(safe) == safe
    return report


@pytest.mark.parametrize(
    ("value", "mask"),
    [
        (CANARY, True),
        ({"b": CANARY, "c": 1}, {"b": True}),
        ({"b": CANARY, "c": 1}, True),
        (["public", CANARY], [False, True]),
        ([{"b": CANARY}], [{"b": True}]),
        # Masks of another form than the value: better too much than too little.
        (CANARY, {"b": True}),
        ([CANARY], {"b": True}),
        ({"b": CANARY}, [True]),
    ],
)
def test_masks_hide_before_and_after(value: Any, mask: Any, plan_of: Plan) -> None:
    for before, after in ((value, "other"), ("other", value), (value, None), (None, value)):
        report = check(plan_of({"a": before, "z": 1}, {"a": after, "z": 2}, mask={"a": mask}))
        assert sensitive(report)["z"] is False
        assert all(hidden for path, hidden in sensitive(report).items() if path not in ("z", "a.c"))
        assert len(report.drift[0].attributes) > 1


@pytest.mark.parametrize("side", ["before_sensitive", "after_sensitive"])
def test_a_mask_on_one_side_hides_both(side: str, plan_of: Plan) -> None:
    plan = json.loads(plan_of({"a": CANARY}, {"a": f"{CANARY}-new"}))
    plan["resource_drift"][0]["change"][side] = {"a": True}
    assert sensitive(check(json.dumps(plan).encode())) == {"a": True}


@pytest.mark.parametrize("action", ["update", "delete"])
def test_a_whole_resource_may_be_hidden(action: str, plan_of: Plan) -> None:
    plan = json.loads(plan_of({"a": CANARY, "n": 1}, {"a": "new", "n": 1}, mask=True))
    change = plan["resource_drift"][0]["change"]
    if action == "delete":
        change |= {"actions": ["delete"], "after": None, "after_sensitive": False}
    report = check(json.dumps(plan).encode())
    assert report.drift[0].attributes == () if action == "delete" else sensitive(report) == {"a": True}
    assert report.resources
    assert report.resources[0].attributes == {}
    assert report.resources[0].sensitive == ("a", "n")


def test_secrets_that_did_not_change_are_no_difference(plan_of: Plan) -> None:
    values = {"a": CANARY, "l": [CANARY, "x"], "n": None, "e": ""}
    assert check(plan_of(values, values, mask={"a": True, "l": True, "n": True})).drift[0].attributes == ()
    assert check(plan_of({"a": None}, {"a": ""}, mask={"a": True})).drift[0].normalised == ("a",)


def test_different_secrets_stay_different_in_the_redacted_plan(plan_of: Plan) -> None:
    mask = {"a": True, "b": True, "s": [True, True]}
    body = plan_of({"a": "one", "b": "same", "s": ["x", "y"]}, {"a": "two", "b": "same", "s": ["y", "x"]}, mask=mask)
    assert sensitive(check(body)) == {"a": True, "s": True}


@pytest.mark.parametrize(
    "elsewhere",
    [
        f"postgres://app/{CANARY}",
        ["x", CANARY],
        {"x": {"y": f"--pw {CANARY}"}},
        json.dumps({"x": CANARY}),
        base64.b64encode(CANARY.encode()).decode(),
    ],
)
@pytest.mark.parametrize(
    "where", ["variable", "nested variable", "default", "output", "prior output", "output change", "mask"]
)
def test_known_secrets_are_hidden_wherever_they_stand(where: str, elsewhere: Any, plan_of: Plan) -> None:
    output = {"o": {"sensitive": True, "value": {"x": [CANARY]}}}
    declared = {"root_module": {"variables": {"v": {"sensitive": True}, "w": {}}}}
    given: dict[str, Any] = {
        "variable": {"variables": {"v": {"value": CANARY}}, "configuration": declared},
        "nested variable": {"variables": {"v": {"value": {"a": ["b", {"c": CANARY}]}}}, "configuration": declared},
        "default": {"configuration": {"root_module": {"variables": {"v": {"sensitive": True, "default": CANARY}}}}},
        "output": {"planned_values": {"outputs": output}},
        "prior output": {"prior_state": {"values": {"outputs": output}}},
        "output change": {"output_changes": {"o": {"before": None, "after": CANARY, "after_sensitive": True}}},
        "mask": {},
    }[where]
    masked = {"m": CANARY} if where == "mask" else {}
    body = plan_of({"a": "x", "z": 1, **masked}, {"a": elsewhere, "z": 2, **masked}, mask={"m": True}, **given)
    found = sensitive(check(body))
    assert found.pop("z") is False
    assert found
    assert all(found.values())


def test_what_is_not_sensitive_stays(plan_of: Plan) -> None:
    given = {
        "variables": {"w": {"value": CANARY}, "v": {"value": "eu-central-1"}, "u": {"value": "true"}},
        "configuration": {"root_module": {"variables": {"w": {}, "v": {"sensitive": True}, "u": {"sensitive": True}}}},
        "planned_values": {"outputs": {"o": {"sensitive": False, "value": CANARY}}},
    }
    report = read_report(plan_of({"a": "x"}, {"a": f"{CANARY} in eu-central-1 is true"}, **given))
    assert sensitive(report) == {"a": False}


def test_short_secrets_are_hidden_where_they_stand_alone(plan_of: Plan) -> None:
    given = {
        "variables": {"v": {"value": "ab1x"}},
        "configuration": {"root_module": {"variables": {"v": {"sensitive": True}}}},
    }
    report = read_report(plan_of({"a": "x", "b": "x"}, {"a": "ab1x", "b": "cab1xy"}, **given))
    assert sensitive(report) == {"a": True, "b": False}


def test_long_secrets_are_hidden_inside_of_others(plan_of: Plan) -> None:
    secret = CANARY + "".join(f"{number:x}\n" for number in range(400))
    report = check(plan_of({"m": secret, "a": 1}, {"m": secret, "a": f"begin {secret} end"}, mask={"m": True}))
    assert sensitive(report) == {"a": True}


def test_the_password_of_a_hidden_url_is_known(plan_of: Plan) -> None:
    values = {"m": f"postgres://app:{CANARY}%21@db", "a": 1, "b": 1}
    assert sensitive(check(plan_of(values, {**values, "a": f"x{CANARY}!", "b": 2}, mask={"m": True}))) == {
        "a": True,
        "b": False,
    }


def test_secrets_in_keys_hide_what_they_stand_in(plan_of: Plan) -> None:
    body = plan_of({"m": CANARY, "t": {CANARY: 1}}, {"m": CANARY, "t": {CANARY: 2}, f"x {CANARY}": 1}, mask={"m": True})
    assert sensitive(check(body)) == {"t": True}
    # An attribute stays what it is called, though a secret be written like it.
    report = read_report(plan_of({"m": "engine", "engine": 1}, {"m": "engine", "engine": 2}, mask={"m": True}))
    assert sensitive(report) == {"engine": False}


def test_keys_of_instances_are_hidden_by_their_shape(plan_of: Plan) -> None:
    keys = ["ghp_" + "a1" * 15, "ghp_" + "b2" * 15]
    plan = json.loads(plan_of({"a": 1}, {"a": 2}))
    item = plan["resource_drift"][0]
    plan["resource_drift"] = [
        {**item, "address": f'module.m["{key}"].aws_thing.main["x.y"]'} for key in (*keys, keys[0])
    ]
    plan["resource_drift"][0]["previous_address"] = f'aws_thing.old["{keys[1]}"]'
    report = check(json.dumps(plan).encode(), "ghp_")
    assert [each.address for each in report.drift] == [
        f'module.m["{mark}"].aws_thing.main["x.y"]' for mark in ("<redacted>", "<redacted:2>", "<redacted>")
    ]
    assert report.renamed[0].source == 'aws_thing.old["<redacted:2>"]'


@pytest.mark.parametrize(
    "name",
    """
    password passwd db_password DB_PASSWORD PGPASSWORD masterUserPassword master_password dbpassword password_wo
    password_hash secret client_secret clientSecret secret_string secret_key secret_access_key AWS_SECRET_ACCESS_KEY
    access_key private_key private_key_pem privateKeyPem api_key apiKey APIKey apikey x-api-key auth_token token
    GITHUB_TOKEN access_token sas_token connection_string primary_connection_string tunnel1_preshared_key
    pre_shared_key account_key primary_access_key storage_account_access_key credentials kube_config_raw psk
    license_key passphrase token_value
    """.split(),  # noqa: SIM905 - words read best as words
)
def test_names_that_mean_a_secret(name: str, plan_of: Plan) -> None:
    assert names_secret(name)
    assert sensitive(check(plan_of({name: "x"}, {name: CANARY}))) == {name: True}
    assert sensitive(
        check(plan_of({"env": [{"name": name, "value": "x"}]}, {"env": [{"name": name, "value": CANARY}]}))
    ) == {"env[0].value": True}
    assert sensitive(check(plan_of({"j": "{}"}, {"j": json.dumps([{"name": name, "value": CANARY}])}))) == {"j": True}
    assert sensitive(check(plan_of({"j": "{}"}, {"j": json.dumps({"x": {name: CANARY}})}))) == {"j": True}


@pytest.mark.parametrize(
    "name",
    """
    password_wo_version token_ttl secret_id secret_arn secret_name password_length password_policy access_key_id
    kms_key_id public_key key_name token_endpoint token_url tokens http_tokens client_request_token creation_token
    next_token secret_version api_key_source api_key_id private_key_path password_rotation_days secretsmanager
    compass tokenizer bypass passive customer_master_key_spec token_type secrets credentials_id keyring monkey
    existing_secret image_pull_secret api_key_required private_key_algorithm key partition_key primary_key secret_ref
    service_account_token_creator_role
    """.split(),  # noqa: SIM905 - words read best as words
)
def test_names_that_only_speak_of_secrets(name: str, plan_of: Plan) -> None:
    assert not names_secret(name)
    report = read_report(plan_of({name: "x"}, {name: "required"}))
    assert report.drift[0].attributes[0].after == "required"


@pytest.mark.parametrize(
    "value",
    [
        "",
        "arn:aws:secretsmanager:eu-west-1:123456789012:secret:prod/db-AbCdEf",
        "projects/p/secrets/s/versions/1",
        "https://vault-1.vault.azure.net/secrets/x",
        "${data.x.y}",
        "true",
    ],
)
def test_a_reference_to_a_secret_is_none(value: str, plan_of: Plan) -> None:
    report = read_report(plan_of({"password": None, "z": 1}, {"password": value, "z": 2}))
    assert all(not hidden for hidden in sensitive(report).values())


def test_only_texts_are_hidden_by_name(plan_of: Plan) -> None:
    report = read_report(plan_of({"encrypted_password": True, "token": 1}, {"encrypted_password": False, "token": 2}))
    assert sensitive(report) == {"encrypted_password": False, "token": False}


SHAPES = [
    "-----BEGIN RSA PRIVATE KEY-----\nMIIEowIBAAKCAQEA\n-----END RSA PRIVATE KEY-----",
    "-----BEGIN PRIVATE KEY-----\nMIIE",
    "-----BEGIN OPENSSH PRIVATE KEY-----\nb3Bl",
    "AKIAIOSFODNN7EXAMPLE",
    "ASIAIOSFODNN7EXAMPLE",
    "aws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
    "AWS_SECRET_ACCESS_KEY=wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
    "ghp_0123456789abcdefghijABCDEFGHIJ012345",
    "gho_0123456789abcdefghijABCDEFGHIJ012345",
    "github_pat_11ABCDEFG0123456789abc_def",
    "glpat-abcdefghij0123456789",
    "xoxb-1234567890-abcdefghij",
    "https://hooks.slack.com/services/T000/B000/XXXXXXXX",
    "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.dozjgNryP4J3jVmNHl0w5N",
    "AIzaSyA1234567890abcdefghijklmnopqrstuv",
    "sk_live_4eC39HqLyjWDarjtT1zdp7dc",
    "npm_abcdefghijklmnopqrstuvwxyz0123456789",
    "md5359885b1dcdeb732e10bfe1a1118e2db",
    "SCRAM-SHA-256$4096:c2FsdA==$c3RvcmVk:c2VydmVy",
    "$2a$10$Eji18.Iuq.He2UkO4yqGLO9PiBWnL9TaTjwQPcrXJQWml.piuJfiO",
    "$6$rounds=5000$saltsalt$0123456789abcdefghijklmnopqrstuvwxyz",
    "$5$saltsalt$0123456789abcdefghijklmnopqrstuvwxyz",
    "$argon2id$v=19$m=65536,t=3,p=4$c29tZXNhbHQ$RdescudvJCsgt3ub",
    "postgres://app:hunter2@db.example/orders",
    "https://:x@host",
    "Authorization: Bearer abcdefghijklmnopqrstuvwxyz",
    "Authorization: Basic dXNlcjpwYXNz",
    "DefaultEndpointsProtocol=https;AccountName=a;AccountKey=abcdefghijklmnopqrstuvwx==",
    '{"db_password": "hunter2"}',
    '{"a": "{\\"password\\": \\"hunter2\\"}"}',
    "export DB_PASSWORD=hunter2",
    "host=db password=hunter2 user=app",
    "db:\n  password: hunter2\n",
    "https://x.example/a?sig=abcdefgh12345678",
    "hvs.CAESIAbcdefghijklmnopqrstuvwx",
]


@pytest.mark.parametrize("text", SHAPES)
def test_shapes_of_secrets_are_hidden(text: str, plan_of: Plan) -> None:
    assert is_secret(text)
    for value in (text, f"before {text} after", [text], {"x": {"y": text}}):
        report = check(plan_of({"a": None, "z": 1}, {"a": value, "z": 2}), text)
        assert sensitive(report).pop("z") is False
        assert any(sensitive(report).values())
    shown = without_shapes(f"before {text}")
    assert "<redacted>" in shown
    assert "hunter2" not in shown
    assert without_shapes(shown) == shown


@pytest.mark.parametrize(
    "text",
    [
        "-----BEGIN CERTIFICATE-----\nMIID\n-----END CERTIFICATE-----",
        "-----BEGIN PUBLIC KEY-----",
        "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABgQ dana@host",
        "arn:aws:secretsmanager:eu-west-1:123456789012:secret:prod/db-AbCdEf",
        json.dumps({"Statement": [{"Action": ["secretsmanager:GetSecretValue"], "Resource": "arn:aws:s3:::b/*"}]}),
        json.dumps({"Condition": {"Bool": {"aws:SecureTransport": "true"}}, "secretName": "db", "tokens": "required"}),
        "https://example.com:8080/path?page=2",
        "git@github.com:org/repo.git",
        "git::ssh://git@github.com/org/repo.git?ref=v1",
        "postgres://db.example:5432/orders",
        "482c189c0a4e97e793be7c627f72a3df",
        "BACXBuMomv0FDkPoF2rvCojql9lqJaJY70c0/l7JBNU=",
        "password authentication failed for user",
        "http_tokens = required",
        "password: ${var.password}",
        "PASSWORD=$DB_PASSWORD",
        "6d095418-7b12-7354-d530-ad73549a353a",
        "AKIA",
        "bearer of news",
        "$1,000",
        "max_connections = 20\n",
    ],
)
def test_ordinary_texts_stay(text: str, plan_of: Plan) -> None:
    report = read_report(plan_of({"a": None}, {"a": text}))
    assert report.drift[0].attributes[0].after == text
    assert without_shapes(text) == text


def test_a_nul_in_a_text_hides_it_and_nothing_else(plan_of: Plan) -> None:
    report = read_report(plan_of({"a": "x", "b": "y", "c": "z"}, {"a": "bin\0ary", "b": "plain text", "c": "more"}))
    assert sensitive(report) == {"a": True, "b": False, "c": False}


def test_states_are_redacted_as_plans_are() -> None:
    values = {
        "a": CANARY,
        "b": f"x{CANARY}",
        "l": [{"p": CANARY, "q": 1}],
        "password": "xyz",
        "t": {"k.1": "ghp_" + "a" * 36},
    }
    values |= {"w": {"value": "v", "type": ["object", {}]}, "ok": 1}
    resource = {"address": "x_y.z", "type": "x_y", "provider_name": "p", "values": values}
    shown = {
        "format_version": "1.0",
        "values": {"root_module": {"resources": [{**resource, "sensitive_values": {"a": True}}]}},
    }
    path = [{"type": "get_attr", "value": "a"}]
    deep = [{"type": "get_attr", "value": "l"}, {"type": "index", "value": {"value": 0, "type": "number"}}]
    deep += [{"type": "get_attr", "value": "p"}]
    instance = {"index_key": 'k"1', "attributes": values, "sensitive_attributes": [path, deep]}
    item = {"module": 'module.m["a.b"]', "mode": "managed", "type": "x_y", "name": "z", "provider": 'provider["p"]'}
    pulled = {"version": 4, "lineage": "l", "serial": 2, "resources": [{**item, "instances": [instance]}]}
    for document in (shown, pulled):
        body = json.dumps(document).encode()
        found = read_inventory(body)
        safe = redacted(body)
        for secret in (CANARY, "xyz", "ghp_"):
            assert secret not in repr(found) + safe.decode()
        assert read_inventory(safe) == found
        assert redacted(safe) == safe
        assert found.resources[0].sensitive == ("a", "b", "l[0].p", "password", 't["k.1"]')
        assert found.resources[0].attributes["l[0].q"] == 1
    assert found.resources[0].address == 'module.m["a.b"].x_y.z["k\\"1"]'
    assert found.resources[0].module == "m"
