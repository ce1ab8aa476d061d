"""By what an audit event may name a resource."""

from typing import Any

import pytest

from driftband.detect.identifiers import identifiers, is_weak
from driftband.model.report import Resource


def names(resource_type: str, **attributes: Any) -> tuple[str, ...]:
    flat = {key.replace("__", "[0]."): value for key, value in attributes.items()}
    resource = Resource(
        address=f"{resource_type}.this", resource_type=resource_type, module="", attributes=flat, tags={}
    )
    found = identifiers(resource)
    assert found[-1] == resource.address
    return found[:-1]


def test_ids_come_before_names_and_each_once() -> None:
    arn = "arn:aws:s3:::orders"
    assert names("aws_s3_bucket", name="x", id="orders", bucket="orders", arn=arn) == ("orders", arn, "x")


@pytest.mark.parametrize(
    ("resource_type", "namespace", "expected"),
    [
        ("kubernetes_deployment", "prod", ("deployments/prod/checkout", "prod/checkout")),
        ("kubernetes_deployment_v1", "prod", ("deployments/prod/checkout", "prod/checkout")),
        ("kubernetes_horizontal_pod_autoscaler_v2beta2", "prod",
         ("horizontalpodautoscalers/prod/checkout", "prod/checkout")),
        ("kubernetes_network_policy_v1", "prod", ("networkpolicies/prod/checkout", "prod/checkout")),
        ("kubernetes_cluster_role", None, ("clusterroles/checkout", "checkout")),
        ("kubernetes_something_new", "prod", ("prod/checkout",)),
    ],
)  # fmt: skip
def test_objects_of_kubernetes_go_by_kind_and_namespace(
    resource_type: str, namespace: str | None, expected: tuple[str, ...]
) -> None:
    assert names(resource_type, metadata__name="checkout", metadata__namespace=namespace) == expected


def test_a_part_goes_by_its_owner_and_other_references_do_not_count() -> None:
    assert names("aws_security_group_rule", id="sgrule-1", security_group_id="sg-1") == ("sgrule-1", "sg-1")
    assert names("aws_instance", id="i-1", vpc_security_group_ids="sg-1", subnet_id="subnet-1") == ("i-1",)
    assert names("aws_s3_object", id="key", bucket="orders") == ("key",)


def test_only_texts_are_names() -> None:
    assert names("aws_thing", id=4711, name=None, arn="", bucket=["x"]) == ()


@pytest.mark.parametrize(
    "name",
    ["main", "Default", "this", "web", "db", "12345", "210987654321", "10.0.0.1", "eu-central-1", "us-east-1a",
     "europe-west1-b", "production", "", "----------"],
)  # fmt: skip
def test_weak_names(name: str) -> None:
    assert is_weak(name)


@pytest.mark.parametrize(
    "name", ["orders", "shard_1", "sg-0a1b2c3d", "prod/checkout", "i-0123456789abcdef0", "checkout"]
)
def test_names_that_tell_things_apart(name: str) -> None:
    assert not is_weak(name)
