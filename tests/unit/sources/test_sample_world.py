from datetime import UTC, datetime
from functools import cache

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from driftband.model.samples import Samples
from driftband.model.series import Labels
from driftband.sources.sample.script import Script
from driftband.sources.sample.shapes import DAY_MINUTES, MINUTE
from driftband.sources.sample.shop import MEMORY_LIMIT, SERVICES
from driftband.sources.sample.world import DAY, World

HOUR = 60 * MINUTE
NOW = int(datetime(2026, 11, 24, 10, 17, 42, tzinfo=UTC).timestamp() * 1000)
SERVICE_NAMES = {service.name for service in SERVICES}
TOUCHED = {"checkout", "payment", "frontend", "recommendation"}


@cache
def world(now: int = NOW) -> World:
    return World(lambda: now)


def select(of: World, name: str, **pairs: str) -> list[Labels]:
    wanted = {"__name__": name, **pairs}
    return [labels for labels in of.series() if wanted.items() <= dict(labels).items()]


def read(name: str, start: int = 0, end: int = NOW, **pairs: str) -> list[Samples]:
    return list(world().read(select(world(), name, **pairs), start, end))


def increase(samples: Samples) -> float:
    steps = np.diff(samples.values)
    return float(np.where(steps < 0, samples.values[1:], steps).sum())


def total(name: str, start: int, end: int, **pairs: str) -> float:
    return sum(increase(one) for one in read(name, start, end, **pairs))


def same(one: Samples, other: Samples) -> bool:
    return np.array_equal(one.times, other.times) and np.array_equal(one.values, other.values)


def test_every_service_has_every_signal() -> None:
    per_service = {
        "http_requests_total", "http_request_duration_seconds_bucket", "http_request_duration_seconds_sum",
        "http_request_duration_seconds_count", "process_resident_memory_bytes", "container_cpu_usage_seconds_total",
        "kube_deployment_status_replicas_available", "up",
    }  # fmt: skip
    for service in SERVICE_NAMES:
        assert per_service <= {
            dict(labels)["__name__"] for labels in world().series() if ("service", service) in labels
        }
    assert len(world().series()) == len(set(world().series())) <= 255
    assert all(("env", "demo") in labels and "region" in dict(labels) for labels in world().series())
    codes = {dict(labels)["code"] for labels in select(world(), "http_requests_total", service="payment")}
    assert codes == {"200", "402", "500"}


def test_metadata_covers_the_series_and_nothing_else() -> None:
    known = world().metrics()
    parts = {f"{name}{part}" for name, metric in known.items() if metric.type == "histogram"
             for part in ("_bucket", "_sum", "_count")}  # fmt: skip
    plain = {name for name, metric in known.items() if metric.type != "histogram"}
    assert {dict(labels)["__name__"] for labels in world().series()} == parts | plain
    assert all(metric.help for metric in known.values())


@settings(max_examples=20, deadline=None)
@given(now=st.integers(NOW - 400 * DAY, NOW + 400 * DAY))
def test_at_any_time_there_are_three_weeks_up_to_now_and_none_after(now: int) -> None:
    for samples in World(lambda: now).read(select(world(), "up", job="kubelet"), 0, now + DAY):
        assert samples.times[0] <= now - 21 * DAY + MINUTE
        assert now - MINUTE < samples.times[-1] <= now
        assert np.array_equal(np.diff(samples.times), np.full(samples.times.size - 1, MINUTE))
        assert samples.times.size >= 30_240


def test_time_goes_on_in_a_world_without_its_past_changing() -> None:
    clock = [NOW]
    moving = World(lambda: clock[0])
    labels = [*select(moving, "http_requests_total"), *select(moving, "process_resident_memory_bytes")]
    before = moving.read(labels, NOW - 10 * DAY, NOW)
    clock[0] = NOW + 9 * HOUR
    after = moving.read(labels, NOW - 10 * DAY, NOW)
    assert all(same(*pair) for pair in zip(before, after, strict=True))
    assert all(one.times.size > 8 * 60 for one in moving.read(labels, NOW + 1, NOW + 9 * HOUR))


def test_worlds_made_at_different_times_agree_outside_the_two_stories() -> None:
    other = world(NOW + 3 * DAY + 5 * HOUR)
    untouched = [
        labels
        for labels in world().series()
        if dict(labels).get("service") not in TOUCHED and "server" not in dict(labels)
    ]
    start, end = NOW - 17 * DAY, NOW
    for labels in untouched:
        assert same(*(of.read([labels], start, end)[0] for of in (world(), other))), labels
    quiet = min(world().script.leak_start, other.script.leak_start) - HOUR
    for labels in world().series():
        assert same(*(of.read([labels], start, quiet)[0] for of in (world(), other))), labels


def test_two_worlds_of_the_same_four_hours_are_one() -> None:
    anchor = world().script.incident[0]
    first, last = (World(lambda at=at: at) for at in (anchor + 3 * HOUR, anchor + 7 * HOUR - 1))  # type: ignore[misc]
    assert first.script == last.script
    labels = first.series()
    for pair in zip(*(of.read(labels, anchor - HOUR, anchor + 2 * HOUR) for of in (first, last)), strict=True):
        assert same(*pair)


def test_a_later_world_goes_on_with_the_story_that_it_is_given() -> None:
    later = World(lambda: NOW + 3 * DAY, world().script)
    assert later.script != World(lambda: NOW + 3 * DAY).script
    labels = later.series()
    for pair in zip(*(of.read(labels, NOW - 6 * DAY, NOW) for of in (world(), later)), strict=True):
        assert same(*pair)
    ahead = later.read(labels, NOW, NOW + 10 * MINUTE)
    assert sum(one.times.size > 8 for one in ahead) > 0.9 * len(labels)


@settings(max_examples=50, deadline=None)
@given(data=st.data(), start=st.integers(NOW - 21 * DAY, NOW), length=st.integers(0, 3 * DAY))
def test_a_part_read_is_a_part_of_the_whole(data: st.DataObject, start: int, length: int) -> None:
    labels = data.draw(st.sampled_from(world().series()))
    (whole,) = world().read([labels], 0, NOW)
    fresh = World(lambda: NOW) if length < HOUR else world()
    (part,) = fresh.read([labels], start, start + length)
    inside = (whole.times >= start) & (whole.times <= start + length)
    assert same(part, Samples(labels, whole.times[inside], whole.values[inside]))


def test_an_unknown_series_and_an_empty_span_are_empty() -> None:
    unknown = (("__name__", "nothing"),)
    first, second = world().read([unknown, world().series()[0]], NOW, NOW - 1)
    assert first.times.size == second.times.size == 0
    assert world().read([unknown], 0, NOW)[0].labels == unknown


def test_counters_fall_only_where_their_pod_restarts() -> None:
    script = world().script
    for labels in world().series():
        pairs = dict(labels)
        if not pairs["__name__"].endswith(("_total", "_bucket", "_sum", "_count")):
            continue
        (samples,) = world().read([labels], 0, NOW)
        falls = samples.times[1:][np.diff(samples.values) < 0] // MINUTE
        pod = pairs.get("pod", pairs["instance"]).split(".")[0]
        if "service" in pairs:
            days = range(int(samples.times[0]) // DAY, NOW // DAY + 1)
            restarts = {at for day in days for at in script.restarts(pairs["service"], int(pod[-1]), day)}
            assert set(falls.tolist()) <= restarts, labels
        assert (samples.values >= 0).all()
        if pairs.get("le") == "+Inf" and pairs["service"] == "catalog":
            assert falls.size == 3


def test_buckets_are_cumulative_and_end_in_the_count_of_all_answers() -> None:
    for service in SERVICE_NAMES:
        for pod in (0, 1):
            instance = f"{service}-{pod}.shop.svc:8080"
            buckets = sorted(
                read("http_request_duration_seconds_bucket", instance=instance),
                key=lambda one: float(dict(one.labels)["le"]),
            )
            (count,) = read("http_request_duration_seconds_count", instance=instance)
            values = np.array([one.values for one in buckets])
            assert (np.diff(values, axis=0) >= 0).all()
            assert np.array_equal(values[-1], count.values)
            answers = [one.values for one in read("http_requests_total", instance=instance)]
            assert np.array_equal(np.sum(answers, axis=0), count.values)


def test_a_day_has_its_season_and_weekends_are_quieter() -> None:
    def answered(service: str, day: int, hour: int, hours: int = 1) -> float:
        start = day * DAY + hour * HOUR
        return total("http_requests_total", start, start + hours * HOUR, service=service)

    monday = NOW // DAY - 8
    for service in SERVICE_NAMES:
        assert answered(service, monday, 20) > 4 * answered(service, monday, 3)
        assert answered(service, monday, 0, 24) > 1.05 * answered(service, monday + 5, 0, 24)
    assert answered("payment", monday, 2) < 4 * 60
    afternoon = {
        service: answered(service, monday, 14, 4) / answered(service, monday, 0, 24) for service in SERVICE_NAMES
    }
    assert afternoon["catalog"] > 1.3 * afternoon["payment"]


def test_releases_blip_and_take_a_pod_away_for_two_scrapes() -> None:
    script = world().script
    day = next(day for day in range(NOW // DAY - 8, NOW // DAY) if script.releases("catalog", day))
    (release,) = script.releases("catalog", day)
    at = release * MINUTE
    (up,) = read("up", at - 10 * MINUTE, at + 10 * MINUTE - 1, instance="catalog-0.shop.svc:8080")
    assert up.values.tolist() == [1.0] * 8 + [0.0] * 2 + [1.0] * 10
    (memory,) = read("process_resident_memory_bytes", at - 10 * MINUTE, at + 10 * MINUTE - 1,
                     instance="catalog-0.shop.svc:8080")  # fmt: skip
    assert np.array_equal(memory.times, up.times[up.values == 1])
    assert memory.values[8] < 0.75 * memory.values[7]
    (available,) = read(
        "kube_deployment_status_replicas_available", at - 10 * MINUTE, at + 20 * MINUTE, deployment="catalog"
    )
    assert sorted(set(available.values.tolist())) == [1.0, 2.0]


def error_ratio(service: str, start: int, end: int) -> float:
    errors = total("http_requests_total", start, end, service=service, code="500")
    return errors / total("http_requests_total", start, end, service=service)


def slow_share(service: str, start: int, end: int, bound: str) -> float:
    within = total("http_request_duration_seconds_bucket", start, end, service=service, le=bound)
    return 1 - within / total("http_request_duration_seconds_count", start, end, service=service)


def test_the_incident_is_recent_sharp_in_checkout_and_milder_around_it() -> None:
    start, end = world().script.incident
    assert end - start == 90 * MINUTE
    before = start - DAY, end - DAY
    during = start + 10 * MINUTE, end
    assert error_ratio("checkout", *before) < 0.01
    assert error_ratio("checkout", *during) > 0.10
    assert slow_share("checkout", *before, "1.28") < 0.01
    assert slow_share("checkout", *during, "1.28") > 0.10
    assert 0.005 < error_ratio("frontend", *during) < 0.05
    assert slow_share("payment", *before, "0.64") * 2 < slow_share("payment", *during, "0.64")
    assert error_ratio("catalog", *during) < 0.005
    assert error_ratio("checkout", end + HOUR, end + 2 * HOUR) < 0.02


def test_the_incident_comes_from_a_smaller_pool_and_orders_pile_up() -> None:
    start, end = world().script.incident
    inside = start + 10 * MINUTE, end - MINUTE
    for used, allowed in zip(
        read("db_connections_in_use", *inside, service="checkout"), read("db_connections_max", *inside, service="checkout"),
        strict=True,
    ):  # fmt: skip
        assert set(allowed.values.tolist()) == {6.0}
        assert (used.values == 6).all()
    assert {one.values[-1] for one in read("db_connections_max")} == {40.0}
    (orders,) = read("queue_depth", queue="orders")
    assert start < orders.times[np.argmax(orders.values)] <= end + 5 * MINUTE
    assert orders.values.max() > 5 * np.quantile(orders.values, 0.99)


@settings(max_examples=200)
@given(now=st.integers(0, 2**41))
def test_the_incident_began_three_to_seven_hours_before_now(now: int) -> None:
    start, _ = Script.at(now).incident
    assert now - 7 * HOUR < start <= now - 3 * HOUR
    assert start % (4 * HOUR) == 0


def test_the_leak_comes_to_its_limit_within_a_day() -> None:
    script = world().script
    for samples in read("process_resident_memory_bytes", service="recommendation"):
        before = samples.values[samples.times < script.leak_start - HOUR]
        daily = [samples.values[(samples.times > at) & (samples.times < at + DAY)].mean()
                 for at in range(script.leak_start + HOUR, NOW - DAY, DAY)]  # fmt: skip
        assert before.max() < 0.5 * MEMORY_LIMIT
        assert (np.diff(daily) > 0.05 * MEMORY_LIMIT).all()
        assert daily[-1] < samples.values[-1] < MEMORY_LIMIT
        slope = (samples.values[-1] - samples.values[-DAY_MINUTES]) / DAY
        assert (MEMORY_LIMIT - samples.values[-1]) / slope < 1.5 * DAY


def test_a_leaking_pod_is_killed_and_begins_again() -> None:
    clock = [NOW]
    ahead = World(lambda: clock[0])
    clock[0] = later = NOW + 2 * DAY
    for samples in ahead.read(select(ahead, "process_resident_memory_bytes", service="recommendation"), NOW, later):
        assert samples.values.max() <= MEMORY_LIMIT
        assert samples.values[-1] < 0.6 * samples.values.max()


def test_other_stores_of_samples_fill_and_are_emptied() -> None:
    for samples in read("node_filesystem_avail_bytes", instance="node-1:9100"):
        rises = np.flatnonzero(np.diff(samples.values) > 10**10)
        assert rises.size == 3
        assert (samples.values > 0).all()
