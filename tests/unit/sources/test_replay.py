from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from driftband.model.samples import Metric
from driftband.model.series import Labels, make_labels
from driftband.sources.replay import Replay, ReplayError, open_replay

FIXTURES = Path(__file__).parent / "replay"
TEN = 1_795_514_400_000
MINUTE = 60_000


def content(replay: Replay) -> dict[Labels, list[tuple[int, float]]]:
    return {
        labels: list(zip(one.times.tolist(), one.values.tolist(), strict=True))
        for labels, one in replay.samples.items()
    }


def load_csv(directory: Path, *texts: str) -> Replay:
    for number, text in enumerate(texts):
        (directory / f"{number}.csv").write_text(text)
    return open_replay(directory)


def labels_of(name: str, **pairs: str) -> Labels:
    return make_labels({"__name__": name, **pairs})


EXPECTED = {
    labels_of("http_requests_total", service="cart", code="200"): [(TEN, 1200.0), (TEN + MINUTE, 1262.0)],
    labels_of("http_requests_total", service="cart", code="500"): [(TEN, 3.0), (TEN + MINUTE, 4.0)],
    labels_of("queue_depth", service="checkout"): [(TEN, 4.0), (TEN + 2 * MINUTE, 6.5)],
}


@pytest.mark.parametrize("form", ["long-csv", "wide-csv", "long-parquet", "wide-parquet"])
def test_four_files_say_the_same(form: str) -> None:
    replay = open_replay(FIXTURES / form)
    assert content(replay) == EXPECTED
    assert replay.warnings == ()


def test_series_are_read_between_two_instants_both_included() -> None:
    replay = open_replay(FIXTURES / "long-csv")
    depth = labels_of("queue_depth", service="checkout")
    unknown = labels_of("nothing")
    read = replay.read([unknown, depth], TEN + 1, TEN + 2 * MINUTE)
    assert [one.labels for one in read] == [unknown, depth]
    assert read[0].times.size == 0
    assert read[1].times.tolist() == [TEN + 2 * MINUTE]
    assert replay.read([depth], TEN, TEN)[0].values.tolist() == [4.0]
    assert replay.readable() == (TEN, TEN + 2 * MINUTE)
    assert list(replay.series()) == sorted(EXPECTED)


@pytest.mark.parametrize(
    "time",
    [
        "2026-11-24T10:00:00Z",
        "2026-11-24T10:00:00.000z",
        "2026-11-24T15:30:00+05:30",
        "2026-11-24 10:00:00",
        "2026-11-24T10:00",
        "1795514400",
        "1795514400.0",
        "1.7955144e9",
        "1795514400000",
    ],
)
def test_all_spellings_of_an_instant_are_one(tmp_path: Path, time: str) -> None:
    assert content(load_csv(tmp_path, f"time,up\n{time},1\n")) == {labels_of("up"): [(TEN, 1.0)]}


def test_spellings_may_be_mixed_and_milliseconds_are_kept(tmp_path: Path) -> None:
    text = "time,up\n1795514400.25,1\n2026-11-24T10:00:01.125Z,2\n1795514402007,3\n"
    times = [(TEN + 250, 1.0), (TEN + 1125, 2.0), (TEN + 2007, 3.0)]
    assert content(load_csv(tmp_path, text)) == {labels_of("up"): times}


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
@pytest.mark.parametrize("zone", [None, "UTC", "Asia/Kolkata"])
def test_parquet_timestamps_of_every_unit_and_zone(tmp_path: Path, unit: str, zone: str | None) -> None:
    times = pd.to_datetime([TEN, TEN + MINUTE], unit="ms").as_unit(unit)
    if zone:
        times = times.tz_localize("UTC").tz_convert(zone)
    pd.DataFrame({"time": times, "up": [1, 2]}).to_parquet(tmp_path / "a.parquet")
    assert content(open_replay(tmp_path)) == {labels_of("up"): [(TEN, 1.0), (TEN + MINUTE, 2.0)]}


def test_parquet_may_keep_time_as_its_index(tmp_path: Path) -> None:
    index = pd.DatetimeIndex(pd.to_datetime([TEN], unit="ms"), name="time")
    pd.DataFrame({"up": [1.5]}, index=index).to_parquet(tmp_path / "a.parquet")
    assert content(open_replay(tmp_path)) == {labels_of("up"): [(TEN, 1.5)]}


def test_whole_numbers_with_gaps_stay_whole_as_labels(tmp_path: Path) -> None:
    frame = pd.DataFrame({"time": [TEN, TEN], "metric": ["up", "up"], "value": [1.0, 2.0], "code": [200, None]})
    frame.astype({"code": "Int64"}).to_parquet(tmp_path / "a.parquet")
    assert set(content(open_replay(tmp_path))) == {labels_of("up", code="200"), labels_of("up")}


def test_infinities_are_values_and_nan_is_absence(tmp_path: Path) -> None:
    text = "time,up\n1795514400,+Inf\n1795514401,-Inf\n1795514402,NaN\n1795514403,\n1795514404,inf\n"
    values = [(TEN, np.inf), (TEN + 1000, -np.inf), (TEN + 4000, np.inf)]
    assert content(load_csv(tmp_path, text)) == {labels_of("up"): values}


def test_a_series_goes_on_in_the_next_file_and_rows_need_no_order(tmp_path: Path) -> None:
    replay = load_csv(tmp_path, "time,up\n1795514402,3\n1795514400,1\n", "time,metric,value\n1795514401,up,2\n")
    assert content(replay) == {labels_of("up"): [(TEN, 1.0), (TEN + 1000, 2.0), (TEN + 2000, 3.0)]}
    assert replay.warnings == ()


def test_of_two_samples_at_an_instant_the_last_holds_and_a_warning_says_so(tmp_path: Path) -> None:
    first, second = 'time,up{job="a"}\n1795514400,1\n1795514400,2\n', 'time,up{job="a"}\n1795514400,3\n'
    replay = load_csv(tmp_path, first, second)
    assert content(replay) == {labels_of("up", job="a"): [(TEN, 3.0)]}
    assert replay.warnings == ('up{job="a"}: samples that another at the same instant replaces: 2',)


def test_an_empty_cell_replaces_nothing(tmp_path: Path) -> None:
    replay = load_csv(tmp_path, "time,up\n1795514400,1\n1795514400,\n")
    assert content(replay) == {labels_of("up"): [(TEN, 1.0)]}
    assert replay.warnings == ()


def test_types_follow_from_names(tmp_path: Path) -> None:
    header = 'time,a_total,b,"c_bucket{le=""+Inf""}",c_sum,c_count,d_bucket'
    assert load_csv(tmp_path, f"{header}\n1795514400,1,1,1,1,1,1\n").metrics() == {
        "a_total": Metric("counter"),
        "b": Metric("unknown"),
        "c": Metric("histogram"),
        "d_bucket": Metric("unknown"),
    }


def test_csv_of_other_programs(tmp_path: Path) -> None:
    (tmp_path / "A.CSV").write_bytes(b'\xef\xbb\xbftime, up\r\n"1795514400", 1\r\n')
    (tmp_path / "notes.txt").write_text("not read")
    assert content(open_replay(tmp_path)) == {labels_of("up"): [(TEN, 1.0)]}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "0.csv: expected CSV in UTF-8: No columns"),
        ("time,up\n", "0.csv: expected rows, found a header alone"),
        ("at,up\n1,2\n", "0.csv: expected a column time, found at, up"),
        ("time\n1\n", "0.csv: expected a column for each series beside time, found none"),
        ("time,up\n1,1\nnow,2\n", "0.csv, row 2, column time: expected RFC 3339, .*, got 'now'"),
        ("time,up\n,2\n", "0.csv, row 1, column time: .*, got ''"),
        ("time,up\n2026-13-01T00:00:00Z,2\n", "0.csv, row 1, column time: .*, got '2026-13-01T00:00:00Z'"),
        ("time,up\n1e300,2\n", "0.csv, row 1, column time: .*, got '1e300'"),
        ("time,up\n-inf,2\n", "0.csv, row 1, column time: .*, got '-inf'"),
        ("time,up\n1,yes\n", "0.csv, row 1, column up: expected a number, .*, got 'yes'"),
        ("time,up\n1,2,3\n", "0.csv: expected as many cells in each row as in the header"),
        ("time,up\n1,2\n1,2,3\n", "0.csv: .*Expected 2 fields in line 3, saw 3"),
        ("time,value\n1,2\n", "0.csv: expected both columns metric and value"),
        ("time,metric,value\n1,u p,2\n", "0.csv, row 1, column metric: expected the name of a metric, got 'u p'"),
        ("time,metric,value\n1,,2\n", "0.csv, row 1, column metric: expected the name of a metric, got ''"),
        ("time,metric,value,a-b\n1,up,2,x\n", "0.csv, column a-b: expected the name of a label"),
        ("time,metric,value,__name__\n1,up,2,x\n", "0.csv, column __name__: expected the name of a label"),
        ('time,up{a=~"b"}\n1,2\n', "0.csv, column .*: expected a metric, or a selector"),
        ('time,"up{a=""b"" or c=""d""}"\n1,2\n', "0.csv, column .*: expected a metric, or a selector"),
        ('time,{a="b"}\n1,2\n', "0.csv, column .*: expected a metric, or a selector"),
        ("time,up offset 5m\n1,2\n", "0.csv, column up offset 5m: expected a metric, or a selector"),
        ("time,up[5m]\n1,2\n", "0.csv, column .*: expected a metric, or a selector"),
        ("time,up{\n1,2\n", "0.csv, column up{: expected a metric, or a selector .*: unexpected end"),
        ("time,up\n1,\n", "expected samples, found only empty cells"),
    ],
)
def test_what_is_refused_is_named(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ReplayError, match=message):
        load_csv(tmp_path, text)


def test_bytes_that_are_no_text_or_no_parquet(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(b"time,up\n\xff\xfe,1\n")
    with pytest.raises(ReplayError, match=r"a\.csv: expected CSV in UTF-8"):
        open_replay(tmp_path)
    (tmp_path / "a.csv").rename(tmp_path / "a.parquet")
    with pytest.raises(ReplayError, match=r"a\.parquet: expected Parquet"):
        open_replay(tmp_path)


def test_a_parquet_column_of_dates_is_no_value(tmp_path: Path) -> None:
    pd.DataFrame({"time": [TEN], "up": pd.to_datetime([TEN], unit="ms")}).to_parquet(tmp_path / "a.parquet")
    with pytest.raises(ReplayError, match=r"a\.parquet, row 1, column up: expected a number"):
        open_replay(tmp_path)


def test_a_directory_without_data(tmp_path: Path) -> None:
    with pytest.raises(ReplayError, match=r"expected at least one file \*.csv or \*.parquet, found none"):
        open_replay(tmp_path)
    with pytest.raises(ReplayError, match="missing: expected a directory"):
        open_replay(tmp_path / "missing")


samples = st.dictionaries(
    st.integers(1_000_000_000_000, 2_000_000_000_000), st.floats(allow_nan=False), min_size=1, max_size=20
)
texts = st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]), min_size=1, max_size=8)
worlds = st.dictionaries(texts, samples, min_size=1, max_size=4)


@settings(max_examples=40, deadline=None)
@given(world=worlds)
def test_csv_and_parquet_give_back_what_was_written(
    world: dict[str, dict[int, float]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    rows = [("m", label, time, value) for label, held in world.items() for time, value in held.items()]
    frame = pd.DataFrame(rows, columns=["metric", "service", "time", "value"])
    written = {labels_of("m", service=label): sorted(held.items()) for label, held in world.items()}
    for kind in ("csv", "parquet"):
        directory = tmp_path_factory.mktemp(kind)
        if kind == "csv":
            frame.to_csv(directory / "a.csv", index=False)
        else:
            frame.to_parquet(directory / "a.parquet")
        assert content(open_replay(directory)) == written
