"""False incidents: what a hundred undisturbed series raise in three weeks, through the whole, as the service does it.

    make bench-incidents                              # after the incidents whose truth is known
    python tests/benchmarks/bench_calm.py [--show] [--choosing]

Every minute, with every setting of a signal at its default (no least deviation, both directions): bands, detectors, findings, and the
incidents that correlation opens from them. Nothing is told of any change.
"""

import argparse
import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from collections import Counter
from collections.abc import Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from itertools import groupby

import numpy as np
from calm_world import CHOOSING, EXPRESSIONS, FAMILIES, LEARNT, MINUTE, REPORTING, WATCHED, made, sampled

from driftband.correlate.catching_up import catch_up
from driftband.correlate.context import Context
from driftband.correlate.lifecycle import advance
from driftband.detect.detector import State
from driftband.detect.event import Event
from driftband.detect.recording import Recorder, finding_id
from driftband.detect.registry import DETECTORS
from driftband.model.band import DAY, BandSettings
from driftband.model.finding import Finding
from driftband.model.incident import Incident
from driftband.model.moment import from_ms
from driftband.model.series import Bools, Frame, History, Labels
from driftband.model.signal import WatchedSignal
from driftband.query.fetch import Answer
from driftband.query.watching import SignalBands

SETTINGS = BandSettings()
AT_ONCE = 360
CONTEXT = Context()
RECORDER = Recorder(names=CONTEXT.identity, interval=MINUTE, link=lambda *_: None)
WANTED = 1.0
Told = tuple[WatchedSignal, Event]
StatesOf = dict[str, dict[Labels, State]]


@dataclass(frozen=True)
class Fetch:
    """The source: what is known of each minute."""

    known: History

    def range(self, text: str, start: int, end: int, step: int) -> Answer:
        del text
        part = self.known.between(start, end + 1)
        every = step // MINUTE
        values = part.values[:, ::every]
        there: Bools = ~np.isnan(values)
        return Answer(Frame(part.times[::every], part.labels, values, there))

    def history(self, text: str, start: int, end: int) -> History:
        del text
        part = self.known.between(start, end)
        every = SETTINGS.step // MINUTE
        return History(part.start, SETTINGS.step, part.labels, part.values[:, ::every])


def events_of(what: str, seed: int) -> tuple[int, list[Told]]:
    """Return how many series a signal has, and what its detectors say in three weeks."""
    rule, history = sampled(what, seed) if what in EXPRESSIONS else made(what, seed)
    bands = SignalBands(rule, SETTINGS, MINUTE, lambda _, make: make())
    states: StatesOf = {}
    told: list[Told] = []
    first = history.start + LEARNT * DAY
    for start in range(first, first + WATCHED * DAY, AT_ONCE * MINUTE):
        seen = bands.see(Fetch(history), np.arange(start, start + AT_ONCE * MINUTE, MINUTE, dtype=np.int64))
        for detector in DETECTORS:
            states[detector.kind], events = detector.step(rule, states.get(detector.kind, {}), seen, MINUTE)
            told += [(rule, event) for event in events]
    return len(history.labels), told


def incidents_of(told: Iterable[Told]) -> tuple[dict[str, Finding], dict[str, Incident], int]:
    """Return the findings, the incidents, and how often somebody would have been told that one is open."""
    findings: dict[str, Finding] = {}
    incidents: dict[str, Incident] = {}
    pages = 0
    ordered = sorted(told, key=lambda one: (one[1].at, one[0].name, one[1].labels, one[1].kind))
    since = from_ms(0)
    for at, together in groupby(ordered, key=lambda one: one[1].at):
        now = from_ms(at)
        for rule, event in together:
            name = finding_id(rule.name, event.kind, event.labels, event.opened)
            recorded = RECORDER.record(rule, event, findings.get(name))
            if recorded is not None:
                findings[name] = recorded[0]
        recent = [
            one
            for one in incidents.values()
            if one.resolved_at is None or now - one.resolved_at <= CONTEXT.reopen_within
        ]
        held = {name for one in recent for name in one.findings}
        looked = [
            one for name, one in findings.items() if one.state != "closed" or name in held or one.closed_at == now
        ]
        caught = catch_up(advance, recent, looked, (), CONTEXT, instants=[now], since=since, now=now, most=1000)
        incidents |= caught.known
        pages += sum(deed == "opened" for _, decision in caught.steps for _, deed, _ in decision.deeds)
        since = now
    return findings, incidents, pages


def report(seeds: Sequence[int], *, show: bool) -> None:
    names = (*EXPRESSIONS, *FAMILIES)
    weeks = len(seeds) * WATCHED / 7
    total, paged = 0, 0
    found: Counter[tuple[str, str, str]] = Counter()
    series: Counter[str] = Counter()
    with ProcessPoolExecutor(2) as pool:
        for seed in seeds:
            told: list[Told] = []
            for name, (many, events) in zip(names, pool.map(partial(events_of, seed=seed), names), strict=True):
                series[name[:40]] += many
                told += events
            findings, incidents, pages = incidents_of(told)
            own = [one for one in incidents.values() if one.merged_into is None]
            total, paged = total + len(own), paged + pages
            found.update((one.signal or "", one.kind, one.severity) for one in findings.values())
            if show:
                for one in sorted(own, key=lambda one: one.opened_at):
                    first = findings[one.findings[0]]
                    print(f"  {one.opened_at} {one.severity:9}{first.signal} {first.evidence['labels']} {first.reason}")
    count = sum(series.values()) / len(seeds)
    hundreds = count / 100
    print(f"{count:.0f} undisturbed series, {weeks:.0f} weeks, a minute at a time, all settings at their defaults")
    for (name, kind, severity), number in sorted(found.items()):
        print(f"  {number:4} findings {kind:14}{severity:10}of {name} ({series[name] / len(seeds):.0f} series)")
    rate = total / weeks / hundreds
    print(f"  false incidents a week, of 100 series {rate:6.2f}    ({total} in all; wanted: at most {WANTED:.0f})")
    print(f"  told as opened a week                 {paged / weeks / hundreds:6.2f}    (with those that came back)")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--choosing", action="store_true", help="the seeds that settings are chosen on")
    parser.add_argument("--show", action="store_true", help="print each incident")
    asked = parser.parse_args()
    report(CHOOSING if asked.choosing else REPORTING, show=asked.show)


if __name__ == "__main__":
    main()
