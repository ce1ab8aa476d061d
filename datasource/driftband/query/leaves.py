"""What a query stands on when there is a source behind it: its remote parts, bands, and native series of signals."""

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace

import numpy as np

from driftband.model.band import BandSettings
from driftband.model.departure import Acceptances, Accepted, accepting
from driftband.model.interval import Interval, Intervals
from driftband.model.samples import Samples
from driftband.model.series import Floats, Frame, Instants
from driftband.query.band_frames import aligned, band_frame, counter_warning, framed
from driftband.query.bands import BandMaker, too_many
from driftband.query.errors import TooManySeriesError, bad_data
from driftband.query.evaluate import evaluate
from driftband.query.fetch import Answer, Fetch
from driftband.query.fitting import Fitter
from driftband.query.names import NATIVE
from driftband.query.native import Signal, call, chosen, labelled, matches, narrowed
from driftband.query.nodes import BandCall, Matcher, Remote, Selector
from driftband.query.plan import plan
from driftband.query.question import Question, Result
from driftband.query.service_graph import select_graph
from driftband.query.states import select_states
from driftband.query.values import Value, frame_of, nameless, rows, without

MODELS = ("seasonal", "prophet")
LARGE_FOR = 600_000
"""So long an operand that had too many series is not asked for as a whole again, ms."""
_NAMING = ("__name__", "signal")
"""Labels of a native series that its operand does not have."""


def no_states(name: str, start: int, end: int, equal: Mapping[str, str], limit: int) -> list[Interval]:
    """Answer that nothing is known: where there is no store."""
    del name, start, end, equal, limit
    return []


def nothing_accepted(signal: str) -> Sequence[Accepted]:
    """Answer that nobody has accepted anything: where there is no store."""
    del signal
    return ()


@dataclass(frozen=True)
class Engine:
    """What answers queries that name something of ours; one for the service. dependencies: the query of its graph.

    large: until when operands are known to have too many series (epoch ms).
    """

    settings: BandSettings
    fitter: Fitter
    signals: Sequence[Signal]
    max_series: int
    states: Intervals = no_states
    dependencies: str | None = None
    accepted: Acceptances = nothing_accepted
    large: dict[str, int] = field(default_factory=dict)

    def answer(self, question: Question, fetch: Fetch, now: int) -> Result:
        """Answer a question as of ``now`` (epoch ms).

        Raises:
            QueryError: with Prometheus's kind of error.
        """
        node = plan(question.text)
        leaves = _SourceLeaves(self, question, fetch, now)
        value = evaluate(node, leaves)
        return Result(value, question.times, tuple(dict.fromkeys(leaves.warnings)), tuple(dict.fromkeys(leaves.infos)))


@dataclass
class _SourceLeaves:
    """One evaluation: remembers what it has asked for already, and gathers what must be said."""

    engine: Engine
    question: Question
    fetch: Fetch
    now: int
    warnings: list[str] = field(default_factory=list)
    infos: list[str] = field(default_factory=list)
    _asked: dict[str, Answer] = field(default_factory=dict)
    _found: dict[tuple[object, ...], list[Interval]] = field(default_factory=dict)
    _selected: dict[Selector, Frame] = field(default_factory=dict)
    _sampled: dict[Selector, list[Samples]] = field(default_factory=dict)

    @property
    def times(self) -> Instants:
        return self.question.times

    def remote(self, node: Remote) -> Value:
        frame = self.ask(node.text).frame
        if not node.scalar:
            return frame
        if not len(frame.labels):
            return np.full(len(self.times), np.nan)
        return np.where(frame.present[0], frame.values[0], np.nan)

    def ask(self, text: str) -> Answer:
        """Ask the source at the instants of the question, once."""
        if text not in self._asked:
            q = self.question
            answer = (
                self.fetch.instant(text, q.start) if q.step is None else self.fetch.range(text, q.start, q.end, q.step)
            )
            self.warnings.extend(answer.warnings)
            self.infos.extend(answer.infos)
            self._asked[text] = answer
        return self._asked[text]

    def band(self, call: BandCall, limit: Floats | None) -> Frame:
        frame = self._band_at(call, self._state_times(call.function), limit)
        return Frame(self.times, frame.labels, frame.values, frame.present)

    def select(self, selector: Selector) -> Frame:
        """Answer an instant selector, each once: both sides of an ``or`` name the same ones."""
        if selector not in self._selected:
            self._selected[selector] = self._select(selector)
        return self._selected[selector]

    def _select(self, selector: Selector) -> Frame:
        offset = round(selector.offset.total_seconds() * 1000)
        if NATIVE[str(selector.metric)].is_state:
            shifted = self.times - offset
            frame = select_states(self._states, selector, shifted, self.question.step, self.now)
            return Frame(self.times, frame.labels, frame.values, frame.present)
        if NATIVE[str(selector.metric)].is_graph:
            return self._graph(selector, self.times - offset)
        found = []
        signals = chosen(self.engine.signals, selector.matchers)
        for signal in signals:
            wanted = call(str(selector.metric), signal)
            accepted = self.engine.accepted(signal.name) if wanted.function == "anomaly_score" else ()
            narrowing = tuple(m for m in selector.matchers if m.name not in _NAMING)
            try:
                frame = self._narrow(wanted, self._state_times(wanted.function) - offset, accepted, narrowing)
            except TooManySeriesError as error:
                if len(signals) == 1:
                    raise
                self.warnings.append(f"the signal {signal.name} is left out: {error}")
                continue
            named = ((labelled(str(selector.metric), signal, la), v, p) for la, v, p in rows(frame))
            found += [row for row in named if matches(selector.matchers, row[0])]
        return frame_of(self.times, found)

    def _narrow(
        self, wanted: BandCall, instants: Instants, accepted: Sequence[Accepted], narrowing: tuple[Matcher, ...]
    ) -> Frame:
        """Compute a signal whose series must satisfy ``narrowing``: all are asked for, since they serve others, or these alone."""
        smaller = narrowed(wanted.operand, narrowing)
        if smaller is None:
            return self._band_at(wanted, instants, None, accepted, narrowing)
        if self.engine.large.get(wanted.operand, 0) < self.now:
            try:
                return self._band_at(wanted, instants, None, accepted, narrowing)
            except TooManySeriesError:
                self.engine.large[wanted.operand] = self.now + LARGE_FOR
        return self._band_at(replace(wanted, operand=smaller), instants, None, accepted, narrowing)

    def _graph(self, selector: Selector, instants: Instants) -> Frame:
        """Select nodes or edges; asked of the future, they are those of the last instant before."""
        if self.engine.dependencies is None:
            self.warnings.append(
                f"{selector.metric} has nothing to tell of: there are no dependencies in the configuration"
            )
            return frame_of(self.times, [])
        past = instants[instants <= self.now]
        start, end = (int(past[0]), int(past[-1])) if len(past) else (self.now, self.now)
        step = self.question.step if len(past) else None
        shifted = Question(self.engine.dependencies, start, end, step)
        inner = _SourceLeaves(self.engine, shifted, self.fetch, self.now, self.warnings, self.infos)
        frame = select_graph(self.engine.states, selector, inner.ask(self.engine.dependencies).frame)
        last = np.minimum(np.arange(len(instants)), max(len(past), 1) - 1)
        return Frame(self.times, frame.labels, frame.values[:, last], frame.present[:, last])

    def _states(self, name: str, start: int, end: int, equal: Mapping[str, str], limit: int) -> list[Interval]:
        """Find intervals, each once: a query names the same ones for each severity, and on both sides of an ``or``."""
        key = (name, start, end, tuple(sorted(equal.items())), limit)
        if key not in self._found:
            self._found[key] = self.engine.states(name, start, end, equal, limit)
        return self._found[key]

    def stamps(self, selector: Selector) -> Frame:
        """Return the instants that native series are computed at: they have no samples of their own."""
        frame = self.select(selector)
        seconds = (self.times - round(selector.offset.total_seconds() * 1000)) / 1000.0
        return Frame(frame.times, frame.labels, np.broadcast_to(seconds, frame.values.shape), frame.present)

    def samples(self, selector: Selector) -> list[Samples]:
        """Return the samples of native series, once: what they are at the instants of the grid."""
        if selector not in self._sampled:
            self._sampled[selector] = self._samples(selector)
        return self._sampled[selector]

    def _samples(self, selector: Selector) -> list[Samples]:
        step = self.engine.settings.step
        shift = round((selector.offset + (selector.window or selector.offset)).total_seconds() * 1000)
        offset = round(selector.offset.total_seconds() * 1000)
        first, last = int(self.times[0]) - shift, min(int(self.times[-1]) - offset, self.now)
        grid = Question("", -(-first // step) * step, last, step)
        inner = _SourceLeaves(self.engine, grid, self.fetch, self.now, self.warnings, self.infos)
        frame = inner.select(Selector(selector.matchers))
        return [Samples(labels, frame.times[p], v[p]) for labels, v, p in rows(frame)]

    def _state_times(self, function: str) -> Instants:
        """Return the instants that are meant: a stat on a dashboard that runs into the future means the present."""
        if self.question.step is None and function in ("actual", "anomaly_score"):
            return np.minimum(self.times, self.now)
        return self.times

    def _band_at(
        self,
        call: BandCall,
        instants: Instants,
        limit: Floats | None,
        accepted: Sequence[Accepted] = (),
        narrowing: tuple[Matcher, ...] = (),
    ) -> Frame:
        settings = self.engine.settings
        level = settings.level if call.level is None else call.level
        model = call.model or settings.model
        if model not in MODELS:
            raise bad_data(f'there is no model "{model}"; there are {", ".join(MODELS)}')
        if not len(instants):
            return frame_of(instants, [])
        if warning := counter_warning(call.operand):
            self.warnings.append(warning)
        maker = BandMaker(settings, self.engine.fitter, self.fetch, self.now, self.engine.max_series, narrowing)
        if call.function == "actual":
            return nameless(self._actual(call.operand, instants))
        if call.function == "time_to_breach":
            breaches = maker.breaches(call.operand, instants, np.asarray(limit), call.level)
            self.warnings.extend(breaches.warnings)
            return framed(instants, breaches.labels, breaches.seconds)
        if call.function in ("anomaly_band", "anomaly_score"):
            # The source answers both at once: history and panel are about the same work to it.
            with ThreadPoolExecutor(1, thread_name_prefix="actual") as beside:
                pending = beside.submit(self._actual, call.operand, instants)
                made = maker.bands(call.operand, instants, level, model)
                actual: Frame | None = pending.result()
        else:
            made, actual = maker.bands(call.operand, instants, level, model), None
        self.warnings.extend(made.warnings)
        if actual is None:
            side = {"forecast": "expected", "band_lower": "lower", "band_upper": "upper"}[call.function]
            return framed(instants, made.labels, getattr(made.band, side))
        if call.function == "anomaly_score":
            band = accepting(made.band, [without(known, ["__name__"]) for known in made.labels], instants, accepted)
            return framed(instants, made.labels, band.score(aligned(actual, made.labels)))
        return band_frame(instants, made, actual)

    def _actual(self, operand: str, instants: Instants) -> Frame:
        """Return the operand up to now: what the source repeats after it has been observed by nobody."""
        past = instants[instants <= self.now]
        if not len(past):
            return frame_of(instants, [])
        frame = self._at(past).ask(operand).frame
        if len(frame.labels) > self.engine.max_series:
            raise too_many(len(frame.labels), self.engine.max_series)
        future = ((0, 0), (0, len(instants) - len(past)))
        return Frame(instants, frame.labels, np.pad(frame.values, future), np.pad(frame.present, future))

    def _at(self, instants: Instants) -> "_SourceLeaves":
        """Return an evaluation at other instants, evenly spaced, that says what must be said here."""
        if np.array_equal(instants, self.times):
            return self
        step = int(instants[1] - instants[0]) if len(instants) > 1 else None
        shifted = Question("", int(instants[0]), int(instants[-1]), step)
        return _SourceLeaves(self.engine, shifted, self.fetch, self.now, self.warnings, self.infos)
