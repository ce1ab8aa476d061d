"""The side that hurts."""

import numpy as np

from driftband.detect.episode import Episode
from driftband.model.series import Floats
from driftband.model.signal import Direction


def hurting(score: Floats, direction: Direction) -> Floats:
    """Return the size of signed scores on the side that hurts; 0 on the other side."""
    if direction == "both":
        return np.abs(score)
    return np.maximum(score if direction == "up" else -score, 0.0)


def side_of(episode: Episode) -> str:
    """Say on which side an episode began."""
    return "below" if episode.side < 0 else "above"
