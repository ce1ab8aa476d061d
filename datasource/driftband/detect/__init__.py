"""Decisions about what diverges: one detector a file, pure."""
