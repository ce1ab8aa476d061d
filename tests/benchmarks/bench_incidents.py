"""Incidents with known truth: whether the right change is suspected, nobody else is, and findings are grouped as they belong.

    make bench-incidents

Coefficients and thresholds were fitted on the choosing part of the generator alone (tests/benchmarks/fit_incidents.py); the figures
are of the reporting part, whose seeds nothing was fitted on. Findings and changes arrive minute by minute, as they would. The
generator is ours, and shares our ideas of how troubles spread: it shows that the arithmetic is right, not that the world is so.
"""

import gc
import sys
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import datetime
from statistics import fmean

from incident_world import HISTORY_H, REPORTING, WATCHED_H, Maker, World, as_of, at, world

from driftband.app_server import GARBAGE_EVERY
from driftband.correlate.lifecycle import advance
from driftband.model.finding import Finding
from driftband.model.incident import Incident

BINS = 10
BUSY = 4.0
"""Hours: where each service is changed more often, on average, changes are easily mistaken for each other."""


@dataclass
class Tally:
    """first, three, accused: of each trouble that a change caused; busy: first, where services are changed often.

    spared: of each incident that none caused. scores: of each suspect, with whether it was right; leading: the first ones
    alone. rand: of each world.
    """

    first: list[bool] = field(default_factory=list)
    busy: list[bool] = field(default_factory=list)
    three: list[bool] = field(default_factory=list)
    accused: list[bool] = field(default_factory=list)
    spared: list[bool] = field(default_factory=list)
    accusations: list[bool] = field(default_factory=list)
    scores: list[tuple[float, bool]] = field(default_factory=list)
    leading: list[tuple[float, bool]] = field(default_factory=list)
    rand: list[float] = field(default_factory=list)
    roots: list[bool] = field(default_factory=list)
    incidents: int = 0
    troubles: int = 0
    merged: int = 0

    def add(self, other: "Tally") -> None:
        for name, value in vars(other).items():
            setattr(self, name, getattr(self, name) + value)


def lived(one: World) -> dict[str, Incident]:
    """Return the incidents after a world's findings and changes have arrived one after the other."""
    known: dict[str, Incident] = {}
    findings = sorted((item.finding for item in one.shown), key=lambda finding: finding.opened_at)
    for now in moments(one):
        seen = [finding for finding in findings if finding.opened_at <= now]
        changes = [as_of(change, now) for change in one.changes if at(one.arrivals[change.id]) <= now]
        for incident in advance(tuple(known.values()), seen, changes, one.context, now).incidents:
            known[incident.id] = incident
    return known


def moments(one: World) -> list[datetime]:
    """Return the instants at which something becomes known, and the last one."""
    opened = {item.finding.opened_at for item in one.shown}
    late = {
        at(int(minute) + 1)
        for number, minute in one.arrivals.items()
        if minute > HISTORY_H * 60 and any(trouble.cause == number for trouble in one.troubles.values())
    }
    return sorted({*opened, *late, at((HISTORY_H + WATCHED_H) * 60)})


def judge(seed: int) -> Tally:
    one = world(seed)
    incidents = [incident for incident in lived(one).values() if incident.merged_into is None]
    trouble_of = {item.finding.id: item.trouble for item in one.shown}
    where = {finding: incident.id for incident in incidents for finding in incident.findings}
    names = sorted(trouble_of)
    tally = Tally(
        rand=[adjusted_rand([trouble_of[name] for name in names], [where.get(name, name) for name in names])],
        incidents=len(incidents),
        troubles=len(one.troubles),
    )
    holders: dict[str, Incident] = {}
    for incident in incidents:
        counted = Counter(trouble_of[finding] for finding in incident.findings)
        tally.merged += len(counted.keys() & one.troubles.keys()) > 1
        for trouble, number in counted.items():
            best = holders.get(trouble)
            if best is None or number > sum(trouble_of[name] == trouble for name in best.findings):
                holders[trouble] = incident
        trouble = one.troubles.get(counted.most_common(1)[0][0])
        judge_incident(incident, trouble.cause if trouble else None, tally)
        if trouble is not None and trouble.kind != "platform":
            tally.roots.append(incident.context["component"] == trouble.root)
    for name, trouble in one.troubles.items():
        if trouble.cause is not None and name in holders:
            ranked = [suspect.change for suspect in holders[name].suspects]
            tally.first.append(ranked[:1] == [trouble.cause])
            if one.every < BUSY:
                tally.busy.append(tally.first[-1])
            tally.three.append(trouble.cause in ranked[:3])
            tally.accused.append(ranked[:1] == [trouble.cause] and holders[name].verdict == "explained")
    return tally


def judge_incident(incident: Incident, cause: str | None, tally: Tally) -> None:
    scores = [(suspect.score, suspect.change == cause) for suspect in incident.suspects]
    tally.scores += scores
    tally.leading += scores[:1]
    if cause is None:
        tally.spared.append(incident.verdict == "unexplained")
    if incident.verdict == "explained":
        tally.accusations.append(scores[0][1])


def adjusted_rand(truth: Sequence[str], made: Sequence[str]) -> float:
    """Hubert and Arabie's index: 1 for the same partition, 0 for what chance would give."""

    def pairs(counts: Iterable[int]) -> float:
        return sum(count * (count - 1) / 2 for count in counts)

    together = pairs(Counter(zip(truth, made, strict=True)).values())
    ours, theirs = pairs(Counter(truth).values()), pairs(Counter(made).values())
    chance = ours * theirs / pairs([len(truth)]) if len(truth) > 1 else 0.0
    highest = (ours + theirs) / 2
    return 1.0 if highest == chance else (together - chance) / (highest - chance)


def calibration_error(scores: Sequence[tuple[float, bool]]) -> float:
    """Return by how much scores and what came true differ, over bins of a tenth, weighted by what is in them."""
    bins: dict[int, list[tuple[float, bool]]] = {}
    for score, true in scores:
        bins.setdefault(min(int(score * BINS), BINS - 1), []).append((score, true))
    off = (abs(sum(score - true for score, true in listed)) for listed in bins.values())
    return sum(off) / max(1, len(scores))


def large() -> tuple[World, list[Finding]]:
    """Return a world of 300 services, with 10,000 findings of many troubles and 1,000 changes."""
    maker = Maker(7, services=300, troubles=150)
    maker.rate = 55.0
    one = maker.make()
    findings = [replace(item.finding, state="open", closed_at=None) for item in one.shown]
    copies = [replace(finding, id=f"{finding.id}-{turn}") for turn in range(40) for finding in findings]
    return replace(one, changes=one.changes[-1000:]), copies[:10_000]


def measure() -> None:
    one, findings = large()
    now = at((HISTORY_H + WATCHED_H) * 60)
    gc.freeze()  # as the service does
    gc.set_threshold(GARBAGE_EVERY, 10, 10)
    started = time.process_time()
    first = advance((), findings, one.changes, one.context, now)
    fresh = time.process_time() - started
    started = time.process_time()
    advance(first.incidents, findings, one.changes, one.context, now)
    again = time.process_time() - started
    subjects = len({(item.identity.get("service"), item.signal) for item in findings})
    print(
        f"{len(findings)} findings of {subjects} kinds, {len(one.changes)} changes, {len(first.incidents)} incidents:"
    )
    print(f"  CPU time        {fresh:6.2f} s when all are new, {again:.2f} s when all are known    (wanted: below 1)")


def report(tally: Tally, worlds: int) -> None:
    causes, spared = len(tally.first), len(tally.spared)
    print(
        f"{worlds} worlds, {tally.troubles} troubles, {tally.incidents} incidents, {tally.merged} of them of several troubles"
    )
    print(f"  true change first      {fmean(tally.first):6.1%} of {causes}    (wanted: 90%)")
    print(f"    in busy environments {fmean(tally.busy):6.1%} of {len(tally.busy)}    (a service is changed every {BUSY:g} h or more often)")  # fmt: skip
    print(f"  among three            {fmean(tally.three):6.1%} of {causes}    (wanted: 98%)")
    print(f"  first, and accused     {fmean(tally.accused):6.1%} of {causes}")
    print(f"  nobody accused, where no change did it {fmean(tally.spared):6.1%} of {spared}    (wanted: 95%)")
    print(f"  accusations that are right {fmean(tally.accusations):6.1%} of {len(tally.accusations)}")
    print(f"  calibration error      {calibration_error(tally.scores):6.3f} of all suspects, {calibration_error(tally.leading):.3f} of first ones    (wanted: 0.05)")  # fmt: skip
    print(f"  adjusted Rand index    {fmean(tally.rand):6.3f} mean of worlds    (wanted: 0.9)")
    print(f"  root found             {fmean(tally.roots):6.1%} of {len(tally.roots)}")


def main() -> None:
    seeds = REPORTING if len(sys.argv) < 2 else range(int(sys.argv[1]), int(sys.argv[2]))
    total = Tally()
    with ProcessPoolExecutor(2) as pool:
        for tally in pool.map(judge, seeds, chunksize=4):
            total.add(tally)
    report(total, len(seeds))
    measure()


if __name__ == "__main__":
    main()
