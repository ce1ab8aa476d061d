"""``python -m driftband``."""

from driftband.cli import main

main(prog_name="driftband")
