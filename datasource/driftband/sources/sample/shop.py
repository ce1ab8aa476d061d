"""The six services of the shop: how busy, how fast and how big each is when nothing happens."""

from dataclasses import dataclass

from driftband.sources.sample.shapes import Season

PODS = 2
"""Pods of each service."""

MIB = 2**20
MEMORY_LIMIT = 1024 * MIB
"""Bytes at which a pod of the shop is killed for want of memory; the limit to ask ``time_to_breach`` about."""

POOL = 40
"""Database connections that a pod may use."""


@dataclass(frozen=True, kw_only=True)
class Service:
    """One service of the shop in ordinary times.

    peak: requests a minute at the busiest hour of a weekday, all pods together. median: seconds a request takes when
    idle. tail: exponent of the latency's log-logistic distribution; less is a longer tail. server_errors,
    client_errors: share of requests answered with 500 and with ``client_code``. memory: bytes of a warm, idle pod. cpu:
    CPU seconds a request. connections: used by a pod at its peak; 0 for a service without a database. release:
    (weekday, minute of the day) when a new version usually goes out.
    """

    name: str
    season: Season
    peak: float
    median: float
    tail: float
    server_errors: float
    client_errors: float
    client_code: str
    memory: float
    cpu: float
    release: tuple[int, int]
    connections: float = 0.0


SERVICES = (
    Service(
        name="frontend", peak=4800, median=0.070, tail=4.2, server_errors=0.0015, client_errors=0.012,
        client_code="404", memory=310 * MIB, cpu=0.020, release=(1, 9 * 60 + 40),
        season=Season(((12.5, 2.2, 0.42), (20.3, 2.0, 0.78)), floor=0.10, weekend=0.72),
    ),
    Service(
        name="cart", peak=1500, median=0.030, tail=4.0, server_errors=0.0008, client_errors=0.004, client_code="409",
        memory=190 * MIB, cpu=0.008, release=(2, 13 * 60 + 15),
        season=Season(((13.0, 1.6, 0.38), (20.8, 1.7, 0.86)), floor=0.09, weekend=0.66, weekend_later=1.5),
    ),
    Service(
        name="checkout", peak=900, median=0.130, tail=4.6, server_errors=0.0025, client_errors=0.008, client_code="422",
        memory=420 * MIB, cpu=0.060, release=(3, 10 * 60 + 5), connections=14,
        season=Season(((12.8, 1.5, 0.45), (21.0, 1.6, 0.88)), floor=0.11, weekend=0.60, weekend_later=1.5),
    ),
    Service(
        name="payment", peak=520, median=0.270, tail=5.0, server_errors=0.0012, client_errors=0.021, client_code="402",
        memory=280 * MIB, cpu=0.030, release=(0, 14 * 60 + 30), connections=8,
        season=Season(((12.9, 1.4, 0.50), (21.1, 1.4, 0.97)), floor=0.004, weekend=0.58, weekend_later=1.5),
    ),
    Service(
        name="catalog", peak=3600, median=0.030, tail=3.8, server_errors=0.0006, client_errors=0.018, client_code="404",
        memory=520 * MIB, cpu=0.012, release=(2, 8 * 60 + 50), connections=18,
        season=Season(((9.6, 1.8, 0.35), (15.0, 2.6, 0.45), (20.1, 2.1, 0.70)), floor=0.12, weekend=0.80),
    ),
    Service(
        name="recommendation", peak=2000, median=0.055, tail=3.6, server_errors=0.0011, client_errors=0.002,
        client_code="404", memory=360 * MIB, cpu=0.035, release=(1, 15 * 60 + 20),
        season=Season(((8.2, 1.0, 0.30), (12.3, 1.5, 0.40), (19.6, 2.4, 0.80)), floor=0.09, weekend=0.88),
    ),
)  # fmt: skip

BY_NAME = {service.name: service for service in SERVICES}

CALLS = (
    ("frontend", "catalog", 0.95),
    ("frontend", "cart", 0.85),
    ("frontend", "recommendation", 1.0),
    ("frontend", "checkout", 1.0),
    ("checkout", "cart", 0.15),
    ("checkout", "payment", 1.0),
    ("recommendation", "catalog", 0.05),
)
"""(client, server, share of the server's requests that come from that client)."""
NEW_CALL = ("recommendation", "cart", 0.1)
"""A call that is made since a feature flag is on (see ``script``)."""
