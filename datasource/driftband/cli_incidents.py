"""``driftband incidents`` and ``driftband notifications``: what is wrong, who looks after it, and what could not be told."""

import getpass
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, get_args
from urllib.parse import quote

import click

from driftband.cli_client import fail, json_option, known_server, print_json, reading_options
from driftband.model.incident import IncidentState
from driftband.model.notification import NotificationState

_PATH = "/driftband/v1"


_limit_option = click.option("--limit", type=click.IntRange(1, 1000), default=100, show_default=True)
_by_option = click.option("--by", metavar="NAME", help="Who does it; else who is logged in here.")


@click.group()
def incidents() -> None:
    """Incidents: findings that belong together, with the changes suspected of them."""


@incidents.command("list")
@click.option("--state", type=click.Choice(["all", *get_args(IncidentState)]), help="Else those not resolved.")
@_limit_option
@reading_options
@json_option
def list_incidents(state: str | None, limit: int, server: str | None, wait: str, as_json: bool) -> None:
    """List incidents, the youngest first."""
    answer = _ask(server, wait, "GET", "/incidents", {"state": state or "", "limit": str(limit)})
    _show(answer, as_json, "incidents", _headline, "there are none")


@incidents.command()
@click.argument("incident_id", metavar="ID")
@reading_options
@json_option
def show(incident_id: str, server: str | None, wait: str, as_json: bool) -> None:
    """Show an incident with its suspects and its story."""
    _print(_ask(server, wait, "GET", _of(incident_id)), as_json)


@incidents.command()
@click.argument("incident_id", metavar="ID")
@_by_option
@reading_options
@json_option
def ack(incident_id: str, by: str | None, server: str | None, wait: str, as_json: bool) -> None:
    """Say that somebody looks after an incident."""
    _print(_ask(server, wait, "POST", f"{_of(incident_id)}/ack", body={"by": by or _me()}), as_json)


@incidents.command()
@click.argument("incident_id", metavar="ID")
@_by_option
@reading_options
@json_option
def resolve(incident_id: str, by: str | None, server: str | None, wait: str, as_json: bool) -> None:
    """Say that an incident is over."""
    _print(_ask(server, wait, "POST", f"{_of(incident_id)}/resolve", body={"by": by or _me()}), as_json)


@click.group()
def notifications() -> None:
    """Notifications: messages owed to destinations."""


@notifications.command("list")
@click.option("--state", type=click.Choice(get_args(NotificationState)), help="dead: those that need a person.")
@_limit_option
@reading_options
@json_option
def list_notifications(state: str | None, limit: int, server: str | None, wait: str, as_json: bool) -> None:
    """List notifications, the youngest first."""
    answer = _ask(server, wait, "GET", "/notifications", {"state": state or "", "limit": str(limit)})
    _show(answer, as_json, "notifications", _notification, "there are none")


@notifications.command()
@click.argument("notification_id", metavar="[ID]", required=False)
@click.option("--all", "every", is_flag=True, help="All dead ones that have not been overtaken.")
@reading_options
@json_option
def retry(notification_id: str | None, every: bool, server: str | None, wait: str, as_json: bool) -> None:
    """Try a dead notification again, once what was wrong has been mended."""
    if every == bool(notification_id):
        fail("give the ID of a dead notification, or --all")
    body: dict[str, Any] = {"all": True} if every else {"id": notification_id}
    answer = _ask(server, wait, "POST", "/notifications/retry", body=body)
    if as_json:
        print_json(answer)
    else:
        click.echo(f"{answer.get('retried')} to be tried again")


def _of(incident_id: str) -> str:
    return f"/incidents/{quote(incident_id, safe='')}"


def _me() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # a container may run as a number without a name
        return "somebody"


def _ask(
    server: str | None, wait: str, method: Any, path: str, query: Mapping[str, str] | None = None, body: Any = None
) -> Any:
    from driftband.client.call import Call  # noqa: PLC0415 - not before it is needed
    from driftband.client.server import RefusedError, UnreachedError  # noqa: PLC0415

    told = {name: value for name, value in (query or {}).items() if value}
    call = Call(method=method, path=_PATH + path, query=told, body=b"" if body is None else json.dumps(body).encode())
    try:
        return known_server(server, wait).send(call)
    except (RefusedError, UnreachedError) as error:
        fail(str(error))


def _show(answer: Any, as_json: bool, name: str, line: Callable[[Any], str], none: str) -> None:
    if as_json:
        print_json(answer)
        return
    listed = answer.get(name) or ()
    _say([line(one) for one in listed] or [none])
    if answer.get("next"):
        _say([f"and more; --limit shows up to 1000, the API's cursor all of them ({len(listed)} shown)"])


def _print(incident: Any, as_json: bool) -> None:
    if as_json:
        print_json(incident)
    else:
        _say(_story(incident))


def _say(lines: Iterable[str]) -> None:
    from driftband.client.show import plain  # noqa: PLC0415 - not before it is needed

    for line in lines:
        click.echo(plain(line))


def _headline(incident: Any) -> str:
    owner = f", of {incident['owner']}" if incident.get("owner") else ""
    return (
        f"{incident.get('id')}  {incident.get('opened_at')}  {incident.get('state')}, {incident.get('severity')}, "
        f"{incident.get('verdict')}{owner}: {incident.get('title')}"
    )


def _story(incident: Any) -> Iterator[str]:
    yield _headline(incident)
    for name, value in (incident.get("identity") or {}).items():
        yield f"  {name}: {value}"
    for suspect in incident.get("suspects") or ():
        yield f"  suspect {suspect.get('change')} ({suspect.get('score')})"
        for reason in suspect.get("reasons") or ():
            yield f"  . {reason}"
    yield f"  findings: {', '.join(incident.get('findings') or ())}"
    for entry in incident.get("timeline") or ():
        yield f"  {entry.get('at')} {entry.get('what')}: {entry.get('reason')}"


def _notification(one: Any) -> str:
    error = f": {one['error']}" if one.get("error") else ""
    return (
        f"{one.get('id')}  {one.get('made_at')}  {one.get('deed')} to {one.get('destination')}, {one.get('state')} "
        f"after {one.get('attempts')} attempt{'' if one.get('attempts') == 1 else 's'}{error}"
    )
