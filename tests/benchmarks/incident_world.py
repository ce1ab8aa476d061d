"""Made-up environments whose troubles are known: who caused what, when, and which findings it shows in.

``world(seed)`` is 19 hours of changes and, in the last six of them, findings, in an environment of 12 to 500 services with a
random dependency graph: 5 to 50 times an hour something is changed that harms nobody, each service every 1 to 24 hours on average
and some far more often. Seeds below 10,000 are for choosing (fitting, thresholds), those from 10,000 on for reporting. In three of
ten worlds little is watched: mostly one signal of a service, and that at its edge.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from incident_words import EDGE, INSIDE, MATTERS, NAMES, SHOWS_IN, TRIVIAL

from driftband.correlate.context import Context
from driftband.model.attribute import AttributeDiff
from driftband.model.change import Change, ChangeKind, Touched
from driftband.model.finding import Finding, Layer, Severity

START = datetime(2026, 11, 24, tzinfo=UTC)
HISTORY_H, WATCHED_H = 13.0, 6.0
MOST_SERVICES = 500
SHIFTED = 40.0
"""Minutes after which a series that stays out is said to have shifted, too."""
CHOOSING = range(400)
REPORTING = range(10_000, 10_200)

CAUSES = {
    "apply": 0.24,
    "deploy": 0.24,
    "manual": 0.10,
    "other": 0.05,
    "platform": 0.06,
    "none": 0.21,
    "unrecorded": 0.10,
}
"""other: a feature flag, a job, a failover. unrecorded: somebody did it by hand, and a drift finding is all that tells of it. none: load, a fault, a false alarm."""


@dataclass(frozen=True)
class Service:
    name: str
    team: str
    cluster: str
    calls: tuple[str, ...]


@dataclass(frozen=True)
class Trouble:
    """cause: the change's id, None where no change caused it. kind: of ``CAUSES``."""

    id: str
    kind: str
    root: str
    cause: str | None
    onset: float


@dataclass(frozen=True)
class Shown:
    """A finding as it will have been, the trouble that it is of, and its distance from the root."""

    finding: Finding
    trouble: str
    depth: int


@dataclass(frozen=True)
class World:
    """arrivals: when each change became known, minutes; ``changes``: as they will have been.

    every: hours between two changes of a service, on average.
    """

    context: Context
    changes: tuple[Change, ...]
    arrivals: dict[str, float]
    shown: tuple[Shown, ...]
    troubles: dict[str, Trouble]
    every: float


def at(minutes: float) -> datetime:
    return START + timedelta(milliseconds=round(minutes * 60_000))


def as_of(change: Change, now: datetime) -> Change:
    """Return a change as it was known: it may have been running still."""
    if change.ended_at is not None and change.ended_at > now:
        return replace(change, status="running", ended_at=None)
    return change


def world(seed: int) -> World:
    return Maker(seed).make()


class Maker:
    def __init__(self, seed: int, *, services: int | None = None, troubles: int | None = None) -> None:
        self.random = random.Random(seed)
        self.rate = 5 * 10 ** self.random.random()
        self.count = services or max(12, min(MOST_SERVICES, int(self.rate * 24 ** self.random.random())))
        self.troubles_wanted = troubles
        self.thin = self.random.random() < 0.3
        self.patience = self.random.uniform(0, 5)
        self.services = self.environment()
        self.skews = {source: self.random.gauss(0, 1.3) for source in range(4)}
        self.changes: list[Change] = []
        self.arrivals: dict[str, float] = {}
        self.shown: list[Shown] = []
        self.numbers = iter(range(10**9))

    def environment(self) -> dict[str, Service]:
        draw = self.random
        names = [NAMES[i] if i < len(NAMES) else f"service-{i}" for i in range(self.count)]
        draw.shuffle(names)
        clusters = [f"c{i}" for i in range(max(draw.randint(1, 3), self.count // 40))]
        teams = [f"team-{i}" for i in range(max(2, self.count // 5))]
        made = {}
        for index, name in enumerate(names):
            later = names[index + 1 : index + 12]
            calls = tuple(draw.sample(later, min(len(later), draw.choice((0, 1, 1, 2, 2, 3)))))
            made[name] = Service(name, draw.choice(teams), draw.choice(clusters), calls)
        return made

    def make(self) -> World:
        draw = self.random
        self.decoys(self.rate)
        troubles = dict(self.make_troubles())
        for _ in range(draw.randint(0, 5)):
            self.background_drift()
        edges = {(one.name, server) for one in self.services.values() for server in one.calls}
        known = tuple(edge for edge in sorted(edges) if draw.random() > 0.02)
        order = sorted(self.shown, key=lambda one: (one.finding.opened_at, one.finding.id))
        context = Context(edges=known, changes_since=START)
        changes = tuple(sorted(self.changes, key=lambda one: (one.started_at, one.id)))
        return World(context, changes, self.arrivals, tuple(order), troubles, self.count / self.rate)

    def decoys(self, rate: float) -> None:
        minute = 0.0
        names = list(self.services)
        busy = [self.random.lognormvariate(0, 0.8) for _ in names]
        while (minute := minute + self.random.expovariate(rate / 60)) < (HISTORY_H + WATCHED_H) * 60:
            kind = self.random.choices(("deploy", "apply", "manual", "other", "platform"), (46, 34, 10, 6, 4))[0]
            self.change(kind, self.random.choices(names, busy)[0], minute, decoy=True)

    def make_troubles(self) -> Iterator[tuple[str, Trouble]]:
        draw = self.random
        begin, end = HISTORY_H * 60 + 10, (HISTORY_H + WATCHED_H) * 60 - 60
        last = None
        for _ in range(self.troubles_wanted or draw.randint(2, min(6, 2 + self.count // 25))):
            together = last is not None and draw.random() < 0.3
            minute = last + draw.uniform(0, 15) if together else draw.uniform(begin, end)
            last = minute
            trouble = self.trouble(f"t{next(self.numbers)}", minute)
            yield trouble.id, trouble

    def trouble(self, identifier: str, minute: float) -> Trouble:
        draw = self.random
        kind = draw.choices(tuple(CAUSES), tuple(CAUSES.values()))[0]
        root = draw.choice(list(self.services))
        cause, onset, hint = None, minute, None
        if kind not in {"none", "unrecorded"}:
            made = self.change(kind, root, minute, decoy=False)
            length = (made.ended_at - made.started_at).total_seconds() / 60 if made.ended_at else 0
            delay = draw.uniform(15, 75) if draw.random() < 0.05 else min(25.0, draw.lognormvariate(0.7, 0.9))
            onset = minute + length * draw.random() + delay
            cause = made.id
            hint = next((SHOWS_IN.get(a.path) for touched in made.resources for a in touched.attributes), None)
        if kind == "unrecorded":
            hint = self.drift(identifier, root, minute, onset)
        if kind == "platform":
            self.spread_in_cluster(identifier, root, onset)
        elif kind == "none" and draw.random() < 0.35:
            self.show(identifier, root, onset, 0, inside=draw.random() < 0.5, length=draw.uniform(6, 20))
        else:
            self.spread(identifier, root, onset, hint)
        return Trouble(identifier, kind, root, cause, onset)

    def spread(self, trouble: str, root: str, onset: float, hint: str | None = None) -> None:
        """Let a trouble move the inside of its root and what crosses the edge of it, and then its callers."""
        draw = self.random
        length = draw.uniform(20, 100)
        for number in range(0 if self.thin and draw.random() < 0.7 else draw.choice((0, 1, 1, 2, 3))):
            signal = hint if number == 0 and draw.random() < 0.6 else None
            self.show(trouble, root, onset, 0, inside=True, length=length, signal=signal)
        for _ in range(1 if self.thin else draw.choice((1, 1, 2, 3))):
            self.show(trouble, root, onset + draw.uniform(0, 2), 0, inside=False, length=length)
        if draw.random() < 0.2:
            # Some things take their time: a queue fills up, a cache runs empty, retries come.
            late = onset + draw.uniform(10, 0.9 * length)
            self.show(trouble, root, late, 0, inside=draw.random() < 0.5, length=length - (late - onset))
        border, hit = [(root, onset)], {root}
        for depth in range(1, 4):
            callers = [(one, when) for name, when in border for one in self.callers(name)]
            border = []
            for name, when in callers:
                if name not in hit and draw.random() < 0.75 - 0.12 * depth:
                    hit.add(name)
                    moved = when + draw.uniform(0, 2.5)
                    border.append((name, moved))
                    for _ in range(1 if self.thin else draw.choice((1, 1, 2))):
                        self.show(trouble, name, moved, depth, inside=draw.random() < 0.06, length=length)
        if draw.random() < 0.08:
            for name in self.services[root].calls:
                self.show(trouble, name, onset + draw.uniform(0, 3), 1, inside=draw.random() < 0.4, length=length)

    def spread_in_cluster(self, trouble: str, root: str, onset: float) -> None:
        draw = self.random
        cluster = self.services[root].cluster
        for one in self.services.values():
            if one.cluster == cluster and (one.name == root or draw.random() < 0.35):
                for inside in (True, False):
                    self.show(trouble, one.name, onset + draw.uniform(0, 4), 0, inside=inside, length=60)

    def callers(self, name: str) -> list[str]:
        return [one.name for one in self.services.values() if name in one.calls]

    def show(
        self,
        trouble: str,
        name: str,
        moved: float,
        depth: int,
        *,
        inside: bool,
        length: float,
        signal: str | None = None,
    ) -> None:
        """Add a finding: a detector looks once a minute, and wants to see it for as long as is usual here and a little more."""
        draw = self.random
        opened = float(int(moved + self.patience + draw.uniform(0, 4)) + 1)
        signal = signal or draw.choice(INSIDE if inside else EDGE)
        severity: Severity = draw.choices(("warning", "error", "critical"), (4, 5, 1))[0]
        layer: Layer = draw.choice(("runtime", "behavioral"))
        for _ in range(1 if self.thin else draw.choice((1, 1, 1, 2, 4))):
            finding = self.finding(name, opened + draw.choice((0, 0, 1)), layer, severity)
            signal_name = signal.format(name.replace("-", "_"))
            closed = at(opened + max(2.0, length + draw.uniform(-3, 3)))
            breach = replace(finding, signal=signal_name, state="closed", closed_at=closed)
            self.add(trouble, depth, breach)
            if length > SHIFTED + 10 and draw.random() < 0.6:
                shifted = at(opened + draw.uniform(SHIFTED, length - 5))
                self.add(trouble, depth, self.shift(breach, shifted))

    def shift(self, breach: Finding, shifted: datetime) -> Finding:
        """Return what the detector of shifts says later of a series that has not come back; it waits longer for calm, too."""
        assert breach.closed_at is not None
        return replace(
            breach, id=f"f{next(self.numbers):06d}", kind="level_shift", opened_at=shifted, last_seen_at=shifted,
            closed_at=breach.closed_at + timedelta(hours=1),
        )  # fmt: skip

    def finding(self, name: str, opened: float, layer: Layer, severity: Severity) -> Finding:
        identity = {
            "service": name,
            "env": "prod",
            "cluster": self.services[name].cluster,
            "team": self.services[name].team,
        }
        kept = {label: value for label, value in identity.items() if self.random.random() > 0.05}
        number = f"f{next(self.numbers):06d}"
        moment = at(opened)
        return Finding(
            id=number, layer=layer, kind="band_breach", class_="drift", identity=kept, severity=severity, opened_at=moment,
            last_seen_at=moment, reason="outside its band",
        )  # fmt: skip

    def drift(self, trouble: str, name: str, acted: float, onset: float | None) -> str | None:
        """Add a configuration finding: a scan comes every 5 to 60 minutes, and shows what was done since the last one."""
        draw = self.random
        every = draw.choice((5, 15, 15, 60))
        seen = acted + draw.uniform(0, every)
        path, before, after, kind = draw.choice(MATTERS)
        severity: Severity = draw.choice(("warning", "warning", "error"))
        finding = replace(
            self.finding(name, seen, "configuration", severity), kind="attribute_changed", workspace=f"prod/{name}",
            address=f"module.{name}.{kind}.main", module=name, resource_type=kind, window_from=at(seen - every),
            attributes=(AttributeDiff(path=path, before=before, after=after),),
        )  # fmt: skip
        self.add(trouble, 0 if onset is not None else -1, finding)
        return SHOWS_IN.get(path)

    def background_drift(self) -> None:
        minute = self.random.uniform(HISTORY_H * 60, (HISTORY_H + WATCHED_H) * 60 - 60)
        self.drift(f"b{next(self.numbers)}", self.random.choice(list(self.services)), minute, None)
        if self.random.random() < 0.15:
            item = self.shown.pop()
            kept = {name: value for name, value in item.finding.identity.items() if name != "service"}
            address = f"module.main.{item.finding.resource_type}.main"
            nameless = replace(item.finding, identity=kept, workspace="prod/platform", module="main", address=address)
            self.shown.append(replace(item, finding=nameless))

    def add(self, trouble: str, depth: int, finding: Finding) -> None:
        self.shown.append(Shown(finding, trouble, depth))

    def change(self, kind: str, name: str, minute: float, *, decoy: bool) -> Change:
        """Add a change. Of those that cause something, few look harmless; of the others, many do."""
        draw = self.random
        told: ChangeKind = {"deploy": "deploy", "manual": "manual", "other": "other"}.get(kind, "terraform_apply")  # type: ignore[assignment]
        length = {"deploy": 6.0, "manual": 0.5, "other": 3.0}.get(kind, 12.0) * draw.random()
        trivial = kind in {"apply", "platform"} and draw.random() < (0.45 if decoy else 0.02)
        shift = max(-4.0, min(4.0, self.skews[hash_of(name)])) if hash_of(name) else 0.0
        number = f"c{next(self.numbers):06d}"
        service = self.services[name]
        platform = kind == "platform"
        identity = {"env": "prod", "cluster": service.cluster, **({} if platform else {"service": name})}
        if decoy and draw.random() < 0.15:
            identity["env"] = "staging"
        if draw.random() < 0.1:
            identity.pop("service", None)
        named = draw.random() < 0.8 and not platform
        made = Change(
            id=number, kind=told, status="failed" if draw.random() < 0.05 else "succeeded", started_at=at(minute + shift),
            ended_at=at(minute + shift + length), identity=identity, commit=f"{draw.getrandbits(28):07x}",
            workspace=f"{identity['env']}/{name if named else 'platform'}",
            resources=tuple(self.resources(kind, name if named else "main", trivial=trivial, decoy=decoy)),
        )  # fmt: skip
        self.changes.append(made)
        self.arrivals[number] = minute + (draw.uniform(5, 25) if draw.random() < 0.1 else 0.0)
        return made

    def resources(self, kind: str, module: str, *, trivial: bool, decoy: bool) -> Iterator[Touched]:
        draw = self.random
        if kind in {"deploy", "manual", "other"} and draw.random() < 0.5:
            return
        for _ in range(draw.choice((1, 1, 2, 3, 6) if kind in {"apply", "platform"} else (1,))):
            listed = TRIVIAL if trivial else MATTERS
            path, before, after, type_ = draw.choice(listed)
            if kind == "deploy":
                path, before, after, type_ = ("spec.template.image", "v1", "v2", "kubernetes_deployment")
            action = "create" if decoy and not trivial and draw.random() < 0.3 else "update"
            yield Touched(
                address=f"module.{module}.{type_}.main", type=type_, module=module, actions=(action,),
                attributes=(AttributeDiff(path=path, before=before, after=after),),
            )  # fmt: skip


def hash_of(name: str) -> int:
    """Return which of four sources of changes, with clocks of their own, a service has; the first one's is right."""
    return sum(name.encode()) % 4
