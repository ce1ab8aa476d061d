"""What the shop has declared in Terraform: three workspaces with some thirty resources, as their states would show them."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from driftband.model.attribute import leaves
from driftband.model.report import Resource

NETWORK, CHECKOUT, DATA = "prod/network", "prod/checkout", "prod/data"
LINEAGES: Mapping[str, str] = {
    NETWORK: "6f1d2c0a-0b51-4c35-9d0e-5f6f2f1c7a01",
    CHECKOUT: "c3a9e7b4-7d1e-4b53-8a3c-0c2b9a4f1e02",
    DATA: "1e8b54d7-2f6a-49d8-b1f7-93d0a6c5b703",
}
ENVIRONMENT = {"env": "demo", "region": "eu-west-1"}
"""Identity labels of every workspace: what the labels of the sample metrics say too."""
TEAMS: Mapping[str, str] = {
    "frontend": "storefront",
    "cart": "storefront",
    "checkout": "payments",
    "payment": "payments",
    "catalog": "discovery",
    "recommendation": "discovery",
}
POOL_SIZE = "data.DB_POOL_SIZE"

_VERSIONS = {
    "vpc": "5.13.0",
    "edge": "2.1.3",
    "cluster": "20.24.0",
    "app": "3.4.1",
    "db": "2.4.0",
    "orders": "4.2.1",
    "emails": "4.2.1",
    "catalog_db": "9.10.0",
    "payment_db": "2.4.0",
    "cache": "1.4.0",
    "workers": "7.7.0",
}
_ARN = "arn:aws:{}:eu-west-1:111122223333:{}"
_SHOP = {"metadata": [{"name": "checkout", "namespace": "shop"}]}

_NETWORK: Mapping[str, Mapping[str, Any]] = {
    "module.vpc.aws_vpc.this": {"id": "vpc-0a41c7d29e5b8f310", "cidr_block": "10.20.0.0/16"},
    'module.vpc.aws_subnet.private["eu-west-1a"]': {"id": "subnet-07d1e6a2b94c3f581", "cidr_block": "10.20.0.0/20"},
    'module.vpc.aws_subnet.private["eu-west-1b"]': {"id": "subnet-0c85f3b17a2d9e640", "cidr_block": "10.20.16.0/20"},
    "module.vpc.aws_route_table.private": {"id": "rtb-09b2d4e6f81a3c570", "vpc_id": "vpc-0a41c7d29e5b8f310"},
    "module.vpc.aws_nat_gateway.this": {"id": "nat-03e9c1a7b56d2f840", "connectivity_type": "public"},
    "module.edge.aws_lb.shop": {"id": _ARN.format("elasticloadbalancing", "loadbalancer/app/shop/50dc6c495c0c9188"), "idle_timeout": 60},
    "module.edge.aws_lb_listener.https": {"port": 443, "ssl_policy": "ELBSecurityPolicy-TLS13-1-2-2021-06"},
    "module.edge.aws_security_group.shop": {
        "id": "sg-0d3f8b6a1c27e9054",
        "name": "shop-edge",
        "ingress": [{"from_port": 8443, "to_port": 8443, "protocol": "tcp", "cidr_blocks": ["10.20.0.0/16"]}],
    },
    "aws_route53_record.shop": {"id": "Z0148_shop.example_A", "name": "shop.example", "type": "A", "ttl": 300},
    "aws_acm_certificate.shop": {"domain_name": "shop.example", "validation_method": "DNS"},
    "module.cluster.aws_eks_cluster.shop": {"id": "shop-demo", "name": "shop-demo", "version": "1.31"},
    "module.cluster.aws_eks_node_group.shop": {
        "id": "shop-demo:general",
        "instance_types": ["m6i.large"],
        "scaling_config": [{"desired_size": 2, "max_size": 6, "min_size": 2}],
    },
}  # fmt: skip

_CHECKOUT: Mapping[str, Mapping[str, Any]] = {
    "module.app.kubernetes_deployment_v1.checkout": {
        **_SHOP,
        "spec": [{"replicas": 2, "template": [{"spec": [{"container": [{"name": "checkout", "memory": "1Gi"}]}]}]}],
    },
    "module.app.kubernetes_config_map_v1.checkout": {**_SHOP, "data": {"DB_POOL_SIZE": "40", "LOG_LEVEL": "info"}},
    "module.app.kubernetes_horizontal_pod_autoscaler_v2.checkout": {
        **_SHOP,
        "spec": [{"min_replicas": 2, "max_replicas": 6}],
    },
    "module.app.kubernetes_service_v1.checkout": {**_SHOP, "spec": [{"type": "ClusterIP", "port": [{"port": 8080}]}]},
    "module.db.aws_db_parameter_group.main": {
        "id": "checkout-postgres15",
        "name": "checkout-postgres15",
        "family": "postgres15",
        "parameter": [{"name": "max_connections", "value": "100"}],
    },
    "module.db.aws_db_instance.main": {
        "id": "checkout-demo",
        "identifier": "checkout-demo",
        "arn": _ARN.format("rds", "db:checkout-demo"),
        "engine": "postgres",
        "engine_version": "15.8",
        "instance_class": "db.r6g.large",
        "allocated_storage": 200,
    },
    "module.db.aws_security_group.db": {"id": "sg-04b7e1d9a3c652f80", "name": "checkout-db"},
    "aws_iam_role.checkout": {"id": "checkout-demo-pod", "name": "checkout-demo-pod", "max_session_duration": 3600},
}

_DATA: Mapping[str, Mapping[str, Any]] = {
    "module.orders.aws_sqs_queue.orders": {"name": "shop-orders", "visibility_timeout_seconds": 60},
    "module.orders.aws_sqs_queue.dead_letter": {"name": "shop-orders-dlq", "message_retention_seconds": 1_209_600},
    "module.emails.aws_sqs_queue.emails": {"name": "shop-emails", "visibility_timeout_seconds": 30},
    "module.catalog_db.aws_rds_cluster.this": {"id": "catalog-demo", "cluster_identifier": "catalog-demo", "backup_retention_period": 14},
    "module.catalog_db.aws_rds_cluster_instance.this[0]": {"identifier": "catalog-demo-0", "instance_class": "db.r6g.large"},
    "module.catalog_db.aws_rds_cluster_instance.this[1]": {"identifier": "catalog-demo-1", "instance_class": "db.r6g.large"},
    "module.payment_db.aws_db_instance.main": {"identifier": "payment-demo", "instance_class": "db.t4g.medium"},
    "module.cache.aws_elasticache_replication_group.cart": {"id": "cart-demo", "num_cache_clusters": 2},
    "module.workers.aws_autoscaling_group.emails": {"name": "emails-workers", "desired_capacity": 2, "max_size": 8},
    "aws_s3_bucket.receipts": {"id": "shop-demo-receipts", "bucket": "shop-demo-receipts", "force_destroy": False},
    "aws_s3_bucket_public_access_block.receipts": {"id": "shop-demo-receipts", "block_public_acls": True},
}  # fmt: skip

# By the last name of an address, without instance keys: a name that is in none of these belongs to the platform.
_SERVICES = {
    "orders": "checkout",
    "dead_letter": "checkout",
    "emails": "payment",
    "catalog_db": "catalog",
    "payment_db": "payment",
    "cart": "cart",
    "receipts": "payment",
}


def estate() -> dict[str, dict[str, Resource]]:
    """Return the resources as they were declared in the beginning, by workspace and address."""
    listed = ((NETWORK, _NETWORK), (CHECKOUT, _CHECKOUT), (DATA, _DATA))
    return {workspace: {r.address: r for r in _resources(workspace, declared)} for workspace, declared in listed}


def _resources(workspace: str, declared: Mapping[str, Mapping[str, Any]]) -> Iterator[Resource]:
    for address, values in declared.items():
        parts = address.partition("[")[0].split(".")
        module = parts[1] if parts[0] == "module" else ""
        yield Resource(
            address=address,
            resource_type=parts[-2],
            module=module,
            module_version=_VERSIONS.get(module, ""),
            provider=f"registry.terraform.io/hashicorp/{parts[-2].partition('_')[0]}",
            attributes=dict(leaves(dict(values))),
            tags=_tags(workspace, (module, parts[-1])),
        )


def _tags(workspace: str, names: Sequence[str]) -> dict[str, str]:
    service = "checkout" if workspace == CHECKOUT else next((_SERVICES[n] for n in names if n in _SERVICES), "")
    tags = {"managed-by": "terraform", "team": TEAMS.get(service, "platform")}
    return {**tags, "service": service} if service else tags
