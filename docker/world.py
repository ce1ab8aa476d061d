"""Serve the last minute of the sample world at /metrics: the one whose past ``backfill.py`` wrote into the given folder.

Usage: world.py FOLDER [PORT]. Samples carry their own times, one a minute, so whoever scrapes it goes on where the
past ended, and may scrape it more often.
"""
# ruff: noqa: INP001 - a script of the image

import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from driftband.sources.sample.script import Script
from driftband.sources.sample.shapes import MINUTE
from driftband.sources.sample.world import World

PORT = 9100


def _now() -> int:
    return time.time_ns() // 1_000_000


def _last_minute(world: World) -> bytes:
    now = _now()
    return "".join(world.openmetrics(now - MINUTE + 1, now)).encode()


def main(folder: Path, port: int) -> None:
    """Serve until stopped."""
    world = World(_now, Script(int((folder / "anchor").read_text())))
    _last_minute(world)  # drawing its days takes a while, and a scrape should not

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = _last_minute(world) if self.path == "/metrics" else b""
            self.send_response(200 if body else 404)
            self.send_header("Content-Type", "application/openmetrics-text; version=1.0.0; charset=utf-8")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    ThreadingHTTPServer(("", port), Handler).serve_forever()


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]) if sys.argv[2:] else PORT)
