"""Deployments and calls of a shop, watched without a clock: what intents and the service graph do to the ledger."""

from collections.abc import Callable, Mapping
from datetime import timedelta

import numpy as np

from driftband.app_watch_frame import GraphWatch, IntentWatch
from driftband.app_watch_one import Surroundings
from driftband.detect.recording import Recorder
from driftband.model.dependency import Dependencies
from driftband.model.intent import Intent
from driftband.model.moment import from_ms
from driftband.model.report import Resource
from driftband.model.series import Bools, Instants, make_labels
from driftband.store import watching
from driftband.store.database import Database
from driftband.store.inventory import Identities, take_stock

from .watched_world import BEGIN, END, HOUR, MINUTE, SETTINGS, World

DAY = 24 * HOUR
REPLICAS = Intent(
    name="replicas",
    resource_type="kubernetes_deployment",
    attribute="spec.replicas",
    expr="kube_deployment_status_replicas_available",
    match={"namespace": "metadata.namespace", "deployment": "metadata.name"},
)
GRAPH = Dependencies(expr="calls")
WORKSPACE = "prod/shop"
IDENTITIES = Identities(names=("service", "team"), workspaces={})


def deployment(name: str, replicas: int) -> Resource:
    return Resource(
        address=f"kubernetes_deployment_v1.{name}",
        resource_type="kubernetes_deployment_v1",
        module="app",
        attributes={
            "metadata[0].name": name,
            "metadata[0].namespace": "shop",
            "spec[0].replicas": replicas,
        },
        tags={"service": name, "team": "payments"},
    )


def declare(database: Database, at: int, **replicas: int) -> None:
    """Make these the deployments that are declared from ``at`` on."""
    found = [deployment(name, number) for name, number in replicas.items()]
    with database.write() as connection:
        take_stock(connection, WORKSPACE, found, at=from_ms(at), commit="c1", identities=IDENTITIES)


def running(times: Instants) -> np.typing.NDArray[np.float64]:
    """Three of cart; two from BEGIN until END; and the sample of web is missing meanwhile."""
    there = (times >= BEGIN) & (times < END)
    return np.stack([np.where(there, 2.0, 3.0), np.where(there, np.nan, 2.0)])


def deployments() -> World:
    labels = [make_labels({"namespace": "shop", "deployment": name}) for name in ("cart", "web")]
    return World(running, labels)


CALLS: Mapping[tuple[str, str], Callable[[Instants], Bools]] = {
    ("web", "cart"): lambda times: times > 0,
    ("web", "search"): lambda times: times > 0,
    ("cart", "db"): lambda times: times > 0,
    ("search", "db"): lambda times: (times < BEGIN) | (times >= END),
    ("search", "cache"): lambda times: times >= BEGIN,
}
"""When each edge is called: one goes for a while, and one is new."""


def calling(times: Instants) -> np.typing.NDArray[np.float64]:
    return np.stack([np.where(when(times), 2.5, 0.0) for when in CALLS.values()])


def calls() -> World:
    return World(calling, [make_labels({"client": client, "server": server}) for client, server in CALLS])


def around(database: Database, world: World) -> Surroundings:
    recorder = Recorder(names=IDENTITIES.names, interval=MINUTE, link=lambda *_: None)
    return Surroundings(
        database=database, fetch=world, detectors=(), recorder=recorder, settings=SETTINGS, interval=MINUTE
    )


def watch_replicas(database: Database, world: World, intent: Intent = REPLICAS) -> IntentWatch:
    """Begin as a process does that has just started."""
    digests = {intent.name: watching.rule_digest(intent)}
    known = watching.enrol(database, digests, from_ms(BEGIN) - timedelta(hours=1))
    return IntentWatch(intent, known[intent.name], around(database, world))


def watch_graph(database: Database, world: World) -> GraphWatch:
    """Begin as a process does that has just started."""
    digests = {GRAPH.name: watching.rule_digest(GRAPH)}
    known = watching.enrol(database, digests, from_ms(BEGIN) - timedelta(hours=1))
    return GraphWatch(GRAPH, known[GRAPH.name], around(database, world))
