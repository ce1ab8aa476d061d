"""``driftband dashboards``: dashboards as code, and bands and changes in those that one has."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from driftband.cli_annotate import grafana_of, grafana_options
from driftband.cli_client import agreed, duration, fail, json_option, print_json

if TYPE_CHECKING:
    from collections.abc import Sequence

    from grafana_client import GrafanaApi

    from driftband.grafana.adding import PassedOver

_ROLE = "Editor"


@click.group()
def dashboards() -> None:
    """Dashboards as code, and bands in dashboards that there are."""


@dashboards.command()
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), default="dashboards", show_default=True)
@click.option("--check", is_flag=True, help="Write nothing; exit 1 where a file is not what would be written.")
def build(out: Path, check: bool) -> None:
    """Write the JSON of the dashboards from their source."""
    from driftband.grafana import dashboards as source  # noqa: PLC0415 - the SDK takes a while to import

    try:
        if not check:
            source.build(out)
            return
        stale = source.check(out)
    except OSError as error:
        raise click.ClickException(f"{error.filename or out}: {error.strerror}") from None
    if stale:
        listed = "\n".join(stale)
        raise click.ClickException(f"not what their source makes; run `driftband dashboards build`\n{listed}")


@dashboards.command()
@click.argument("uid")
@click.option(
    "--panel", "panels", type=int, multiple=True, metavar="ID", help="Draw a band here alone; may be repeated."
)
@click.option("--datasource", default="driftband", show_default=True, metavar="UID", help="driftband's data source.")
@click.option("--undo", is_flag=True, help="Take out again what was added.")
@click.option("--yes", is_flag=True, help="Do it without asking.")
@click.option("--wait", default="30s", show_default=True, metavar="DURATION", help="Wait so long for each answer.")
@grafana_options
@json_option
def annotate(
    uid: str, panels: tuple[int, ...], datasource: str, undo: bool, yes: bool, wait: str, grafana_url: str | None,
    grafana_token: str | None, config: Path | None, as_json: bool,
) -> None:  # fmt: skip
    """Add bands and marks of changes to a dashboard that you have. It shows the difference first, and asks."""
    from driftband.grafana.adding import added, difference, taken_out  # noqa: PLC0415 - not before it is needed
    from driftband.grafana.client import connect  # noqa: PLC0415

    seconds = duration("--wait", wait)
    api = connect(*grafana_of(grafana_url, grafana_token, config), seconds)
    found = _read(api, uid)
    before = found["dashboard"]
    after, passed = (taken_out(before), []) if undo else added(before, datasource, panels)
    lines = difference(before, after)
    if not as_json:
        _show(lines, passed)
    done = bool(lines) and (yes or agreed("Save this?", as_json=as_json))
    if done:
        _write(api, found, after, undo=undo)
    if as_json:
        told = [{"panel": one.panel, "why": one.why} for one in passed]
        print_json({"dashboard": uid, "difference": lines, "passed_over": told, "done": done})
    elif done:
        click.echo(f"{uid}: done; `driftband dashboards annotate {uid} --undo` takes it out again" if not undo else f"{uid}: done")  # fmt: skip


def _read(api: "GrafanaApi", uid: str) -> dict[str, Any]:
    from urllib.parse import quote  # noqa: PLC0415 - not before it is needed

    from driftband.grafana.asking import GrafanaError, ask  # noqa: PLC0415

    try:
        found = ask(api, "read the dashboard", "GET", f"/dashboards/uid/{quote(uid, safe='')}", role=_ROLE)
    except GrafanaError as error:
        fail(str(error))
    if not isinstance(found, dict) or not isinstance(found.get("dashboard"), dict):
        fail(f"there is no dashboard with the uid {uid!r}: it stands in its address, after /d/")
    if found.get("meta", {}).get("provisioned"):
        fail(
            f"the dashboard {uid!r} is provisioned from a file, which Grafana would put back: save it under another name"
        )
    return found


def _write(api: "GrafanaApi", found: dict[str, Any], board: dict[str, Any], *, undo: bool) -> None:
    from driftband.grafana.asking import GrafanaError, ask  # noqa: PLC0415 - not before it is needed

    message = "driftband: bands and changes " + ("taken out" if undo else "added")
    # Not overwritten: somebody may have saved it since it was read, and Grafana then refuses.
    body = {"dashboard": board, "folderUid": found["meta"].get("folderUid", ""), "message": message, "overwrite": False}
    try:
        ask(api, "save the dashboard", "POST", "/dashboards/db", body, role=_ROLE)
    except GrafanaError as error:
        fail(str(error))


def _show(lines: "Sequence[str]", passed: "Sequence[PassedOver]") -> None:
    from driftband.client.show import plain  # noqa: PLC0415 - not before it is needed

    for line in lines:
        click.echo(plain(line))
    for one in passed:
        click.echo(f"no band in panel {plain(one.panel)}: {one.why}")
    if not lines:
        click.echo("nothing to change")
