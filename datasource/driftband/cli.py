"""The verbs. Exit code 0 for fine, 1 for an error; what went wrong stands on stderr, without a traceback.

Each verb imports what it needs when it is called: `driftband --version` must not wait for pandas.
"""

import importlib.metadata
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from driftband.cli_annotate import annotate
from driftband.cli_change import change
from driftband.cli_dashboards import dashboards
from driftband.cli_drift import drift
from driftband.cli_grafana import grafana
from driftband.cli_incidents import incidents, notifications
from driftband.cli_tags import tags
from driftband.cli_verify import verify

if TYPE_CHECKING:
    from driftband.config import Config

_DEFAULT_FILE = Path("driftband.yaml")


@contextmanager
def _usage_is_an_error() -> Iterator[None]:
    """Click's own exit code for wrong usage is 2, which here means that drift was found."""
    try:
        yield
    except click.UsageError as error:
        error.exit_code = 1  # type: ignore[misc]  # declared for the class, read from the instance
        raise


class _Verbs(click.Group):
    def make_context(self, *args: Any, **kwargs: Any) -> click.Context:
        with _usage_is_an_error():
            return super().make_context(*args, **kwargs)

    def invoke(self, ctx: click.Context) -> Any:
        with _usage_is_an_error():
            return super().invoke(ctx)


def _version() -> str:
    try:
        return importlib.metadata.version("driftband")
    except importlib.metadata.PackageNotFoundError:
        return "(not installed: run from its source)"


def _show_version(ctx: click.Context, _parameter: click.Parameter, wanted: bool) -> None:
    if wanted and not ctx.resilient_parsing:
        click.echo(f"driftband {_version()}")
        ctx.exit()


@click.group(cls=_Verbs, name="driftband", context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--version", is_flag=True, is_eager=True, expose_value=False, callback=_show_version, help="Show it.")
def main() -> None:
    """Draw forecast bands for any PromQL query: a Prometheus data source for Grafana."""


_config_option = click.option(
    "--config",
    "path",
    type=click.Path(path_type=Path),
    envvar="DRIFTBAND_CONFIG",
    metavar="FILE",
    help="The configuration file; ./driftband.yaml where there is one, else DRIFTBAND_* variables alone.",
)
_json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


def _file(path: Path | None) -> Path | None:
    return _DEFAULT_FILE if path is None and _DEFAULT_FILE.is_file() else path


def _load(path: Path | None) -> "Config":
    from driftband.config import ConfigError, load  # noqa: PLC0415 - not before it is needed

    try:
        return load(_file(path), os.environ)
    except ConfigError as error:
        raise click.ClickException(f"the configuration cannot be used\n{error}") from None


@main.command()
@_config_option
def serve(path: Path | None) -> None:
    """Answer Grafana: the service."""
    config = _load(path)
    from driftband import app  # noqa: PLC0415 - not before the configuration is known to be good
    from driftband.app_server import ListenError  # noqa: PLC0415
    from driftband.sources.replay_files import ReplayError  # noqa: PLC0415
    from driftband.store.database import StoreError  # noqa: PLC0415

    try:
        app.serve(config)
    except (ReplayError, StoreError, ListenError) as error:
        raise click.ClickException(str(error)) from None


@main.command()
def demo() -> None:
    """Serve a made-up shop with three weeks of telemetry."""
    from driftband import app  # noqa: PLC0415 - not before it is needed
    from driftband.app_server import ListenError  # noqa: PLC0415
    from driftband.config import ConfigError  # noqa: PLC0415

    try:
        app.demo(os.environ)
    except ListenError as error:
        raise click.ClickException(str(error)) from None
    except ConfigError as error:
        raise click.ClickException(f"the configuration cannot be used\n{error}") from None


@main.command("check-config")
@_config_option
@_json_option
def check_config(path: Path | None, as_json: bool) -> None:
    """Print what is in effect, or all that is wrong."""
    import yaml  # noqa: PLC0415 - not before it is needed

    from driftband.config import ConfigError, load  # noqa: PLC0415

    try:
        config = load(_file(path), os.environ)
    except ConfigError as error:
        if not as_json:
            raise click.ClickException(f"the configuration cannot be used\n{error}") from None
        problems = [{"origin": p.origin, "path": p.path, "message": p.message} for p in error.problems]
        click.echo(json.dumps({"status": "error", "problems": problems}, indent=2, ensure_ascii=False))
        click.get_current_context().exit(1)
    if as_json:
        click.echo(json.dumps({"status": "ok", "config": config.effective()}, indent=2, ensure_ascii=False))
    else:
        click.echo(yaml.safe_dump(config.effective(), sort_keys=False, allow_unicode=True), nl=False)


@main.command()
@_config_option
@_json_option
def doctor(path: Path | None, as_json: bool) -> None:
    """Look for trouble and say how to mend it."""
    from dataclasses import asdict  # noqa: PLC0415 - not before it is needed

    from driftband.doctor import examine  # noqa: PLC0415

    findings = examine(_file(path), os.environ)
    if as_json:
        click.echo(json.dumps({"findings": [asdict(found) for found in findings]}, indent=2, ensure_ascii=False))
    for found in [] if as_json else findings:
        click.echo(f"{found.status:<5} {found.name}: " + found.message.replace("\n", "\n      "))
        if found.mend:
            click.echo(f"      -> {found.mend}")
    if any(found.status == "fail" for found in findings):
        click.get_current_context().exit(1)


for verb in (drift, change, verify, annotate, dashboards, tags, incidents, notifications, grafana):
    main.add_command(verb)
