"""What always moves is proposed to be ignored, and what matters never is."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftband.detect.noise import Move, Proposal, propose
from driftband.model.ignore import Ignore
from driftband.model.moment import parse_moment

START = parse_moment("2026-11-01T12:00:00Z")


def moves(
    path: str, days: Iterable[float], values: Iterable[Any], address: str = "aws_thing.a", **more: Any
) -> list[Move]:
    fields = {"workspace": "prod", "resource_type": "aws_thing", **more}
    return [
        Move(address=address, path=path, at=START + timedelta(days=day), after=value, **fields)
        for day, value in zip(days, values, strict=True)
    ]


def one(history: list[Move]) -> Proposal | None:
    found = propose(history)
    assert len(found) <= 1
    return found[0] if found else None


@pytest.mark.parametrize(
    ("days", "values", "proposed"),
    [
        ([0, 1, 2, 2.1], [1, 2, 1, 2], True),
        ([0, 0.1, 1, 1.1], [1, 2, 1, 2], False),
        ([0, 0.1, 0.2, 0.3], [1, 2, 3, 4], True),
        ([0, 0.1, 0.2, 0.3], [1, 2, 3, 3], False),
        ([0, 1, 2], [1, 2, 3], False),
        ([0, 0, 0, 0], [1, 2, 3, 4], False),
    ],
)
def test_how_often_is_always(days: list[float], values: list[int], *, proposed: bool) -> None:
    assert (one(moves("capacity_units", days, values)) is not None) is proposed


def test_a_proposal_gives_its_counts_and_examples() -> None:
    history = [
        move
        for name in "dcba"
        for move in moves("scaling[0].units", [0, 1, 2, 3], [1, 2, 3, 2], address=f"aws_thing.{name}")
    ]
    assert propose(history) == (
        Proposal(
            workspace="prod",
            resource_type="aws_thing",
            attribute="scaling[*].units",
            reason="scaling[*].units of aws_thing moved 16 times on 4 days, to 3 values, at 4 resources",
            examples=("aws_thing.a", "aws_thing.b", "aws_thing.c"),
        ),
    )


def test_four_resources_changed_once_each_are_no_noise() -> None:
    history = [move for n in range(8) for move in moves("instance_type", [n], [f"m{n}"], address=f"aws_thing.n{n}")]
    assert propose(history) == ()


def test_resources_that_hardly_moved_are_no_examples() -> None:
    history = moves("units", range(4), range(4)) + moves("units", [0], [9], address="aws_thing.quiet")
    proposal = one(history)
    assert proposal is not None
    assert proposal.examples == ("aws_thing.a",)
    assert proposal.reason.endswith("moved 4 times on 4 days, to 4 values, at 1 resource")


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("desired_capacity", "a size that autoscalers set"),
        ("node_count", "a size that autoscalers set"),
        ("spec[0].replicas", "a size that autoscalers set"),
        ("scaling_config[0].desired_size", "a size that autoscalers set"),
        ("last_modified", "a time"),
        ("updated_at", "a time"),
    ],
)
def test_known_noise_needs_two_moves(path: str, reason: str) -> None:
    proposal = one(moves(path, [0, 0.1], [3, 4]))
    assert proposal is not None
    assert proposal.reason.endswith(f"; it is {reason}")
    assert one(moves(path, [0], [3])) is None


@pytest.mark.parametrize("path", ["min_size", "max_size", "scaling_config[0].max_size", "min_capacity"])
def test_bounds_are_set_by_people(path: str) -> None:
    assert one(moves(path, [0, 0.1], [3, 4])) is None


def test_values_that_are_times_are_times_whatever_the_name() -> None:
    assert one(moves("build", [0, 1], ["2026-11-01T00:00:00Z", "2026-11-02T00:00:00+01:00"]))
    assert one(moves("build", [0, 1], ["2026-11-01T00:00:00Z", "release 2"])) is None


NEVER = [
    "policy", "assume_role_policy", "ingress[0].description", "egress[1].to_port", "cidr_blocks[0]", "acl", "publicly_accessible",
    "public_access_block[0].x", "role_arn", "permissions[2]", "principal.AWS", "spec.principalId", "iam_members[0]",
    "network_policies[0].x", "security_groups[0]", "encrypted", "kms_key_id", "source_ranges[0]", "valid_until", "superuser",
    "desired_capacity_policy", "deletion_protection", "access_token_expires_at",
]  # fmt: skip


@pytest.mark.parametrize("path", NEVER)
def test_what_speaks_of_security_is_never_proposed(path: str) -> None:
    assert propose(moves(path, range(50), range(50))) == ()


@pytest.mark.parametrize("path", ["", "*", 'tags["*"]', "a?b"])
def test_no_proposal_covers_more_than_was_seen(path: str) -> None:
    assert propose(moves(path, range(50), range(50))) == ()


def test_sensitive_attributes_count_by_their_days() -> None:
    assert one(moves("units", [0, 1, 2, 3], [None] * 4))
    assert one(moves("units", [0, 0.1, 0.2, 0.3], [None] * 4)) is None


def test_the_rule_proposed_covers_what_was_seen_and_nothing_near() -> None:
    proposal = one(moves("a[0].units", range(4), range(4)))
    assert proposal is not None
    rule = Ignore(
        id="1",
        workspace=proposal.workspace,
        resource_type=proposal.resource_type,
        attribute=proposal.attribute,
        reason=proposal.reason,
        owner="dana",
        created_at=START,
    )
    assert rule.covers("prod", "aws_thing.a", "aws_thing")
    assert rule.covers_attribute("a[7].units")
    assert not rule.covers_attribute("a.units")
    assert not rule.covers_attribute("b[0].units")


any_move = st.builds(
    Move,
    workspace=st.sampled_from(["prod", "dev"]),
    resource_type=st.sampled_from(["t", "u"]),
    address=st.sampled_from(["t.a", "t.b"]),
    path=st.sampled_from(["units", "policy", "desired_count", "x[0].y", "x[1].y"]),
    at=st.integers(0, 200).map(lambda hours: START + timedelta(hours=hours)),
    after=st.integers(0, 5)
    | st.none()
    | st.lists(st.integers(0, 2), max_size=2)
    | st.dictionaries(st.text(), st.none()),
)


@given(st.lists(any_move, max_size=60), st.randoms())
def test_whatever_the_history_proposals_are_the_same_in_any_order_and_safe(history: list[Move], shuffle: Any) -> None:
    found = propose(history)
    keys = [(one.workspace, one.resource_type, one.attribute) for one in found]
    assert keys == sorted(set(keys))
    assert all("policy" not in one.attribute and one.examples and one.reason for one in found)
    # Two values for one attribute of one resource at one instant contradict each other: the order then decides.
    if len({(m.workspace, m.resource_type, m.address, m.path, m.at) for m in history}) == len(history):
        shuffled = history[:]
        shuffle.shuffle(shuffled)
        assert propose(shuffled) == found
