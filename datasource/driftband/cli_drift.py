"""``driftband drift``: what CI says of drift. Exit code 0 clean, 2 drift found, 1 anything else."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from driftband.cli_client import (
    StatusLine,
    delivery,
    duration,
    end_on_sigterm,
    fail,
    job,
    json_option,
    moment,
    print_json,
    read_input,
    server_options,
    warn,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from driftband.client.delivery import Delivery
    from driftband.client.reporting import Reporting
    from driftband.sources.terraform.scan import Scanned

_workspace_option = click.option("--workspace", required=True, metavar="NAME", help="Such as prod/network.")
_commit_option = click.option("--commit", metavar="SHA", help="Of the code; else the CI's, else the one checked out.")


@click.group()
def drift() -> None:
    """Find drift of Terraform and OpenTofu, or report what has been found."""


@drift.command()
@click.argument("file", type=click.Path(path_type=Path, allow_dash=True))
@_workspace_option
@click.option("--run", "key", metavar="KEY", help="The run's key: the same again is the same run. Else a digest.")
@click.option("--lineage", metavar="ID", help="Of the state, as `state pull` has it.")
@click.option("--serial", type=click.IntRange(min=0), help="Of the state, as `state pull` has it.")
@_commit_option
@click.option("--started-at", metavar="TIME", help="When the plan began; else the plan's own time.")
@click.option(
    "--schema", type=click.Path(path_type=Path), metavar="FILE", help="`providers schema -json`: tells sets from lists."
)
@server_options
@json_option
def report(
    file: Path, workspace: str, key: str | None, lineage: str | None, serial: int | None, commit: str | None,
    started_at: str | None, schema: Path | None, server: str | None, spool: Path | None, wait: str, as_json: bool,
) -> None:  # fmt: skip
    """Report FILE (- for stdin): the JSON of `show -json PLAN`, or the stream of `plan -json`.

    Secrets are taken out before anything is sent or kept.
    """
    from driftband.client.reporting import Reporting  # noqa: PLC0415 - not before it is needed

    way = delivery(server, spool, wait)
    reporting = Reporting(
        workspace=workspace,
        lineage=lineage,
        serial=serial,
        commit=commit or job().commit,
        started_at=moment("--started-at", started_at),
    )
    body = _redacted(file, read_input(file), read_input(schema) if schema else None)
    (answer,) = _send(way, reporting, [(key or reporting.key(body), body)])
    if as_json:
        print_json(answer)
    _finish(answer, server, quiet=as_json)


@drift.command()
@click.argument("directory", type=click.Path(path_type=Path, file_okay=False))
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
@_workspace_option
@click.option(
    "--plan",
    "normal_plan",
    is_flag=True,
    help="Make a normal plan too: it tells drift that the code would not change, and what is pending.",
)
@click.option("--tool", type=click.Choice(["terraform", "tofu"]), default="terraform", show_default=True)
@click.option("--no-lock", is_flag=True, help="Do not take the state's lock: for credentials that may only read.")
@click.option("--timeout", default="30m", show_default=True, metavar="DURATION", help="Stop Terraform after so long.")
@click.option(
    "--var-file", "var_files", multiple=True, metavar="FILE", help="Handed to each plan; relative to DIRECTORY."
)
@_commit_option
@server_options
@json_option
def scan(
    directory: Path, arguments: tuple[str, ...], workspace: str, normal_plan: bool, tool: str, no_lock: bool,
    timeout: str, var_files: tuple[str, ...], commit: str | None, server: str | None, spool: Path | None, wait: str,
    as_json: bool,
) -> None:  # fmt: skip
    """Run init and a refresh-only plan in DIRECTORY and report what has drifted; ARGUMENTS (after --) go to each plan."""
    from driftband.client.reporting import Reporting  # noqa: PLC0415 - not before it is needed
    from driftband.client.show import decisive  # noqa: PLC0415
    from driftband.sources.terraform.scan import ScanError  # noqa: PLC0415
    from driftband.sources.terraform.scan import scan as run_scan  # noqa: PLC0415

    way = delivery(server, spool, wait)
    end_on_sigterm()
    seconds = duration("--timeout", timeout)
    progress = _Progress(workspace)
    try:
        scanned = run_scan(
            directory,
            tool=tool,
            normal_plan=normal_plan,
            timeout=seconds,
            environ=os.environ,
            arguments=[*(f"-var-file={name}" for name in var_files), *arguments],
            lock=not no_lock,
            observe=progress,
        )
    except ScanError as error:
        fail(str(error))
    finally:
        progress.clear()
    for text in scanned.warnings:
        warn(text)
    reporting = Reporting(
        workspace=workspace,
        lineage=scanned.lineage,
        serial=scanned.serial,
        commit=commit or job(directory).commit,
        started_at=scanned.started_at,
    )
    answers = _send(way, reporting, _bodies(reporting, scanned))
    if as_json:
        print_json({"reports": answers})
    _finish(decisive(answers), server, quiet=as_json)


def _bodies(reporting: "Reporting", scanned: "Scanned") -> list[tuple[str, bytes]]:
    """Return the run's key and body of each report: the plan, the stream of a failed run, the normal plan."""
    from driftband.client.reporting import with_modules  # noqa: PLC0415 - not before it is needed

    stream, plan, normal = (
        with_modules(_redacted(name, raw, scanned.schemas), scanned.modules) if raw else None
        for name, raw in (("the stream", scanned.stream), ("the plan", scanned.plan), ("the plan", scanned.normal_plan))
    )
    key = reporting.key(plan or stream or b"")
    failed = stream if scanned.exit_code == 1 or plan is None else None
    named = ((key, plan), (key, failed), (f"{key}-plan", normal))
    return [(run, body) for run, body in named if body is not None]


def _redacted(name: object, body: bytes, schemas: bytes | None) -> bytes:
    from driftband.sources.terraform import ReportError, redacted  # noqa: PLC0415 - not before it is needed

    try:
        return redacted(body, schemas)
    except ReportError as error:
        fail(f"{name}: {error}")


def _send(way: "Delivery", reporting: "Reporting", bodies: list[tuple[str, bytes]]) -> list[dict[str, Any]]:
    """Send the reports and return the last answer for each run; what is spooled speaks for itself."""
    from driftband.client.server import RefusedError, UnreachedError  # noqa: PLC0415 - not before it is needed
    from driftband.sources.terraform import read_report  # noqa: PLC0415

    answers = {}
    for run, body in bodies:
        try:
            answer = way.send(reporting.call(run, body))
        except (RefusedError, UnreachedError) as error:
            fail(f"not reported: {error}")
        except OSError as error:
            fail(f"not reported, and not kept either: {error.strerror}")
        answers[run] = answer or reporting.stand_in(run, read_report(body))
    return list(answers.values())


def _finish(answer: "Mapping[str, Any]", server: str | None, *, quiet: bool) -> None:
    from driftband.client.show import exit_code, report_lines  # noqa: PLC0415 - not before it is needed

    for line in () if quiet else report_lines(answer, server or ""):
        click.echo(line)
    click.get_current_context().exit(exit_code(answer))


class _Progress(StatusLine):
    """How far a scan is."""

    def __init__(self, workspace: str) -> None:
        super().__init__()
        self._workspace = workspace

    def __call__(self, step: str, done: int, of: int | None) -> None:
        count = f" {done}/{of}" if of else f" {done}" if done else ""
        self.show(f"{self._workspace}: {step}{count}")
