"""Declared and observed are held against each other; what is missing on a side is said to be missing."""

import json
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from driftband.detect.detector import State
from driftband.detect.event import Event
from driftband.detect.intent_violated import IntentViolated
from driftband.detect.quantity import quantity
from driftband.model.intent import Declared, Intent
from driftband.model.report import Resource
from driftband.model.series import Frame, Labels, make_labels

from .watching import MINUTE, START, as_json, from_json, told

DETECTOR = IntentViolated()
REPLICAS = Intent(
    name="replicas",
    resource_type="kubernetes_deployment",
    attribute="spec.replicas",
    expr="kube_deployment_status_replicas_available",
    match={"namespace": "metadata.namespace", "deployment": "metadata.name"},
)
NAN = float("nan")


def deployment(
    name: str, kind: str = "kubernetes_deployment", sensitive: tuple[str, ...] = (), **attributes: Any
) -> Declared:
    plain = {"metadata[0].namespace": "shop", "metadata[0].name": name}
    renamed = {key.replace("__", "[0]."): value for key, value in attributes.items()}
    resource = Resource(
        address=f"{kind}.{name}",
        resource_type=kind,
        module="",
        attributes={**plain, **renamed},
        sensitive=sensitive,
        tags={},
    )
    return Declared(workspace="prod/shop", resource=resource)


def frame(rows: Mapping[str, Sequence[float]], **more: str) -> Frame:
    values = np.array(list(rows.values()), dtype=np.float64)
    values = values.reshape(len(rows), -1)
    labels = tuple(make_labels({"namespace": "shop", "deployment": name, **more}) for name in rows)
    return frame_of(labels, values)


def frame_of(labels: tuple[Labels, ...], values: Any) -> Frame:
    times = START + MINUTE * np.arange(values.shape[1], dtype=np.int64)
    return Frame(times, labels, values, ~np.isnan(values))


def run(
    inventory: Sequence[Declared], observed: Frame, intent: Intent = REPLICAS, cuts: Sequence[int] = ()
) -> list[Event]:
    states: dict[Labels, State] = {}
    events: list[Event] = []
    for first, last in pairwise([0, *sorted(cuts), len(observed.times)]):
        piece = Frame(
            observed.times[first:last], observed.labels, observed.values[:, first:last], observed.present[:, first:last]
        )
        after, found = DETECTOR.step(intent, states, inventory, piece, MINUTE)
        states = from_json(as_json(after))
        events += found
    return events


def test_fewer_replicas_than_declared_open_and_close() -> None:
    observed = frame({"cart": [3] * 10 + [2] * 20 + [3] * 20, "web": [5] * 50})
    inventory = [deployment("cart", spec__replicas=3), deployment("web", spec__replicas="5")]
    events = run(inventory, observed)
    assert told(events) == [(20, "opened"), (40, "closed")]
    opened, closed = events
    assert opened.labels == (("deployment", "cart"), ("namespace", "shop"))
    assert (opened.severity, opened.since) == ("warning", START + 10 * MINUTE)
    assert opened.reason == (
        "kubernetes_deployment.cart (workspace prod/shop) declares spec.replicas 3, and 2 is observed, for 10m since "
        "2024-10-04T00:10:00Z"
    )
    assert closed.reason == (
        "3 is observed again, as kubernetes_deployment.cart (workspace prod/shop) declares spec.replicas 3, for 10m; "
        "it differed for 20m"
    )
    assert {key: opened.evidence[key] for key in ("address", "workspace", "declared", "observed", "query")} == {
        "address": "kubernetes_deployment.cart",
        "workspace": "prod/shop",
        "declared": 3,
        "observed": 2.0,
        "query": "kube_deployment_status_replicas_available",
    }
    assert opened.evidence["values"] == [2.0] * 11
    assert opened.evidence["expected"] == [3.0] * 11


def test_none_left_is_an_error() -> None:
    (event,) = run([deployment("cart", spec__replicas=3)], frame({"cart": [0] * 20}))
    assert (event.severity, event.score) == ("error", 2.0)


def test_tolerance_and_for() -> None:
    intent = Intent(**{**vars(REPLICAS), "tolerance": 1.0})
    assert run([deployment("cart", spec__replicas=3)], frame({"cart": [2] * 60}), intent) == []
    assert run([deployment("cart", spec__replicas=3)], frame({"cart": [2] * 10 + [3] * 50})) == []


def test_nothing_observed_is_missing_evidence_and_no_health() -> None:
    violated = frame({"cart": [1] * 20 + [NAN] * 100})
    events = run([deployment("cart", spec__replicas=3)], violated)
    assert [(event.kind, event.what, event.severity) for event in events] == [
        ("intent_violated", "opened", "error"),
        ("intent_unknown", "opened", "info"),
    ]
    assert events[1].evidence["missing"] == "observed"
    assert events[1].reason == (
        "whether the intent holds is unknown for 10m, since 2024-10-04T00:20:00Z: kubernetes_deployment.cart (workspace "
        'prod/shop) declares spec.replicas 3, and no sample with deployment="cart", namespace="shop" is observed'
    )


@pytest.mark.parametrize(
    ("attributes", "told_of"),
    [
        ({}, "spec.replicas is not set, or secret"),
        ({"spec__replicas": "many"}, "spec.replicas is 'many', which is no number"),
        ({"sensitive": ("spec[0].replicas",)}, "spec.replicas is secret"),
    ],
)
def test_nothing_declared_is_missing_evidence(attributes: dict[str, Any], told_of: str) -> None:
    (event,) = run([deployment("cart", **attributes)], frame({"cart": [3] * 20}))
    assert (event.kind, event.evidence["missing"]) == ("intent_unknown", "declared")
    assert event.reason.endswith(f"kubernetes_deployment.cart declares no value to compare: {told_of}")


def test_two_declarations_that_differ_are_missing_evidence() -> None:
    inventory = [
        deployment("cart", spec__replicas=3),
        deployment("cart", kind="kubernetes_deployment_v1", spec__replicas=4),
    ]
    (event,) = run(inventory, frame({"cart": [3] * 20}))
    assert "declared twice and not alike" in event.reason
    assert run([inventory[0], deployment("cart", spec__replicas=3)], frame({"cart": [3] * 20})) == []


def test_evidence_that_comes_back_closes_what_was_unknown() -> None:
    events = run([deployment("cart", spec__replicas=3)], frame({"cart": [NAN] * 20 + [3] * 30}))
    assert [(event.kind, event.what) for event in events] == [
        ("intent_unknown", "opened"),
        ("intent_unknown", "closed"),
    ]
    assert events[1].reason == "both values are known again, after 20m"


def test_what_is_no_longer_declared_closes() -> None:
    observed = frame({"cart": [1] * 20})
    states, _ = DETECTOR.step(REPLICAS, {}, [deployment("cart", spec__replicas=3)], observed, MINUTE)
    after, (event,) = _later(states)
    assert (event.what, event.reason) == ("closed", "no kubernetes_deployment declares it any more")
    assert [dict(labels).get("deployment") for labels in after] == ["web"]


def _later(states: Mapping[Labels, State]) -> Any:
    observed = frame({"cart": [1] * 5})
    moved = Frame(observed.times + 20 * MINUTE, observed.labels, observed.values, observed.present)
    return DETECTOR.step(REPLICAS, states, [deployment("web", spec__replicas=3)], moved, MINUTE)


@pytest.mark.parametrize(
    ("inventory", "told_of"),
    [
        ([], "no kubernetes_deployment is in the inventory"),
        ([deployment("cart", kind="kubernetes_stateful_set", spec__replicas=1)], "no kubernetes_deployment is in the inventory"),
        (
            [deployment("", spec__replicas=1)],
            "no kubernetes_deployment in the inventory has what it is matched by (metadata.namespace, metadata.name)",
        ),
    ],
    ids=["nothing", "others", "unmatched"],
)  # fmt: skip
def test_that_nobody_declares_it_is_no_health(inventory: Sequence[Declared], told_of: str) -> None:
    (event,) = run(inventory, frame({"cart": [3] * 20}))
    assert (event.kind, event.labels, event.severity, event.resource) == ("intent_unknown", (), "info", None)
    assert event.evidence["missing"] == "declared"
    assert event.reason.endswith(f": {told_of}")


def test_what_is_declared_at_last_is_known() -> None:
    observed = frame({"cart": [3] * 20})
    states, _ = DETECTOR.step(REPLICAS, {}, [], observed, MINUTE)
    moved = Frame(observed.times + 20 * MINUTE, observed.labels, observed.values, observed.present)
    after, (event,) = DETECTOR.step(REPLICAS, states, [deployment("cart", spec__replicas=3)], moved, MINUTE)
    assert (event.kind, event.labels, event.what, event.reason) == (
        "intent_unknown",
        (),
        "closed",
        "it is declared now",
    )
    assert after == {}


def test_identity_labels_join_too() -> None:
    intent = Intent(**{**vars(REPLICAS), "match": {}, "identity": ("service",)})
    cart = Declared(
        workspace="prod/shop",
        resource=deployment("cart", spec__replicas=3).resource,
        identity={"service": "cart", "team": "shop"},
    )
    labels = tuple(make_labels({"service": name, "pod": "a"}) for name in ("cart", "web"))
    (event,) = run([cart], frame_of(labels, np.array([[1.0] * 20, [2.0] * 20])), intent)
    assert event.labels == (("service", "cart"),)
    assert (event.identity, event.resource) == (cart.identity, cart)


def test_the_furthest_of_several_series_counts() -> None:
    labels = tuple(make_labels({"namespace": "shop", "deployment": "cart", "pod": pod}) for pod in "abc")
    values = np.array([[3] * 20, [1] * 20, [NAN] * 20], dtype=np.float64)
    (event,) = run([deployment("cart", spec__replicas=3)], frame_of(labels, values))
    assert event.evidence["observed"] == 1.0


def test_versions_are_compared_by_label() -> None:
    intent = Intent(**{**vars(REPLICAS), "name": "version", "attribute": "spec.image_tag", "label": "version"})
    labels = tuple(make_labels({"namespace": "shop", "deployment": "cart", "version": v}) for v in ("1.4", "1.5"))
    values = np.array([[1] * 20 + [NAN] * 30, [NAN] * 20 + [1] * 30])
    events = run([deployment("cart", spec__image_tag="1.5")], frame_of(labels, values), intent)
    assert told(events) == [(10, "opened"), (30, "closed")]
    assert "declares spec.image_tag 1.5, and 1.4 is observed" in events[0].reason
    assert events[0].evidence["observed"] == "1.4"
    assert events[1].reason.startswith("1.5 is observed again")


@pytest.mark.parametrize(
    ("value", "number"),
    [
        (3, 3.0), (True, 1.0), ("3", 3.0), ("500m", 0.5), ("512Mi", 512 * 2**20), ("1.5Gi", 1.5 * 2**30), ("2k", 2000.0),
        ("false", 0.0), ("1e3", 1000.0), ("", None), ("1.2.3", None), ("5 apples", None), (None, None), ([1], None),
    ],
)  # fmt: skip
def test_quantities(value: Any, number: float | None) -> None:
    assert quantity(value) == number


def test_an_intent_needs_something_to_match_by() -> None:
    with pytest.raises(ValueError, match="needs a label to match by"):
        Intent(**{**vars(REPLICAS), "match": {}})
    with pytest.raises(ValueError, match="tolerance must be 0 or more"):
        Intent(**{**vars(REPLICAS), "tolerance": -1.0})


@settings(max_examples=40, deadline=None, derandomize=True)
@given(
    runs=st.lists(st.tuples(st.sampled_from([3.0, 2.0, 0.0, NAN]), st.integers(1, 25)), min_size=1, max_size=12),
    cuts=st.lists(st.integers(1, 100), max_size=5),
    swap=st.booleans(),
)
def test_pieces_are_the_whole_and_order_does_not_matter(
    runs: list[tuple[float, int]], cuts: list[int], *, swap: bool
) -> None:
    cart = [value for value, length in runs for _ in range(length)]
    observed = frame({"cart": cart, "web": cart[::-1]})
    inventory = [deployment("cart", spec__replicas=3), deployment("web", spec__replicas=3)]
    whole = run(inventory, observed)
    shown = observed
    if swap:
        shown = Frame(observed.times, observed.labels[::-1], observed.values[::-1], observed.present[::-1])
        inventory.reverse()
    assert run(inventory, shown, cuts=[cut for cut in cuts if cut < len(cart)]) == whole
    json.dumps([dict(event.evidence) for event in whole], allow_nan=False)
