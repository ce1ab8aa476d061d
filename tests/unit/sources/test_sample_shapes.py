import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from driftband.sources.sample.shapes import DAY_MINUTES, generator, poisson, wander


def test_noise_has_memory_unit_variance_and_no_seam_at_midnight() -> None:
    noise = np.concatenate([wander("test", day) for day in range(200)])
    centred = noise - noise.mean()
    assert 0.8 < noise.std() < 1.2
    assert np.mean(centred[5:] * centred[:-5]) / noise.var() > 0.8
    steps = np.abs(np.diff(noise))
    assert steps[DAY_MINUTES - 1 :: DAY_MINUTES].max() <= steps.max() < 0.5


@settings(max_examples=30, deadline=None)
@given(rate=st.one_of(st.floats(0.0, 4.0), st.floats(4.0, 2000.0)))
def test_counts_have_the_mean_and_variance_of_poisson(rate: float) -> None:
    counts = poisson(np.full(40_000, rate), generator("counts", 1))
    assert (counts >= 0).all()
    assert np.array_equal(counts, np.rint(counts))
    assert abs(counts.mean() - rate) < 5 * np.sqrt(rate / 40_000) + 0.012
    assert abs(counts.var() - rate) < 0.06 * rate + 0.02
