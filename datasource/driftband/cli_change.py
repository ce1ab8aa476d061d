"""``driftband change record``: what somebody did, told after an apply or a deployment."""

from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, get_args

import click

from driftband.cli_client import (
    delivery,
    fail,
    job,
    json_option,
    moment,
    pairs,
    print_json,
    read_input,
    server_options,
    warn,
)
from driftband.model.change import Change, ChangeKind, ChangeStatus

if TYPE_CHECKING:
    from collections.abc import Callable

    from driftband.model.report import Applied

_Verb = TypeVar("_Verb", bound="Callable[..., Any]")


def change_options(verb: _Verb) -> _Verb:
    """Add the options that say what the change was."""
    for option in reversed((
        click.option("--plan", type=click.Path(path_type=Path, allow_dash=True), metavar="FILE", help="`show -json` of the applied plan: what was changed, with values."),
        click.option("--apply-log", type=click.Path(path_type=Path, allow_dash=True), metavar="FILE", help="The output of `apply -json`: when, how long, what came of it."),
        click.option("--directory", type=click.Path(path_type=Path, file_okay=False), default=".", help="Where Terraform was initialised: the versions of modules are read there."),
        click.option("--workspace", metavar="NAME", help="Such as prod/network; else the CI's hint."),
        click.option("--kind", type=click.Choice(get_args(ChangeKind)), help="Else terraform_apply with --plan or --apply-log, other without."),
        click.option("--id", "key", metavar="KEY", help="The same again updates; else made from the CI's run."),
        click.option("--status", type=click.Choice(get_args(ChangeStatus)), help="Else as the apply's log says, or succeeded."),
        click.option("--commit", metavar="SHA", help="Else the CI's, else the one checked out."),
        click.option("--actor", metavar="NAME", help="Else whom the CI names."),
        click.option("--url", metavar="URL", help="Of the run; else the CI's."),
        click.option("--summary", metavar="TEXT", help="Else counted from the apply."),
        click.option("--started-at", metavar="TIME", help="RFC 3339; else from the apply's log, else now."),
        click.option("--ended-at", metavar="TIME", help="RFC 3339; else from the apply's log, else now."),
        click.option("--identity", "identity", multiple=True, metavar="NAME=VALUE", help="Such as service=checkout; may be given again."),
    )):  # fmt: skip
        verb = option(verb)
    return verb


@click.group()
def change() -> None:
    """Tell of changes: applies, deployments, manual ones."""


@change.command()
@change_options
@click.option("--strict", is_flag=True, help="Exit 1 where the server cannot be reached; without it that is a warning.")
@server_options
@json_option
def record(strict: bool, server: str | None, spool: Path | None, wait: str, as_json: bool, **told: Any) -> None:
    """Record a change.

    Where the server cannot be reached an apply must not fail for it: exit code 0 and a warning, unless --strict.
    What the server refuses (a wrong token, a bad value) is always exit code 1.
    """
    from driftband.client.call import change_call  # noqa: PLC0415 - not before it is needed
    from driftband.client.server import RefusedError, UnreachedError  # noqa: PLC0415

    way = delivery(server, spool, wait)
    made = told_change(**told)
    try:
        answer = way.send(change_call(_json(made)))
    except RefusedError as error:
        fail(f"not recorded: {error}")
    except (UnreachedError, OSError) as error:
        text = error.strerror if isinstance(error, OSError) else str(error)
        if strict:
            fail(f"not recorded: {text}")
        warn(f"the change was not recorded: {text}")
        answer = None
    else:
        if answer is None and strict:
            fail("not recorded yet: it is kept in the spool")
    if as_json:
        print_json(answer or {**made.json(), "recorded": False})
    elif answer is not None:
        _show(answer)


def _show(answer: Any) -> None:
    from driftband.client.show import plain  # noqa: PLC0415 - not before it is needed

    touched = answer.get("resources") or ()
    parts = [f"recorded {answer.get('id')}: {answer.get('kind')}, {answer.get('status')}"]
    parts += [str(answer["summary"])] if answer.get("summary") else []
    parts += [f"{len(touched)} resource{'' if len(touched) == 1 else 's'}"] if touched else []
    click.echo(plain("; ".join(parts)))


def _json(made: Change) -> bytes:
    import orjson  # noqa: PLC0415 - not before it is needed

    return orjson.dumps({name: value for name, value in made.json().items() if value not in (None, {}, [])})


def told_change(
    *, plan: Path | None, apply_log: Path | None, directory: Path, identity: tuple[str, ...], key: str | None,
    started_at: str | None, ended_at: str | None, **said: Any,
) -> Change:  # fmt: skip
    """Return the change that the options tell of; ClickException where they do not."""
    from datetime import UTC, datetime  # noqa: PLC0415 - not before it is needed

    from driftband.client.change import Said, change_of, made_just_now  # noqa: PLC0415

    now = datetime.now(UTC)
    applied = _applied(plan, apply_log, directory)
    if applied and apply_log is None:
        applied = made_just_now(applied, now)
    known: dict[str, Any] = {name: value for name, value in said.items() if value is not None}
    told = Said(
        id=key or "",
        started_at=moment("--started-at", started_at),
        ended_at=moment("--ended-at", ended_at),
        identity=pairs(identity),
        **known,
    )
    try:
        return change_of(told, job(directory), applied, now)
    except ValueError as error:
        fail(str(error))


def _applied(plan: Path | None, apply_log: Path | None, directory: Path) -> "Applied | None":
    if plan is None and apply_log is None:
        return None
    from driftband.client.reporting import with_modules  # noqa: PLC0415 - not before it is needed
    from driftband.sources.terraform import ReportError, read_apply  # noqa: PLC0415
    from driftband.sources.terraform.installed import module_versions  # noqa: PLC0415

    raw = read_input(plan) if plan else None
    log = read_input(apply_log) if apply_log else None
    try:
        return read_apply(with_modules(raw, module_versions(directory)) if raw else None, log)
    except ReportError as error:
        fail(str(error))
