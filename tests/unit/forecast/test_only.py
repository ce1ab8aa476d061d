from dataclasses import fields

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from driftband.forecast import engine
from driftband.model.band import DAY, Band, BandSettings
from driftband.model.series import History

from .conftest import AT

HOUR = 3_600_000
SETTINGS = BandSettings(step=HOUR)
SERIES, DAYS = 6, 15


def _history() -> History:
    chance = np.random.default_rng(4)
    hours = np.arange(DAYS * 24)
    values = 100 + 20 * np.sin(hours / 24 * 2 * np.pi) + chance.normal(0, 1, (SERIES, len(hours)))
    values[1, :-30] = np.nan  # young
    values[2, ::3] = np.nan
    values[3] = 0
    values[4, :-10] = np.nan  # too young for a band
    labels = tuple((("series", str(number)),) for number in range(SERIES))
    return History(AT - 14 * DAY, HOUR, labels, values)


HISTORY = _history()
FIT = engine.fit(HISTORY, AT, SETTINGS, "seasonal")
INSTANTS = AT + 20 * 60_000 * np.arange(3 * 24)


def _band(rows: list[int]) -> Band:
    track = engine.follow(FIT.only(rows), HISTORY.only(rows), AT + DAY, 0.99)
    return engine.bands(track, INSTANTS, AT + DAY)


WHOLE = engine.bands(engine.follow(FIT, HISTORY, AT + DAY, 0.99), INSTANTS, AT + DAY)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(0, SERIES - 1), unique=True))
def test_the_band_of_some_series_is_bit_for_bit_what_it_is_among_all(rows: list[int]) -> None:
    some = _band(rows)
    for one in fields(Band):
        np.testing.assert_array_equal(getattr(some, one.name), getattr(WHOLE, one.name)[rows], err_msg=one.name)
    assert FIT.only(rows).notes == tuple(FIT.notes[row] for row in rows)
    assert FIT.notes[4] is not None
