"""What the sample world's pods and nodes use: memory, CPU, connections, queues, disks."""

import numpy as np

from driftband.model.series import Floats
from driftband.sources.sample.script import SMALL_POOL, Script
from driftband.sources.sample.shapes import DAY_MINUTES, day_minutes, generator, poisson, wander
from driftband.sources.sample.shop import BY_NAME, MEMORY_LIMIT, PODS, POOL
from driftband.sources.sample.traffic import GRAIN, load, pod_load

PAGE = 4096
DISK = 200 * 10**9
"""Size of a node's disk in bytes."""

_WARM_UP = 150.0
_WEEK = 7 * DAY_MINUTES
# Sunday 03:10: logs are rotated. The epoch was a Thursday.
_ROTATION = 3 * DAY_MINUTES + 190


def memory(service: str, pod: int, day: int, script: Script) -> Floats:
    """Return a pod's resident memory in bytes, shape (1, 1440): warms up, breathes with load; one service leaks."""
    usual, minutes = BY_NAME[service], day_minutes(day)
    name = f"memory/{service}/{pod}"
    warm = 1 - 0.4 * np.exp(-script.ages(service, pod, minutes) / _WARM_UP)
    busy = load(service, day, script) / usual.peak
    jitter = generator(name, day).standard_normal(DAY_MINUTES)
    level = usual.memory * (warm + 0.10 * busy + 0.02 * wander(name, day) + 0.003 * jitter)
    if service == "recommendation":
        taken = script.leaked(pod, minutes) * (MEMORY_LIMIT - usual.memory)
        level = np.minimum(level + taken, MEMORY_LIMIT)
    return np.rint(level / PAGE)[None, :] * PAGE


def cpu(service: str, pod: int, day: int, script: Script) -> Floats:
    """Return the CPU seconds a pod's container uses in each minute, shape (1, 1440)."""
    minutes = day_minutes(day)
    name = f"cpu/{service}/{pod}"
    jitter = generator(name, day).standard_normal(DAY_MINUTES)
    idle = 60 * 0.035 * (1 + 0.1 * np.abs(wander(f"{name}/idle", day)))
    work = pod_load(service, pod, day, script) * BY_NAME[service].cpu * np.exp(0.05 * wander(name, day) + 0.04 * jitter)
    cold = 9.0 * np.exp(-script.ages(service, pod, minutes) / 3.0)
    seconds = (idle + work + cold) * script.answering(service, pod, minutes)
    return np.rint(seconds * GRAIN)[None, :] / GRAIN


def connections(service: str, pod: int, day: int, script: Script) -> Floats:
    """Return a pod's database connections: in use and allowed, shape (2, 1440)."""
    usual, minutes = BY_NAME[service], day_minutes(day)
    name = f"connections/{service}/{pod}"
    allowed = np.full(DAY_MINUTES, float(POOL))
    wanted = 1.5 + usual.connections * PODS * pod_load(service, pod, day, script) / usual.peak
    wanted = wanted * np.exp(0.10 * wander(name, day))
    if service == "checkout":
        # Whoever gets no connection waits and holds his place.
        wanted = wanted + 4 * SMALL_POOL * script.trouble(minutes)
        allowed[script.small_pool(minutes)] = SMALL_POOL
    jitter = 0.6 * generator(name, day).standard_normal(DAY_MINUTES)
    used = np.clip(np.rint(wanted + jitter * np.sqrt(wanted / 4)), 0, allowed)
    return np.vstack([used, allowed])


def queues(day: int, script: Script) -> Floats:
    """Return how many orders and how many e-mails wait, shape (2, 1440)."""
    minutes = day_minutes(day)
    source = generator("queues", day)
    orders = load("checkout", day, script) / BY_NAME["checkout"].peak
    emails = load("payment", day, script) / BY_NAME["payment"].peak
    expected = np.vstack(
        [
            (1 + 9 * orders + 22 * orders**2) * np.exp(0.22 * wander("queue/orders", day)),
            (0.4 + 14 * emails) * np.exp(0.30 * wander("queue/emails", day)),
        ]
    )
    depth = poisson(expected, source)
    depth[0] += np.rint(script.backlog(minutes) * np.exp(0.05 * wander("queue/backlog", day)))
    return depth


def replicas(service: str, day: int, script: Script) -> Floats:
    """Return how many pods of a service are available, shape (1, 1440)."""
    minutes = day_minutes(day)
    available = np.sum([script.answering(service, pod, minutes) for pod in range(PODS)], axis=0)
    return np.asarray(available, dtype=np.float64)[None, :]


def disk(node: int, day: int) -> Floats:
    """Return the bytes left on a node's disk, shape (1, 1440): logs fill it until they are rotated on Sunday."""
    minutes = day_minutes(day)
    since = (minutes - _ROTATION) % _WEEK / _WEEK
    daily = 0.004 * wander(f"disk/{node}", day) * np.sqrt(since * (1 - since))
    used = (0.34 + 0.50 * since if node == 1 else 0.41 + 0.05 * since) + daily
    return np.rint(DISK * (1 - used) / PAGE)[None, :] * PAGE
