"""Wires the destinations: from their configuration to what delivers, and the chores that do it."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from driftband.app_evidence import TICK, Chore
from driftband.config import Config
from driftband.config_destinations import Destination
from driftband.respond.alertmanager import EVERY, Alertmanager
from driftband.respond.destinations import sender
from driftband.respond.matchers import Matcher, parse_matchers
from driftband.respond.outbox import Outbox, Relay
from driftband.respond.pictured import Pictured
from driftband.respond.policy import Escalation, Rules
from driftband.respond.post import Address
from driftband.respond.quiet import Quiet
from driftband.respond.resending import Reminding, Standing
from driftband.respond.sender import Pictures, Reminder, Sender, Setup


def rules(config: Config) -> dict[str, Rules]:
    """Return each destination's rules, by its name."""
    called = {one.escalate.to for one in config.destinations if one.escalate is not None}
    return {one.name: _rules(one, called=one.name in called) for one in config.destinations}


def senders(config: Config, pictures: Pictures | None = None) -> dict[str, Sender]:
    """Return what delivers to each destination, by its name. pictures: of incidents, where messages may have some."""
    made = {}
    for one in config.destinations:
        setup = _setup(one, config.external_url, pictures)
        way = sender(one.type, setup)
        fetches = one.type == "pagerduty" and pictures is not None and setup.external_url.startswith("https:")
        made[one.name] = Pictured(way, pictures, setup.external_url) if fetches and pictures else way
    return made


def delivering(
    config: Config,
    outbox: Outbox,
    standing: Standing,
    clock: Callable[[], datetime],
    pictures: Pictures | None = None,
) -> tuple[Chore, ...]:
    """Return the chores that bring what is owed, and that keep each Alertmanager reminded; none without destinations."""
    if not config.destinations:
        return ()
    ways = senders(config, pictures)
    relay = Relay(outbox, ways, rules(config), clock)
    chores = [Chore("notifications", timedelta(seconds=TICK), lambda _now: relay.drain())]
    forgetful: Mapping[str, Reminder] = {name: way for name, way in ways.items() if isinstance(way, Alertmanager)}
    if forgetful:
        reminding = Reminding(standing, forgetful, clock)
        chores.append(Chore("reminders", EVERY, lambda _now: reminding.run()))
    return tuple(chores)


def _rules(destination: Destination, *, called: bool) -> Rules:
    quiet, escalate = destination.quiet, destination.escalate
    return Rules(
        match=_matchers(destination.match),
        quiet=None
        if quiet is None
        else Quiet(
            begins=quiet.times()[0],
            ends=quiet.times()[1],
            zone=ZoneInfo(quiet.timezone),
            excepted=_matchers(quiet.excepted),
        ),
        updates_every=_length(destination.updates_every),
        escalate=None if escalate is None else Escalation(after=timedelta(milliseconds=escalate.after), to=escalate.to),
        only_escalated=called and not destination.match,
    )


def _matchers(texts: tuple[str, ...]) -> tuple[Matcher, ...]:
    return tuple(matcher for text in texts for matcher in parse_matchers(text))


def _length(milliseconds: int | None) -> timedelta | None:
    return None if milliseconds is None else timedelta(milliseconds=milliseconds)


def _setup(destination: Destination, external_url: str, pictures: Pictures | None) -> Setup:
    def text(name: str) -> str:
        value = getattr(destination, name)
        return value.get_secret_value() if value is not None else ""

    return Setup(
        name=destination.name,
        address=Address(url=text("url")),
        key=text("routing_key"),
        secret=text("secret"),
        external_url=external_url.rstrip("/"),
        pictures=pictures,
    )
