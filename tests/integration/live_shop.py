"""A shop whose latency a test moves while a real Prometheus scrapes it, with weeks of an ordinary past."""

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Self

import numpy as np

SERVICES = ("cart", "checkout", "search")
USUAL = 0.5
_DAY = 86_400


class LiveShop:
    """``latency`` of each service in seconds; ``extra`` is added to it from the next scrape on."""

    def __init__(self) -> None:
        self.extra = dict.fromkeys(SERVICES, 0.0)
        self._chance = np.random.default_rng(7)
        shop = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                body = shop.exposition().encode()
                self.send_response(200)
                self.send_header("Content-Type", "text/plain; version=0.0.4")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self.target = f"127.0.0.1:{self._server.server_port}"

    def exposition(self) -> str:
        """Return what is scraped now."""
        lines = [f'latency{{service="{name}"}} {self._usual() + self.extra[name]:.5f}' for name in SERVICES]
        return "\n".join(["# TYPE latency gauge", *lines, ""])

    def _usual(self) -> float:
        return USUAL + float(self._chance.normal(0, 0.01))

    def history(self, now: int, trouble: tuple[int, int]) -> str:
        """Return the samples of 17 days up to ``now``, as if they had been scraped; ``search`` was slow once (epoch s)."""
        times = np.concatenate([np.arange(now - 17 * _DAY, now - _DAY, 300), np.arange(now - _DAY, now, 60)])
        lines = ["# TYPE latency gauge"]
        for name in SERVICES:
            slow = (times >= trouble[0]) & (times < trouble[1]) & (name == "search")
            values = USUAL + self._chance.normal(0, 0.01, len(times)) + slow
            labels = f'service="{name}",job="shop",instance="{self.target}"'
            lines += [f"latency{{{labels}}} {value:.5f} {at}" for value, at in zip(values, times, strict=True)]
        return "\n".join([*lines, "# EOF\n"])

    def scraping(self) -> str:
        """Return the configuration of a Prometheus that scrapes it."""
        jobs = f"[{{job_name: shop, scrape_interval: 2s, scrape_timeout: 2s, static_configs: [{{targets: ['{self.target}']}}]}}]"
        return f"scrape_configs: {jobs}\n"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
