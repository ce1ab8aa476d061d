"""``driftband verify``: the gate of CI after a change."""

import click

from driftband.cli_client import StatusLine, duration, fail, json_option, known_server, print_json, reading_options


@click.command()
@click.option("--change", "change_id", required=True, metavar="ID", help="The id that the change was recorded with.")
@click.option(
    "--for", "lasts", default="15m", show_default=True, metavar="DURATION", help="Watch for so long after its end."
)
@click.option(
    "--patience",
    default="10m",
    show_default=True,
    metavar="DURATION",
    help="Give up where the watcher, or the server, stands still for so long.",
)
@reading_options
@json_option
def verify(change_id: str, lasts: str, patience: str, server: str | None, wait: str, as_json: bool) -> None:
    """Wait until it is known whether all stayed calm after a change.

    Watched are the series of the signals that belong to the change: of its service, else of its place. While the change
    runs, its end is waited for; where its time is over already, the answer comes at once.

    Exit code 0: all stayed calm. 2: drift that the change is suspected of, told as soon as it is there. 3: not enough
    evidence: no signal belongs to the change, the watcher or its source stands still, or the change is not on record.
    1: an error.
    """
    from driftband.client.server import RefusedError, UnreachedError  # noqa: PLC0415 - not before it is needed
    from driftband.client.verify import EXIT_CODES, Follower, verification_lines  # noqa: PLC0415

    line = StatusLine()
    follower = Follower(
        server=known_server(server, wait),
        change=change_id,
        seconds=max(round(duration("--for", lasts)), 1),
        patience=duration("--patience", patience),
        show=line.show,
    )
    try:
        told = follower.follow()
    except (RefusedError, UnreachedError) as error:
        line.clear()
        fail(str(error))
    line.clear()
    if as_json:
        print_json(told)
    else:
        for text in verification_lines(told):
            click.echo(text)
    click.get_current_context().exit(EXIT_CODES.get(str(told.get("status")), 1))
