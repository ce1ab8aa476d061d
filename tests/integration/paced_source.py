"""A source that answers as many requests as a test lets it, and holds the next one: whoever asks cannot run ahead of the test."""

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Self

import requests

_KEPT = ("content-type", "accept")


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: object) -> None:
        """Say nothing of who asked and was killed before the answer came."""


class PacedSource:
    """Passes requests on to ``url``. passed: set once all that were let through are answered."""

    def __init__(self, url: str) -> None:
        paced = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                self.do_POST()

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                last = paced._enter()
                headers = {name: value for name, value in self.headers.items() if name.lower() in _KEPT}
                answer = requests.request(self.command, f"{url}{self.path}", data=body, headers=headers, timeout=60)
                self.send_response(answer.status_code)
                self.send_header("Content-Type", answer.headers.get("Content-Type", "application/json"))
                self.send_header("Content-Length", str(len(answer.content)))
                self.end_headers()
                self.wfile.write(answer.content)
                if last:
                    paced.passed.set()

            def log_message(self, *_: object) -> None:
                pass

        self.passed = threading.Event()
        self._turn = threading.Condition()
        self._left, self._round = 0, 0
        self._server = _Server(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def let(self, count: int) -> None:
        """Let so many requests through; what is held of before is dropped: who asked it is dead."""
        with self._turn:
            self.passed.clear()
            self._left, self._round = count, self._round + 1
            self._turn.notify_all()

    def _enter(self) -> bool:
        """Wait for a turn; return whether it is the last one."""
        with self._turn:
            here = self._round
            self._turn.wait_for(lambda: self._left > 0 or self._round != here)
            if self._round != here:
                raise ConnectionAbortedError
            self._left -= 1
            return self._left == 0

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.let(0)
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
