"""What a configuration watches: signals, intents, the service graph; and where one looks at what was found."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from driftband.app_watch_frame import GraphWatch, IntentWatch
from driftband.app_watch_one import OneWatch, Surroundings
from driftband.app_watch_signal import SignalWatch
from driftband.config import Config
from driftband.detect.recording import Link
from driftband.grafana.explore import explore_link, narrowed, of_edge, with_band
from driftband.model.dependency import Dependencies
from driftband.model.series import Labels
from driftband.model.signal import Rule, WatchedSignal
from driftband.query.watching import SignalBands
from driftband.store import watching
from driftband.web.measure import Measure


@dataclass(frozen=True)
class Watched:
    """Something that is watched. digest: what it is, as ``store.watching`` tells it from another one of its name."""

    digest: str
    begin: Callable[[watching.Progress, Surroundings], OneWatch[Any]]


def watched_of(config: Config, measure: Measure) -> dict[str, Watched]:
    """Return what a configuration watches, by name."""
    settings, interval = config.bands.settings(), config.watch.interval
    found = {}
    for rule in (signal.watched() for signal in config.all_signals):
        digest = watching.rule_digest(rule, rule.model or settings.model, rule.level or settings.level)
        bands = SignalBands(rule, settings, interval, measure.fit)
        found[rule.name] = Watched(digest, partial(SignalWatch, rule, bands))
    for intent in (one.watched() for one in config.intents):
        found[intent.name] = Watched(watching.rule_digest(intent), partial(IntentWatch, intent))
    if config.dependencies is not None:
        graph = config.dependencies.watched()
        found[graph.name] = Watched(watching.rule_digest(graph), partial(GraphWatch, graph))
    return found


def links(config: Config) -> Link:
    """Return what makes the links to Explore of findings."""
    base = None if config.grafana is None else config.grafana.url

    def link(rule: Rule, labels: Labels, start: int, end: int) -> str | None:
        if base is None:
            return None
        match rule:
            case WatchedSignal():
                exprs = with_band(rule.name, labels)
            case Dependencies():
                exprs = of_edge(labels)
            case _:
                exprs = narrowed(rule.expr, labels)
        return explore_link(base, exprs, start, end)

    return link
