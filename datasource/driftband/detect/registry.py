"""Which detectors there are. Each has its file here, its page in ``docs/detectors/`` and its test."""

from driftband.detect.band_breach import BandBreach
from driftband.detect.detector import Detector
from driftband.detect.gone_dependency import GoneDependency
from driftband.detect.intent_violated import IntentViolated
from driftband.detect.level_shift import LevelShift
from driftband.detect.new_dependency import NewDependency
from driftband.detect.saturation import Saturation
from driftband.detect.silence import Silence
from driftband.detect.stuck_value import StuckValue

DETECTORS: tuple[Detector, ...] = (BandBreach(), LevelShift(), StuckValue(), Silence(), Saturation())
"""Of signals, in the order in which they are stepped."""

OTHERS: tuple[IntentViolated | NewDependency | GoneDependency, ...] = (
    IntentViolated(),
    NewDependency(),
    GoneDependency(),
)
"""Of intents and of service graphs: they are handed other things."""

KINDS: tuple[str, ...] = tuple(detector.kind for detector in (*DETECTORS, *OTHERS))
