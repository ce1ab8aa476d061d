"""CloudTrail's records: who, what, on which resource; and no secret of them."""

from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftband.model.audit import AuditEvent
from driftband.model.moment import parse_moment
from driftband.sources.audit import AuditError, read_audit_events
from driftband.sources.audit.mentions import MOST_MENTIONS, mentions

SAMPLES = Path(__file__).parent / "samples"
ACCOUNT = "210987654321"


def sample(name: str) -> Any:
    return orjson.loads((SAMPLES / f"{name}.json").read_bytes())


def read(document: Any) -> tuple[AuditEvent, ...]:
    return read_audit_events(orjson.dumps(document))


@pytest.fixture
def record() -> Any:
    return sample("eventbridge_security_group")["detail"]


def records() -> dict[str, AuditEvent]:
    return {event.action: event for event in read(sample("cloudtrail_records"))}


def test_an_event_as_eventbridge_delivers_it() -> None:
    (event,) = read(sample("eventbridge_security_group"))
    assert event == AuditEvent(
        id="c8a3b2de-1111-4c4c-8d8d-222222222222",
        at=parse_moment("2026-11-24T09:58:12Z"),
        actor=f"arn:aws:iam::{ACCOUNT}:role/Operations (session dana@example.com)",
        action="ec2:AuthorizeSecurityGroupIngress",
        resources=("sg-0a1b2c3d4e5f60718", "sgr-0f1e2d3c4b5a69788"),
        source="cloudtrail",
        read_only=False,
    )


def test_the_same_event_in_every_wrapping_is_the_same_event(record: Any) -> None:
    delivered = sample("eventbridge_security_group")
    (event,) = read(delivered)
    for document in ([delivered], record, [record], {"Records": [record]}, {"events": [delivered]}):
        assert read(document) == (event,)


@pytest.mark.parametrize(
    ("action", "actor", "read_only"),
    [
        ("rds:ModifyDBInstance", f"arn:aws:iam::{ACCOUNT}:user/ops/erik", False),
        ("secretsmanager:PutSecretValue", f"root of {ACCOUNT}", False),
        ("autoscaling:TerminateInstanceInAutoScalingGroup", "autoscaling.amazonaws.com", False),
        ("ec2:DescribeInstances", f"arn:aws:iam::{ACCOUNT}:user/ops/erik", True),
        ("s3:DeleteBucketPolicy", f"arn:aws:iam::{ACCOUNT}:user/ops/erik", True),
    ],
)
def test_who_did_what_and_whether_it_changed_anything(action: str, actor: str, *, read_only: bool) -> None:
    event = records()[action]
    assert (event.actor, event.read_only) == (actor, read_only)


def test_resources_are_found_where_services_name_them() -> None:
    found = records()
    assert {"orders-primary", f"arn:aws:rds:eu-central-1:{ACCOUNT}:db:orders-primary"} <= set(
        found["rds:ModifyDBInstance"].resources
    )
    assert "arn:aws:s3:::orders-exports-prod" in found["s3:DeleteBucketPolicy"].resources
    assert "orders-exports-prod" in found["s3:DeleteBucketPolicy"].resources
    assert f"arn:aws:secretsmanager:eu-central-1:{ACCOUNT}:secret:orders/api-AbCdEf" in (
        found["secretsmanager:PutSecretValue"].resources
    )
    assert "i-0123456789abcdef0" in found["autoscaling:TerminateInstanceInAutoScalingGroup"].resources
    assert "orders-export" in found["lambda:UpdateFunctionConfiguration20150331v2"].resources


@pytest.mark.parametrize("name", ["cloudtrail_records", "eventbridge_security_group"])
def test_no_secret_gets_in(name: str) -> None:
    text = repr(read(sample(name)))
    assert "canary" not in text.lower()
    assert "AKIA" not in text


SECRET_KEYS = [
    "password", "masterUserPassword", "secretString", "SecretBinary", "policyDocument", "policy", "authToken", "token_id",
    "privateKey", "userData", "environment", "credentials", "plaintext", "accessKeyId", "secretAccessKey", "secret_id",
    "parameterValue", "value", "certificateBody", "requestId", "x-amz-id-2",
]  # fmt: skip


@pytest.mark.parametrize("key", SECRET_KEYS)
@pytest.mark.parametrize("wrap", [lambda v: v, lambda v: [v], lambda v: {"name": v}, lambda v: {"a": [{"id": v}]}])
def test_what_stands_under_a_key_that_means_a_secret_is_not_looked_at(key: str, wrap: Any) -> None:
    assert mentions({"request": {key: wrap("hunter2-canary")}}) == ()


@pytest.mark.parametrize(
    "value",
    [
        "AKIAIOSFODNN7EXAMPLE",
        "https://user:hunter2@host.example/q",
        "-----BEGIN PRIVATE KEY-----",
        "ghp_0123456789abcdefghij0123456789abcdef",
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.x",
        "HIDDEN_DUE_TO_SECURITY_REASONS",
        "****",
        '{"Statement": []}',
        "two\nlines",
        "210987654321",
        "nul\x00byte",
        "x" * 513,
        "",
    ],
)
def test_a_value_that_is_no_name_is_left_out_even_under_a_name_s_key(value: str) -> None:
    assert mentions({"userName": value, "id": value}) == ()


def test_a_signed_query_is_cut_off_an_address() -> None:
    assert mentions({"queueUrl": "https://sqs.example/1/orders?X-Amz-Signature=abc"}) == (
        "https://sqs.example/1/orders",
    )


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
)


@given(json_values)
def test_secrets_stay_out_however_deep_they_stand(inner: Any) -> None:
    document = {"requestParameters": {"password": {"name": "hunter2-canary", "more": inner, "id": ["hunter2-canary"]}}}
    assert "hunter2-canary" not in mentions(document)


@given(json_values)
def test_any_document_gives_bounded_single_names(document: Any) -> None:
    found = mentions(document, document)
    assert len(found) == len(set(found)) <= MOST_MENTIONS
    assert all(0 < len(name) <= 512 and name.isprintable() for name in found)


def test_mentions_are_bounded_and_the_outermost_come_first() -> None:
    found = mentions(
        {"inner": {"items": [{"instanceId": f"i-{n:08x}"} for n in range(1000)]}, "groupId": "sg-00000001"}
    )
    assert len(found) == MOST_MENTIONS
    assert found[0] == "sg-00000001"


def test_deep_nesting_is_taken_or_refused_and_crashes_nothing(record: Any) -> None:
    nested: Any = {"instanceId": "i-0123456789abcdef0"}
    for _ in range(400):
        nested = {"inner": [nested]}
    record["requestParameters"] = nested
    text = orjson.dumps(record | {"requestParameters": None})
    deep = text.replace(b'"requestParameters":null', b'"requestParameters":' + b"[" * 900 + b"]" * 900)
    assert read_audit_events(deep)
    deeper = text.replace(b'"requestParameters":null', b'"requestParameters":' + b"[" * 99_999 + b"]" * 99_999)
    with pytest.raises(AuditError, match="expected JSON"):
        read_audit_events(deeper)
    assert "i-0123456789abcdef0" in mentions(nested)


@pytest.mark.parametrize(
    ("identity", "actor"),
    [
        ({"type": "FederatedUser", "arn": "arn:aws:sts::1:federated-user/dana"}, "arn:aws:sts::1:federated-user/dana"),
        ({"type": "AWSAccount", "accountId": "12", "principalId": "AIDAX"}, "account 12 (AIDAX)"),
        ({"type": "SAMLUser", "userName": "dana", "principalId": "p"}, "dana"),
        ({"type": "IdentityCenterUser", "onBehalfOf": {"userId": "u-1"}}, "Identity Center user u-1"),
        ({"type": "IAMUser", "arn": "arn:aws:iam::1:user/a", "invokedBy": "cloudformation.amazonaws.com"},
         "arn:aws:iam::1:user/a through cloudformation.amazonaws.com"),
        ({"type": "AssumedRole", "arn": "arn:aws:sts::1:assumed-role/R/s",
          "sessionContext": {"sourceIdentity": "erik", "sessionIssuer": {"arn": "arn:aws:iam::1:role/R"}}},
         "arn:aws:iam::1:role/R (session s, source identity erik)"),
        ({"type": "AssumedRole", "arn": "arn:aws:sts::1:assumed-role/R/s"}, "arn:aws:sts::1:assumed-role/R (session s)"),
        ({"invokedBy": "rds.amazonaws.com"}, "rds.amazonaws.com"),
        (None, "unknown"),
    ],
)  # fmt: skip
def test_actors_of_every_type(record: Any, identity: Any, actor: str) -> None:
    (event,) = read(record | {"userIdentity": identity})
    assert event.actor == actor


@pytest.mark.parametrize(
    ("change", "read_only"),
    [
        ({"readOnly": None, "eventName": "GetObject"}, True),
        ({"readOnly": None, "eventName": "GetawayCreate"}, False),
        ({"readOnly": False, "eventName": "ListAndDelete"}, False),
        ({"readOnly": "true", "eventName": "PutX"}, True),
        ({"errorCode": "Client.UnauthorizedOperation"}, True),
    ],
)
def test_reads_and_failed_calls_changed_nothing(record: Any, change: Any, *, read_only: bool) -> None:
    (event,) = read(record | change)
    assert event.read_only is read_only


def test_without_an_id_the_same_record_is_the_same_event(record: Any) -> None:
    del record["eventID"]
    (first,), (again,) = read(record), read([record])
    (other,) = read(record | {"eventTime": "2026-11-24T09:58:13Z"})
    assert first.id == again.id != other.id


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ({"Records": [{"eventName": "X", "eventSource": "y", "eventTime": "yesterday"}]},
         r"^Records\[0\]\.eventTime: expected an RFC 3339 time"),
        ([{"eventName": "X"}], r"^\[0\]\.eventSource: expected a text, got nothing"),
        ({"detail-type": "AWS API Call via CloudTrail"}, r"^detail: expected CloudTrail's record"),
        ({"detail-type": "EC2 Instance State-change Notification", "detail": {"a": 1}}, r"^detail-type: expected"),
        ({"Records": [{"eventName": "X", "eventSource": "y", "eventTime": "2026-11-24T09:58:13Z", "userIdentity": "me"}]},
         r"^Records\[0\]\.userIdentity: expected a JSON object, got another text"),
        ({"Records": {"a": 1}}, r"^Records: expected a list, got an object"),
        ({"Records": [3]}, r"^Records\[0\]: expected a JSON object, got a number"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_with_its_place(document: Any, message: str) -> None:
    with pytest.raises(AuditError, match=message):
        read(document)
