"""``driftband annotate``: a change written to Grafana directly, where there is no driftband server."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from driftband.cli_change import change_options, told_change
from driftband.cli_client import duration, fail, json_option, print_json, warn

if TYPE_CHECKING:
    from driftband.model.change import Change


_Verb = TypeVar("_Verb", bound=Callable[..., Any])


def grafana_options(verb: _Verb) -> _Verb:
    """Add the options that name a Grafana, which ``grafana_of`` reads."""
    for option in (
        click.option(
            "--config",
            type=click.Path(path_type=Path),
            metavar="FILE",
            help="driftband.yaml: its `grafana` section, where no address is given.",
        ),
        click.option(
            "--grafana-token",
            envvar="GRAFANA_TOKEN",
            metavar="TOKEN",
            help="Of an Editor's service account; better in GRAFANA_TOKEN.",
        ),
        click.option("--grafana-url", envvar="GRAFANA_URL", metavar="URL", help="GRAFANA_URL."),
    ):
        verb = option(verb)
    return verb


@click.command()
@change_options
@grafana_options
@click.option("--strict", is_flag=True, help="Exit 1 where Grafana does not take it; without it that is a warning.")
@click.option("--wait", default="10s", show_default=True, metavar="DURATION", help="Try Grafana for so long.")
@json_option
def annotate(
    grafana_url: str | None, grafana_token: str | None, config: Path | None, strict: bool, wait: str, as_json: bool, **told: Any,
) -> None:  # fmt: skip
    """Write a change to Grafana as an annotation; the same change again edits it."""
    seconds = duration("--wait", wait)
    url, token = grafana_of(grafana_url, grafana_token, config)
    made = told_change(**told)
    try:
        number = _put(url, token, made, seconds)
    except _NotTakenError as error:
        if strict:
            fail(f"not annotated: {error}")
        warn(f"the change was not annotated: {error}")
        number = None
    if as_json:
        print_json({"annotation": number, "change": made.json()})
    elif number is not None:
        click.echo(f"annotation {number} in Grafana")


class _NotTakenError(Exception):
    pass


def _put(url: str, token: str, made: "Change", seconds: float) -> int:
    import time  # noqa: PLC0415 - not before it is needed

    from driftband.grafana.annotations import AnnotationError, put  # noqa: PLC0415
    from driftband.grafana.client import connect  # noqa: PLC0415

    until, pause = time.monotonic() + seconds, 0.5
    while True:
        left = until - time.monotonic()
        try:
            # Found again by its tag, it is not doubled where only the answer was lost.
            return put(connect(url, token, max(left, 0.1)), made)
        except AnnotationError as error:
            if not error.for_all or pause >= until - time.monotonic():
                raise _NotTakenError(str(error)) from None
        time.sleep(pause)
        pause *= 2


def grafana_of(url: str | None, token: str | None, config: Path | None) -> tuple[str, str]:
    """Return address and token of the Grafana that is named, or end with what is missing."""
    from driftband.config_values import http_url  # noqa: PLC0415 - not before it is needed

    if not url and config is not None:
        return _of_config(config)
    if not url or not token:
        fail("no Grafana is named: set GRAFANA_URL and GRAFANA_TOKEN, or give --config with a `grafana` section")
    if not (token.isascii() and token.isprintable() and " " not in token):
        fail("GRAFANA_TOKEN must be printable ASCII without blanks")
    try:
        return http_url(url), token
    except ValueError as error:
        fail(f"GRAFANA_URL or --grafana-url: {error}")


def _of_config(path: Path) -> tuple[str, str]:
    from driftband.config import ConfigError, load  # noqa: PLC0415 - not before it is needed

    try:
        grafana = load(path, os.environ).grafana
    except ConfigError as error:
        raise click.ClickException(f"the configuration cannot be used\n{error}") from None
    if grafana is None:
        fail(f"{path} has no `grafana` section")
    return str(grafana.url), grafana.token.get_secret_value()
