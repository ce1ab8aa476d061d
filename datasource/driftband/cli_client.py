"""What the verbs of CI have in common: the server, the spool, what they read, what they say."""

import json
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

import click

if TYPE_CHECKING:
    from datetime import datetime

    from driftband.client.delivery import Delivery
    from driftband.client.environment import Job
    from driftband.client.server import Server

MAX_INPUT = 256 << 20
_Verb = TypeVar("_Verb", bound=Callable[..., Any])

json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


def reading_options(verb: _Verb) -> _Verb:
    """Add the options that say where to ask."""
    for option in (
        click.option("--wait", default="30s", show_default=True, metavar="DURATION", help="Try the server for so long."),
        click.option("--server", envvar="DRIFTBAND_URL", metavar="URL", help="The server; DRIFTBAND_URL. Its token: DRIFTBAND_TOKEN."),
    ):  # fmt: skip
        verb = option(verb)
    return verb


def server_options(verb: _Verb) -> _Verb:
    """Add the options that say where to send and what to do when that fails."""
    spool = click.option(
        "--spool",
        type=click.Path(path_type=Path),
        metavar="FILE",
        help="Keep here what cannot be sent; sent first the next time.",
    )
    return reading_options(spool(verb))


def known_server(server: str | None, wait: str) -> "Server":
    """Return the server that the options name; ClickException where they name none."""
    from driftband.client.server import Server  # noqa: PLC0415 - not before it is needed
    from driftband.config_values import http_url  # noqa: PLC0415

    if not server:
        fail("no server is named: set DRIFTBAND_URL, or give --server")
    within = duration("--wait", wait)
    try:
        address = http_url(server)
    except ValueError as error:
        fail(f"DRIFTBAND_URL or --server: {error}")
    try:
        return Server(url=address, token=os.environ.get("DRIFTBAND_TOKEN", ""), within=within)
    except ValueError as error:
        fail(str(error))


def delivery(server: str | None, spool: Path | None, wait: str) -> "Delivery":
    """Return the way to the server; ClickException where the options do not name one."""
    from driftband.client.delivery import Delivery  # noqa: PLC0415 - not before it is needed

    if not server and spool is None:
        raise click.ClickException(
            "no server is named: set DRIFTBAND_URL, or give --server (or --spool, to send later)"
        )
    duration("--wait", wait)
    return Delivery(known_server(server, wait) if server else None, spool, warn)


def job(directory: Path | None = None) -> "Job":
    """Return what the CI tells; without one, the commit that is checked out in ``directory``."""
    from dataclasses import replace  # noqa: PLC0415 - not before it is needed

    from driftband.client import git  # noqa: PLC0415
    from driftband.client.environment import job_of  # noqa: PLC0415

    found = job_of(os.environ)
    return found if found.commit else replace(found, commit=git.head(directory or Path()))


def warn(text: str) -> None:
    """Say it on stderr, and let the verb go on."""
    from driftband.client.show import plain  # noqa: PLC0415 - not before it is needed

    click.echo(plain(f"driftband: {text}"), err=True)


def fail(text: str) -> NoReturn:
    """End with exit code 1 and say why."""
    from driftband.client.show import plain  # noqa: PLC0415 - not before it is needed

    raise click.ClickException(plain(text))


def print_json(document: Any) -> None:
    """Print a document; nothing in it can be a command to a terminal."""
    click.echo(json.dumps(document, indent=2, ensure_ascii=True))


def read_input(path: Path) -> bytes:
    """Return a file's bytes, or stdin's for ``-``; ClickException where it cannot be read or is too large."""
    try:
        if str(path) == "-":
            body = sys.stdin.buffer.read(MAX_INPUT + 1)
        else:
            with path.open("rb") as file:
                body = file.read(MAX_INPUT + 1)
    except OSError as error:
        fail(f"{path}: {error.strerror}")
    if len(body) > MAX_INPUT:
        fail(f"{path} is larger than {MAX_INPUT >> 20} MiB; is it the JSON of a plan?")
    return body


def moment(option: str, text: str | None) -> "datetime | None":
    """Return the time that an option names; ClickException where it is none."""
    from driftband.model.moment import parse_moment  # noqa: PLC0415 - not before it is needed

    if text is None:
        return None
    try:
        return parse_moment(text)
    except ValueError as error:
        fail(f"{option}: {error}")


def duration(option: str, text: str) -> float:
    """Return the seconds of an option; ClickException where it is no duration, or none at all."""
    from driftband.config_values import parse_duration  # noqa: PLC0415 - not before it is needed

    try:
        seconds = parse_duration(text) / 1000
    except ValueError as error:
        fail(f"{option}: {error}")
    if not seconds:
        fail(f"{option}: expected more than 0s")
    return seconds


def pairs(texts: tuple[str, ...]) -> dict[str, str]:
    """Return what ``--identity NAME=VALUE`` says; ClickException where it is written otherwise."""
    found = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not (equals and value and name.isidentifier() and name.isascii()):
            fail("--identity: expected NAME=VALUE, such as service=checkout")
        found[name] = value
    return found


class StatusLine:
    """One line on a terminal that says how far something is; nothing where nobody looks."""

    def __init__(self) -> None:
        self._shown = sys.stderr.isatty()

    def show(self, text: str) -> None:
        """Write it in place of what stood there."""
        from driftband.client.show import plain  # noqa: PLC0415 - not before it is needed

        if self._shown:
            click.echo(f"\r\x1b[2K{plain(text)}", err=True, nl=False)

    def clear(self) -> None:
        """Leave the terminal as it was."""
        if self._shown:
            click.echo("\r\x1b[2K", err=True, nl=False)


def end_on_sigterm() -> None:
    """Have a cancelled job stop what it has started: Terraform must give its lock back."""

    def stop(_number: int, _frame: Any) -> NoReturn:
        raise SystemExit(128 + signal.SIGTERM)

    signal.signal(signal.SIGTERM, stop)


def agreed(question: str, *, as_json: bool) -> bool:
    """Return whether the person at the terminal agrees; with ``--json`` nobody is asked, and only ``--yes`` does it."""
    if as_json:
        return False
    if not sys.stdin.isatty():
        fail("nothing was changed: nobody can be asked here; give --yes")
    return click.confirm(question, abort=False)
