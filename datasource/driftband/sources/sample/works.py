"""Who changed the shop, as CI tells it: releases, applies of Terraform, and what was done by hand on purpose.

The incident is an apply that makes the database pool of checkout too small, and the apply that restores it; the leak is
a release of recommendation. The rest is what happens in any three weeks.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

from driftband.model.attribute import AttributeDiff
from driftband.model.change import Change, ChangeKind, Touched
from driftband.model.moment import from_ms
from driftband.model.report import Resource
from driftband.sources.sample.estate import CHECKOUT, DATA, ENVIRONMENT, NETWORK, POOL_SIZE, TEAMS
from driftband.sources.sample.script import FLAG_AFTER, INCIDENT_MINUTES, LEAK_BEFORE, SMALL_POOL, Script
from driftband.sources.sample.shapes import DAY_MINUTES, MINUTE, fraction
from driftband.sources.sample.shop import POOL, SERVICES

_PEOPLE = ("aisha", "dana", "jonas", "milan")
_ROLLS_OUT = 9
"""Minutes that a release takes: one pod after the other."""
_CONFIG_MAP = "module.app.kubernetes_config_map_v1.checkout"
_PARAMETERS = "module.db.aws_db_parameter_group.main"
_SMALL, _USUAL = str(SMALL_POOL), str(POOL)


@dataclass(frozen=True, kw_only=True)
class Apply:
    """An apply that updates attributes. begins: minutes after the anchor. moves: (address, path, before, after)."""

    workspace: str
    begins: int
    takes: int = 3
    actor: str
    summary: str
    moves: tuple[tuple[str, str, object, object], ...]

    @property
    def commit(self) -> str:
        """The commit that was applied."""
        return commit_of(f"{self.workspace}/{self.summary}")


APPLIES = (
    Apply(
        workspace=NETWORK,
        begins=-19 * DAY_MINUTES,
        actor="jonas",
        summary="longer idle timeout of the load balancer (#118)",
        moves=(("module.edge.aws_lb.shop", "idle_timeout", 60, 75),),
    ),
    Apply(
        workspace=DATA,
        begins=-15 * DAY_MINUTES + 95,
        actor="aisha",
        summary="keep backups of the catalog for 21 days (#121)",
        moves=(("module.catalog_db.aws_rds_cluster.this", "backup_retention_period", 14, 21),),
    ),
    Apply(
        workspace=CHECKOUT,
        begins=-9 * DAY_MINUTES + 130,
        actor="dana",
        summary="sessions of two hours for checkout's role (#127)",
        moves=(("aws_iam_role.checkout", "max_session_duration", 3600, 7200),),
    ),
    Apply(
        workspace=NETWORK,
        begins=-6 * DAY_MINUTES - 65,
        takes=14,
        actor="milan",
        summary="Kubernetes 1.32 (#130)",
        moves=(("module.cluster.aws_eks_cluster.shop", "version", "1.31", "1.32"),),
    ),
    Apply(
        workspace=DATA,
        begins=-1 * DAY_MINUTES - 230,
        actor="jonas",
        summary="orders stay hidden for 90 s (#135)",
        moves=(("module.orders.aws_sqs_queue.orders", "visibility_timeout_seconds", 60, 90),),
    ),
    Apply(
        workspace=CHECKOUT,
        begins=-3,
        takes=6,
        actor="dana",
        summary="fewer database connections for each pod of checkout (#137)",
        moves=((_CONFIG_MAP, POOL_SIZE, _USUAL, _SMALL), (_PARAMETERS, "parameter[0].value", "100", "30")),
    ),
    Apply(
        workspace=CHECKOUT,
        begins=INCIDENT_MINUTES - 3,
        takes=6,
        actor="aisha",
        summary='Revert "fewer database connections for each pod of checkout (#137)"',
        moves=((_CONFIG_MAP, POOL_SIZE, _SMALL, _USUAL), (_PARAMETERS, "parameter[0].value", "30", "100")),
    ),
)
"""The last two are the incident; the others are decoys."""

_OTHERS: tuple[tuple[int, ChangeKind, str, str, str], ...] = (
    (-12 * DAY_MINUTES + 75, "other", "load test of catalog, half of the usual load on top", "milan", "catalog"),
    (-4 * DAY_MINUTES - 100, "manual", "receipts of July sent again by hand", "jonas", "payment"),
    (-2 * DAY_MINUTES + 40, "other", "feature flag new-basket on for a tenth of the customers", "aisha", "cart"),
    (
        FLAG_AFTER - 1,
        "other",
        "feature flag bought-together on: recommendation looks into the cart",
        "aisha",
        "recommendation",
    ),
)


def changes(script: Script, first: int, estate: Mapping[str, Mapping[str, Resource]]) -> Iterator[Change]:
    """Yield what somebody did from the day ``first`` (days since the epoch) until the day after the anchor's."""
    for apply in APPLIES:
        yield _applied(script, apply, estate[apply.workspace])
    for day in range(first, script.anchor // DAY_MINUTES + 2):
        for usual in SERVICES:
            for minute in script.releases(usual.name, day):
                yield _release(usual.name, minute)
    yield _release("recommendation", script.anchor - LEAK_BEFORE)
    for begins, kind, summary, actor, service in _OTHERS:
        yield _change(
            "ops", kind, script.anchor + begins, 20, actor=actor, summary=summary, identity=_identity(service)
        )


def commit_of(key: str) -> str:
    """Return the commit that belongs to ``key``."""
    return blake2b(f"commit/{key}".encode(), digest_size=20).hexdigest()[:12]


def _applied(script: Script, apply: Apply, resources: Mapping[str, Resource]) -> Change:
    touched: dict[str, list[AttributeDiff]] = {}
    for address, path, before, after in apply.moves:
        touched.setdefault(address, []).append(AttributeDiff(path=path, before=before, after=after))
    tags = resources[apply.moves[0][0]].tags
    return _change(
        "infra",
        "terraform_apply",
        script.anchor + apply.begins,
        apply.takes,
        workspace=apply.workspace,
        commit=apply.commit,
        actor=apply.actor,
        summary=apply.summary,
        identity={**ENVIRONMENT, **{name: tags[name] for name in ("service", "team") if name in tags}},
        resources=tuple(_touched(resources[address], diffs) for address, diffs in touched.items()),
    )


def _touched(resource: Resource, diffs: list[AttributeDiff]) -> Touched:
    return Touched(
        address=resource.address,
        type=resource.resource_type,
        module=resource.module,
        module_version=resource.module_version,
        actions=("update",),
        attributes=tuple(diffs),
    )


def _release(service: str, minute: int) -> Change:
    key = f"release/{service}/{minute}"
    return _change(
        service,
        "deploy",
        minute - 2,
        _ROLLS_OUT,
        commit=commit_of(key),
        actor=_PEOPLE[int(fraction(key) * len(_PEOPLE))],
        summary=f"{service} 1.{minute // (7 * DAY_MINUTES) % 100}.{minute % 7}",
        identity=_identity(service),
    )


def _change(repository: str, kind: ChangeKind, minute: int, takes: int, **facts: Any) -> Change:
    number = minute % 1_000_000
    return Change(
        id=f"{repository}-{number}",
        kind=kind,
        started_at=from_ms(minute * MINUTE),
        ended_at=from_ms((minute + takes) * MINUTE),
        url=f"https://ci.example/{repository}/runs/{number}",
        **facts,
    )


def _identity(service: str) -> dict[str, str]:
    return {**ENVIRONMENT, "service": service, "team": TEAMS[service]}
