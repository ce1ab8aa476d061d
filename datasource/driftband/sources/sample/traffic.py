"""Requests of the sample world: how many, how they end, how long they take, who calls whom."""

from functools import lru_cache

import numpy as np

from driftband.model.series import Floats
from driftband.sources.sample.script import Script
from driftband.sources.sample.shapes import day_minutes, generator, poisson, wander, weekday
from driftband.sources.sample.shop import BY_NAME, CALLS, NEW_CALL, PODS

BOUNDS = ("0.02", "0.04", "0.08", "0.16", "0.32", "0.64", "1.28", "2.56", "5.12", "+Inf")
"""Upper bounds of the latency buckets (seconds), written as OpenMetrics does."""

_UPPER = np.array([float(bound) for bound in BOUNDS])
# What a request in each bucket takes, for the sum: inside the bounds, and a slow one beyond the last.
_TYPICAL = np.concatenate([[0.014], np.sqrt(_UPPER[:-2] * _UPPER[1:-1]), [7.0]])
# Sums are kept in whole 1/1024 s: exact in binary, so a counter adds up to the same in any order and never steps back.
GRAIN = 1024.0


@lru_cache(maxsize=64)
def _season(service: str, weekday_: int) -> Floats:
    # The first week of the epoch began on a Thursday; day 4 was a Monday.
    level = BY_NAME[service].season.level(4 + weekday_)
    level.setflags(write=False)
    return level


def load(service: str, day: int, script: Script) -> Floats:
    """Return the expected requests a minute of all pods of ``service``, shape (1440,)."""
    shop = 0.05 * wander("load", day)
    own = 0.045 * wander(f"load/{service}", day)
    usual = BY_NAME[service].peak * _season(service, weekday(day)) * np.exp(shop + own)
    return np.asarray(usual * script.effect(service, day_minutes(day)).load)


def pod_load(service: str, pod: int, day: int, script: Script) -> Floats:
    """Return the expected requests a minute of one pod: its fluctuating share, all or nothing during restarts."""
    minutes = day_minutes(day)
    weights = [
        np.exp(0.03 * wander(f"share/{service}/{other}", day)) * script.answering(service, other, minutes)
        for other in range(PODS)
    ]
    total = np.maximum(np.sum(weights, axis=0), np.finfo(np.float64).tiny)
    return np.asarray(load(service, day, script) * weights[pod] / total)


def requests(service: str, pod: int, day: int, script: Script) -> Floats:
    """Return one pod's requests a minute, shape (3 + len(BOUNDS) + 2, 1440).

    The rows: answered with 200, the client's error, 500; then the cumulative buckets, their sum and their count. The
    count is that of all answers.
    """
    source = generator(f"requests/{service}/{pod}", day)
    effect = script.effect(service, day_minutes(day))
    expected = pod_load(service, pod, day, script)
    buckets = poisson(expected * _latency_shares(service, pod, day, script), source)
    count = buckets.sum(axis=0)
    usual = BY_NAME[service]
    trouble = usual.server_errors * np.exp(0.35 * wander(f"errors/{service}", day)) + effect.errors
    server = np.minimum(poisson(expected * trouble, source), count)
    client = np.minimum(poisson(expected * usual.client_errors, source), count - server)
    seconds = np.rint(GRAIN * (_TYPICAL @ buckets)) / GRAIN
    return np.vstack([count - server - client, client, server, np.cumsum(buckets, axis=0), seconds, count])


def _latency_shares(service: str, pod: int, day: int, script: Script) -> Floats:
    """Return the share of requests in each bucket, (len(BOUNDS), 1440): a log-logistic law whose median breathes."""
    usual = BY_NAME[service]
    effect = script.effect(service, day_minutes(day))
    busy = load(service, day, script) / usual.peak
    noise = 0.05 * wander(f"latency/{service}", day) + 0.02 * wander(f"latency/{service}/{pod}", day)
    median = usual.median * (1 + 0.45 * busy * busy) * np.exp(noise) * effect.latency
    tail = usual.tail * effect.tail * np.exp(0.03 * wander(f"tail/{service}", day))
    below = 1 / (1 + np.exp(-tail * np.log(_UPPER[:-1, None] / median)))
    return np.diff(below, axis=0, prepend=0.0, append=1.0)


def calls(day: int, script: Script) -> Floats:
    """Return the calls a minute between services, a row for each of ``CALLS`` and the new one, shape (len(CALLS) + 1, 1440)."""
    expected = np.array([share * load(server, day, script) for _, server, share in CALLS])
    client, server, share = NEW_CALL
    added = share * load(server, day, script) * script.flag_on(day_minutes(day))
    return np.vstack(
        [poisson(expected, generator("calls", day)), poisson(added, generator(f"calls/{client}/{server}", day))]
    )
