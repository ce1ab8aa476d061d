"""The seasonal model against Prophet on the real series of numenta/NAB, side by side in one run.

    python tests/benchmarks/bench_forecast.py --nab DIR     # a checkout of github.com/numenta/NAB

One day ahead from two midnights of each series, with the 14 days before; MASE is scaled by the one-day seasonal naive.
"""

import argparse
import logging
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd

from driftband.forecast import engine
from driftband.forecast.prophet_model import LOGGERS
from driftband.model.band import DAY, HOUR, Band, BandSettings
from driftband.model.series import Bools, Floats, History

FOLDERS = ("realAWSCloudwatch", "realAdExchange", "realKnownCause", "realTraffic", "realTweets")
MINUTE = 60_000
LEVEL = 0.99
LEAST_DAYS = 5
ORIGINS = 2
BATCH = 20


@dataclass(frozen=True, eq=False)
class Case:
    name: str
    history: History
    at: int
    settings: BandSettings
    scale: float

    @property
    def actual(self) -> Floats:
        return self.history.between(self.at, self.at + DAY).values

    @property
    def window(self) -> History:
        return self.history.between(self.at - self.settings.history, self.at)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--nab", type=Path, required=True, help="folder of a checkout of numenta/NAB")
    folder = parser.parse_args().nab / "data"
    if not folder.is_dir():
        print(f"skipped: there is no {folder}; check out github.com/numenta/NAB there")
        return 0
    for name in LOGGERS:
        logging.getLogger(name).disabled = True
    cases = [case for path in series_files(folder) for case in cases_of(path)]
    report(cases)
    return 0


def series_files(folder: Path) -> Iterator[Path]:
    for name in FOLDERS:
        yield from sorted((folder / name).glob("*.csv"))


def cases_of(path: Path) -> Iterator[Case]:
    history = read(path)
    settings = BandSettings(step=history.step)
    first = -(-history.start // DAY) * DAY + LEAST_DAYS * DAY
    last = history.end // DAY * DAY - DAY
    for at in sorted(
        {int(at) // DAY * DAY for at in np.linspace((first + last) / 2, last, ORIGINS)} if last >= first else ()
    ):
        case = Case(path.stem, history, at, settings, 1.0)
        per_day = DAY // history.step
        moves = np.abs(case.window.values[:, per_day:] - case.window.values[:, :-per_day])
        enough = np.isfinite(case.actual).sum() >= per_day // 20
        if enough and np.isfinite(moves).any() and np.nanmean(moves) > 0:
            yield replace(case, scale=float(np.nanmean(moves)))


def read(path: Path) -> History:
    """Means on a grid of 5 minutes, or of what the series itself has where that is coarser."""
    table = pd.read_csv(path, parse_dates=["timestamp"])
    times = table["timestamp"].to_numpy().astype("datetime64[ms]").astype(np.int64)
    usual = float(np.median(np.diff(times)))
    step = next(step for step in (5 * MINUTE, 30 * MINUTE, HOUR) if usual < 1.5 * step)
    places = -(-times // step)
    count = np.bincount(places - places.min())
    total = np.bincount(places - places.min(), weights=table["value"].to_numpy(dtype=np.float64))
    values = np.where(count > 0, total / np.maximum(count, 1), np.nan)
    return History(int(places.min()) * step, step, ((("name", path.stem),),), values[None])


def ours(case: Case, now: int) -> Band:
    fit = engine.fit(case.window, case.at, case.settings, "seasonal")
    track = engine.follow(fit, case.history, now, LEVEL)
    return engine.bands(track, np.arange(case.at, case.at + DAY, case.settings.step), now)


def prophet(case: Case, samples: int) -> tuple[Floats, Floats, Floats]:
    from prophet import Prophet  # noqa: PLC0415 - only once it is sure that there is something to compare

    times = pd.to_datetime(case.window.times, unit="ms")
    values = case.window.values[0]
    known = ~np.isnan(values)
    model = Prophet(interval_width=LEVEL, uncertainty_samples=samples)
    np.random.seed(0)  # noqa: NPY002 - Prophet draws its intervals from the global generator
    model.fit(pd.DataFrame({"ds": times[known], "y": values[known]}), seed=0)
    ahead = pd.to_datetime(np.arange(case.at, case.at + DAY, case.settings.step), unit="ms")
    found = model.predict(pd.DataFrame({"ds": ahead}))
    expected = found["yhat"].to_numpy()[None]
    if not samples:
        return expected, expected, expected
    return expected, found["yhat_lower"].to_numpy()[None], found["yhat_upper"].to_numpy()[None]


def report(cases: list[Case]) -> None:
    rows = []
    for place, case in enumerate(cases):
        if sys.stderr.isatty():
            print(f"\r{place + 1}/{len(cases)}", end="", file=sys.stderr)
        ahead, live = ours(case, case.at), ours(case, case.at + DAY)
        known = np.isfinite(case.actual) & np.isfinite(ahead.expected)
        if not known.any():
            continue
        expected, lower, upper = prophet(case, 300)
        both = known & np.isfinite(live.expected)
        score = np.abs(live.score(case.actual))[both]
        drawn = ~inside(case, live.lower, live.upper, both)
        rows.append(
            (
                mase(case, ahead.expected, known) / mase(case, expected, known),
                inside(case, ahead.lower, ahead.upper, known).mean(),
                inside(case, lower, upper, known).mean(),
                inside(case, live.lower, live.upper, both).mean() if both.any() else np.nan,
                ((score >= 1) & ~drawn).mean() if both.any() else np.nan,
            )
        )
    ratio, own, theirs, live_own, departed = np.array(rows).T
    full = next(case for case in cases if case.settings.step == 5 * MINUTE and np.isfinite(case.window.values).all())
    alone, theirs_alone = timed(lambda: ours(full, full.at), 50), timed(lambda: prophet(full, 0), 5)
    batch = History(
        full.window.start,
        full.window.step,
        tuple((("n", str(n)),) for n in range(BATCH)),
        full.window.values.repeat(BATCH, 0),
    )
    together = timed(lambda: engine.fit(batch, full.at, full.settings, "seasonal"), 10) / BATCH
    print(f"\n{len(ratio)} days of {len({case.name for case in cases})} series of NAB")
    print(f"{'':44}{'seasonal':>10}{'Prophet':>10}{'ratio':>10}")
    print(
        f"{'fit and a day of bands, 14 d of 5 min, ms':44}{alone:10.2f}{theirs_alone:10.1f}{theirs_alone / alone:9.0f}x"
    )
    print(f"{f'fit of one of {BATCH} in a batch, ms':44}{together:10.2f}")
    print(
        f"{'MASE one day ahead, geometric mean of ratios':44}{'':20}{np.exp(np.mean(np.log(np.maximum(ratio, 1e-6)))):10.3f}"
    )
    print(f"{'coverage of the 99% band, one day ahead':44}{own.mean():10.3f}{theirs.mean():10.3f}")
    print(f"{'coverage of the 99% band, live':44}{np.nanmean(live_own):10.3f}{theirs.mean():10.3f}")
    print(f"{'share inside the band but departed':44}{np.nanmean(departed):10.3f}")


def mase(case: Case, expected: Floats, known: Bools) -> float:
    return float(np.abs(case.actual - expected)[known].mean()) / case.scale + 1e-9


def inside(case: Case, lower: Floats, upper: Floats, known: Bools) -> Bools:
    return ((case.actual >= lower) & (case.actual <= upper))[known]


def timed(act: Callable[[], object], times: int) -> float:
    """The least of milliseconds: what the machine does besides is nobody's cost."""
    act()
    spans = []
    for _ in range(times):
        begin = time.perf_counter()
        act()
        spans.append(time.perf_counter() - begin)
    return min(spans) * 1000


if __name__ == "__main__":
    sys.exit(main())
