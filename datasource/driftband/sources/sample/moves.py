"""What has moved in the shop's cloud without its code: by hand, by an autoscaler, by a provider's quirk."""

from dataclasses import dataclass

from driftband.model.attribute import AttributeDiff
from driftband.model.report import Drifted, Planned, Resource
from driftband.sources.sample.estate import CHECKOUT, DATA, NETWORK
from driftband.sources.sample.shapes import DAY_MINUTES

_HOUR = 60


@dataclass(frozen=True, kw_only=True)
class Move:
    """One resource that is not as declared, from ``begins`` on; minutes after the anchor.

    path, before, after: what is different; without a path the resource has gone. only_written: nothing but how nothing
    is written has moved. ends: when it was put back. accepted: when an ``apply -refresh-only`` took it into the state.
    actor, action, mentions: the audit event that tells of it, where there is one.
    """

    workspace: str
    address: str
    path: str = ""
    before: object = None
    after: object = None
    only_written: bool = False
    begins: int
    ends: int | None = None
    accepted: int | None = None
    actor: str = ""
    action: str = ""
    mentions: tuple[str, ...] = ()

    def there(self, at: int) -> bool:
        """Whether reality is not what was declared in the beginning."""
        return self.begins <= at and (self.ends is None or at < self.ends)

    def taken_over(self, at: int) -> bool:
        """Whether the state says so too."""
        return self.there(at) and self.accepted is not None and self.accepted <= at

    def drifted(self, resource: Resource) -> Drifted:
        """Return what a plan's ``resource_drift`` would tell."""
        return Drifted(
            address=resource.address,
            resource_type=resource.resource_type,
            module=resource.module,
            action="update" if self.path else "delete",
            attributes=(AttributeDiff(path=self.path, before=self.before, after=self.after),)
            if self.path and not self.only_written
            else (),
            normalised=(self.path,) if self.only_written else (),
        )

    def planned(self, resource: Resource) -> Planned:
        """Return what a normal plan would do: put it back."""
        return Planned(
            address=resource.address,
            resource_type=resource.resource_type,
            module=resource.module,
            actions=("update",) if self.path else ("create",),
            attributes=(AttributeDiff(path=self.path, before=self.after, after=self.before),) if self.path else (),
        )


_WORKERS = "module.workers.aws_autoscaling_group.emails"
_NODES = "module.cluster.aws_eks_node_group.shop"
_SIZE = "scaling_config[0].desired_size"

OPEN = (
    Move(
        workspace=NETWORK,
        address="module.edge.aws_security_group.shop",
        path="ingress[0].cidr_blocks",
        before=["10.20.0.0/16"],
        after=["10.20.0.0/16", "0.0.0.0/0"],
        begins=-19 * _HOUR - 18,
        actor="milan",
        action="ec2:AuthorizeSecurityGroupIngress",
        mentions=("sg-0d3f8b6a1c27e9054",),
    ),
    Move(
        workspace=CHECKOUT,
        address="module.db.aws_db_instance.main",
        path="instance_class",
        before="db.r6g.large",
        after="db.r6g.2xlarge",
        begins=41,
        actor="dana",
        action="rds:ModifyDBInstance",
        mentions=("arn:aws:rds:eu-west-1:111122223333:db:checkout-demo", "checkout-demo"),
    ),
    Move(workspace=DATA, address="module.orders.aws_sqs_queue.dead_letter", begins=-2 * DAY_MINUTES - 75),
    Move(
        workspace=CHECKOUT,
        address="module.app.kubernetes_horizontal_pod_autoscaler_v2.checkout",
        path="spec[0].max_replicas",
        before=6,
        after=10,
        begins=-4 * DAY_MINUTES - 50,
        accepted=-3 * DAY_MINUTES - 20,
        actor="jonas",
        action="patch",
        mentions=("horizontalpodautoscalers/shop/checkout",),
    ),
    Move(workspace=NETWORK, address=_NODES, path=_SIZE, before=2, after=3, begins=-7 * DAY_MINUTES - 40),
    Move(
        workspace=NETWORK,
        address="module.vpc.aws_route_table.private",
        path="propagating_vgws",
        only_written=True,
        begins=-6 * DAY_MINUTES - 50,
    ),
)
"""What is there to this day."""

_OVER = (
    Move(
        workspace=NETWORK,
        address="aws_route53_record.shop",
        path="ttl",
        before=300,
        after=60,
        begins=-17 * DAY_MINUTES + 30,
        ends=-16 * DAY_MINUTES + 200,
        actor="milan",
        action="route53:ChangeResourceRecordSets",
        mentions=("Z0148_shop.example_A",),
    ),
    Move(
        workspace=DATA,
        address="aws_s3_bucket_public_access_block.receipts",
        path="block_public_acls",
        before=True,
        after=False,
        begins=-10 * DAY_MINUTES + 70,
        ends=-9 * DAY_MINUTES - 100,
        actor="aisha",
        action="s3:PutBucketPublicAccessBlock",
        mentions=("shop-demo-receipts",),
    ),
    *(
        Move(
            workspace=DATA,
            address=_WORKERS,
            path="desired_capacity",
            before=2,
            after=size,
            begins=-day * DAY_MINUTES - 5 * _HOUR,
            ends=-day * DAY_MINUTES + 5 * _HOUR,
        )
        for day, size in ((13, 5), (8, 4), (3, 6))
    ),
    Move(
        workspace=CHECKOUT,
        address="module.app.kubernetes_config_map_v1.checkout",
        path="data.LOG_LEVEL",
        before="info",
        after="debug",
        begins=-5 * DAY_MINUTES - 130,
        ends=-5 * DAY_MINUTES + 600,
        actor="dana",
        action="patch",
        mentions=("configmaps/shop/checkout",),
    ),
)

MOVES = (*OPEN, *_OVER)

RULE = {
    "workspace": NETWORK,
    "address": "",
    "resource_type": "aws_eks_node_group",
    "attribute": _SIZE,
    "reason": "the cluster autoscaler sets the size of the node group",
    "owner": "platform",
}
RULE_MADE, RULE_EXPIRES = -7 * DAY_MINUTES + 5 * _HOUR, 30 * DAY_MINUTES
"""The ignore rule for the node group's size, and when it was made and ends (minutes after the anchor)."""

PENDING = Planned(
    address="module.app.kubernetes_deployment_v1.checkout",
    resource_type="kubernetes_deployment_v1",
    module="app",
    actions=("update",),
    attributes=(
        AttributeDiff(
            path="spec[0].template[0].spec[0].container[0].memory",
            before="1Gi",
            after="1536Mi",
        ),
    ),
)
PENDING_FROM = 50
"""A change of checkout that is merged and not applied, from so many minutes after the anchor."""
