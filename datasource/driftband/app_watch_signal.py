"""A signal that is watched: its bands, and the detectors of signals."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from driftband.app_watch_one import Judged, OneWatch, Surroundings, last_there
from driftband.detect.detector import States
from driftband.model.departure import accepting
from driftband.model.series import Instants, Labels
from driftband.model.signal import Watched, WatchedSignal
from driftband.query.watching import SignalBands, first_of
from driftband.store.accepted import accepted_of
from driftband.store.watching import Progress


class SignalWatch(OneWatch[Watched]):
    """Sees what a panel would draw of the signal."""

    def __init__(self, rule: WatchedSignal, bands: SignalBands, progress: Progress, around: Surroundings) -> None:
        super().__init__(rule, progress, around)
        self._signal, self._bands = rule, bands

    def _see(self, instants: Instants) -> Watched:
        seen = self._bands.see(self._around.fetch, instants)
        accepted = accepted_of(self._around.database, self._around.settings.accept_after, self._signal.name)
        band = accepting(seen.band, seen.labels, instants, accepted)
        return seen if band is seen.band else replace(seen, band=band, score=band.score(seen.values))

    def _first(self, seen: Watched, count: int) -> Watched:
        return first_of(seen, count)

    def _step(self, states: Mapping[str, States], seen: Watched) -> Judged:
        judged = {
            detector.kind: detector.step(self._signal, states.get(detector.kind, {}), seen, self._around.interval)
            for detector in self._around.detectors
        }
        return {kind: after for kind, (after, _) in judged.items()}, [e for _, told in judged.values() for e in told]

    def _with_band(self, seen: Watched) -> int:
        return int((~np.isnan(seen.score[:, -1])).sum())

    def _last_seen(self, seen: Watched, subjects: Sequence[tuple[str, Labels]]) -> dict[tuple[str, Labels], int]:
        rows = {labels: row for row, labels in enumerate(seen.labels)}
        found = {
            (kind, labels): last_there(seen.times, ~np.isnan(seen.values[rows[labels]]))
            for kind, labels in subjects
            if labels in rows
        }
        return {subject: at for subject, at in found.items() if at is not None}
