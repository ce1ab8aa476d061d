"""Write the sample world as OpenMetrics, a file a day, into the folder that is given, for promtool; once.

The file ``anchor`` says that all of it is there, and places the world's stories for ``world.py``, which goes on with them.
"""
# ruff: noqa: INP001 - a script of the image

import sys
import time
from collections.abc import Iterable
from pathlib import Path

from driftband.sources.sample.world import DAY, World


def main(folder: Path) -> None:
    """Write what can be read of the world at present."""
    if (folder / "anchor").exists():
        return
    now = time.time_ns() // 1_000_000
    world = World(lambda: now)
    first, last = world.readable()
    folder.mkdir(parents=True, exist_ok=True)
    for start in range(first, last + 1, DAY):
        _write(folder / f"{start // DAY}.om", world.openmetrics(start, min(start + DAY - 1, last)))
    _write(folder / "anchor", [str(world.script.anchor)])


def _write(path: Path, lines: Iterable[str]) -> None:
    partial = path.with_suffix(".part")
    with partial.open("w", encoding="utf-8") as file:
        file.writelines(lines)
    partial.rename(path)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
