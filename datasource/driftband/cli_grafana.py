"""``driftband grafana``: the data source, dashboards, rules and contact point, as files or put into a Grafana by its API."""

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from driftband.cli_client import agreed, duration, fail, json_option, print_json

if TYPE_CHECKING:
    from grafana_client import GrafanaApi

    from driftband.grafana.installation import Piece, Step

_Verb = TypeVar("_Verb", bound=Callable[..., Any])
_SIGNS = {"create": "+", "change": "~", "remove": "-", "keep": "=", "leave": "=", "refuse": "!"}


@click.group()
def grafana() -> None:
    """Give a Grafana its data source, dashboards, alert rules and contact point."""


_runbooks_option = click.option(
    "--runbooks",
    metavar="URL",
    help="Where people read the runbooks, for the rules' links; else at driftband's own address, under /runbooks.",
)


@grafana.command()
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), default="provisioning", show_default=True)
@click.option("--check", is_flag=True, help="Write nothing; exit 1 where a file is not what would be written.")
@_runbooks_option
def build(out: Path, check: bool, runbooks: str | None) -> None:
    """Write the files that a Grafana mounts from their source."""
    from driftband.grafana import provisioning  # noqa: PLC0415 - not before it is needed

    where = _runbooks(runbooks)
    try:
        if not check:
            provisioning.build(out, where)
            return
        stale = provisioning.check(out, where)
    except OSError as error:
        fail(f"{error.filename or out}: {error.strerror}")
    if stale:
        listed = "\n".join(stale)
        raise click.ClickException(f"not what their source makes; run `driftband grafana build`\n{listed}")


def _grafana_options(verb: _Verb) -> _Verb:
    for option in (
        json_option,
        click.option("--wait", default="30s", show_default=True, metavar="DURATION", help="Wait so long for each answer."),
        click.option("--yes", is_flag=True, help="Do it without asking."),
        click.option("--token", envvar="GRAFANA_TOKEN", metavar="TOKEN", help="Of a service account with the role Admin; better in GRAFANA_TOKEN."),
        click.option("--url", envvar="GRAFANA_URL", metavar="URL", help="The Grafana; GRAFANA_URL."),
    ):  # fmt: skip
        verb = option(verb)
    return verb


@grafana.command()
@_grafana_options
@click.option(
    "--driftband-url",
    envvar="DRIFTBAND_URL",
    metavar="URL",
    help="driftband, as this Grafana reaches it; DRIFTBAND_URL. Its secrets: DRIFTBAND_READ_TOKEN, DRIFTBAND_WEBHOOK_SECRET.",
)
@click.option(
    "--notify",
    metavar="NAME",
    help="The contact point that the rules about drift notify; without it driftband, whose destinations tell people.",
)
@_runbooks_option
@click.option(
    "--renew-secrets", is_flag=True, help="Write token and secret again: Grafana does not tell whether they differ."
)
def install(
    url: str | None, token: str | None, yes: bool, wait: str, as_json: bool, driftband_url: str | None,
    notify: str | None, runbooks: str | None, renew_secrets: bool,
) -> None:  # fmt: skip
    """Put them into a Grafana. It shows what it would change, and asks; done again, it changes nothing."""
    from driftband.grafana.installation import to_install  # noqa: PLC0415 - not before it is needed
    from driftband.grafana.installer import held  # noqa: PLC0415

    api = _api(url, token, wait)
    wanted = _wanted(driftband_url, notify, runbooks)
    steps = _asked(lambda: to_install(wanted, held(api, wanted), renew_secrets=renew_secrets))
    _do(api, steps, wanted, yes=yes, as_json=as_json)


@grafana.command()
@_grafana_options
def uninstall(url: str | None, token: str | None, yes: bool, wait: str, as_json: bool) -> None:
    """Take out of a Grafana what `install` has put there, and nothing else. It shows what, and asks."""
    from driftband.grafana.installation import to_remove  # noqa: PLC0415 - not before it is needed
    from driftband.grafana.installer import held  # noqa: PLC0415

    api = _api(url, token, wait)
    # Addresses and secrets of what is removed do not matter.
    steps = _asked(lambda: to_remove(held(api, ())))
    _do(api, steps, (), yes=yes, as_json=as_json)


def _do(api: "GrafanaApi", steps: Sequence["Step"], wanted: Sequence["Piece"], *, yes: bool, as_json: bool) -> None:
    """Show the steps, and carry them out where that is wanted."""
    from driftband.grafana.installer import carry_out  # noqa: PLC0415 - not before it is needed

    if not as_json:
        _show(steps)
    refused = [step for step in steps if step.action == "refuse"]
    due = [step for step in steps if step.changes]
    done: list[Step] = []
    if not refused and due and (yes or agreed("Do this?", as_json=as_json)):
        _asked(lambda: carry_out(api, steps, wanted, lambda step: _done(step, done, quiet=as_json)))
    if as_json:
        print_json({"steps": [step.json() for step in steps], "done": len(done)})
    if refused:
        fail("nothing was changed: what is marked with ! is not driftband's, and would have to give way")


def _show(steps: Sequence["Step"]) -> None:
    from driftband.client.show import plain  # noqa: PLC0415 - not before it is needed

    for step in steps:
        click.echo(f"{_SIGNS[step.action]} {step.kind} {plain(step.uid)}")
        for line in step.lines:
            click.echo(f"    {plain(line)}")
    if not any(step.changes for step in steps):
        click.echo("nothing to change")


def _done(step: "Step", done: list["Step"], *, quiet: bool) -> None:
    done.append(step)
    if not quiet:
        click.echo(f"{_SIGNS[step.action]} {step.kind} {step.uid}: done")


def _asked(what: Callable[[], Any]) -> Any:
    from driftband.grafana.asking import GrafanaError  # noqa: PLC0415 - not before it is needed

    try:
        return what()
    except GrafanaError as error:
        fail(str(error))


def _api(url: str | None, token: str | None, wait: str) -> "GrafanaApi":
    from driftband.config_values import http_url  # noqa: PLC0415 - not before it is needed
    from driftband.grafana.client import connect  # noqa: PLC0415

    seconds = duration("--wait", wait)
    if not url or not token:
        fail("no Grafana is named: set GRAFANA_URL and GRAFANA_TOKEN, or give --url and --token")
    if not (token.isascii() and token.isprintable() and " " not in token):
        fail("GRAFANA_TOKEN must be printable ASCII without blanks")
    try:
        return connect(http_url(url), token, seconds)
    except ValueError as error:
        fail(f"GRAFANA_URL or --url: {error}")


def _wanted(url: str | None, notify: str | None, runbooks: str | None) -> list["Piece"]:
    from driftband.config_values import http_url  # noqa: PLC0415 - not before it is needed
    from driftband.grafana.connection import CONTACT_POINT  # noqa: PLC0415
    from driftband.grafana.pieces import pieces  # noqa: PLC0415

    secret = os.environ.get("DRIFTBAND_WEBHOOK_SECRET", "")
    if not url:
        fail("driftband's address is not named: set DRIFTBAND_URL, or give --driftband-url")
    if not secret:
        fail("set DRIFTBAND_WEBHOOK_SECRET to access.webhook_secret of driftband: it believes no alert without it")
    try:
        address = http_url(url)
    except ValueError as error:
        fail(f"DRIFTBAND_URL or --driftband-url: {error}")
    token = os.environ.get("DRIFTBAND_READ_TOKEN", "")
    return pieces(
        address, token, secret, receiver=notify or CONTACT_POINT, runbooks=_runbooks(runbooks or f"{address}/runbooks")
    )


def _runbooks(url: str | None) -> str:
    from driftband.config_values import http_url  # noqa: PLC0415 - not before it is needed
    from driftband.grafana.rules import RUNBOOKS  # noqa: PLC0415

    if url is None:
        return RUNBOOKS
    try:
        return f"{http_url(url)}/"
    except ValueError as error:
        fail(f"--runbooks: {error}")
