"""Which findings belong together, and which changes are suspected of them. Pure: no clock, no store.

``lifecycle.advance`` is the whole; ``score.suspects`` and ``grouping.group`` are its parts.
"""
