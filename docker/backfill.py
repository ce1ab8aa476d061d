"""Write the sample world as OpenMetrics, a file a day, into the folder that is given, for promtool."""
# ruff: noqa: INP001 - a script of the image

import sys
import time
from pathlib import Path

from driftband.sources.sample.world import DAY, World


def main(folder: Path) -> None:
    """Write what can be read of the world at present."""
    now = time.time_ns() // 1_000_000
    world = World(lambda: now)
    first, last = world.readable()
    folder.mkdir(parents=True, exist_ok=True)
    for start in range(first, last + 1, DAY):
        partial = folder / "day.part"
        with partial.open("w", encoding="utf-8") as file:
            file.writelines(world.openmetrics(start, min(start + DAY - 1, last)))
        partial.rename(folder / f"{start // DAY}.om")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
