"""What holds for all tests."""

from hypothesis import settings

# A busy machine is no defect: nothing here asserts timing.
settings.register_profile("driftband", deadline=None)
settings.load_profile("driftband")
