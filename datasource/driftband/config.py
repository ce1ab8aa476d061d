"""The configuration: the strict way from a file and the environment to frozen settings.

What is wrong is told all at once, each problem with its place, its key, what was expected and what to do; no message
and no dump shows a secret.
"""

import difflib
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Self, TypeVar
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, Field, SecretStr, ValidationError, model_validator
from pydantic_core import ErrorDetails

from driftband.config_access import Access
from driftband.config_destinations import Destination, check_escalations
from driftband.config_environment import override, schema_at
from driftband.config_intents import GRAPH, Dependencies, Intent, check_intents
from driftband.config_prometheus import Prometheus
from driftband.config_sections import Bands, Grafana, Incidents, Limits, Section, Workspace
from driftband.config_signals import Pack, Signal, Watch, with_packs
from driftband.config_source import ConfigError, KeyPath, Problem, Reading, as_written, dotted, read_file
from driftband.config_values import (
    Duration,
    HttpUrl,
    ImpossibleError,
    LabelName,
    Listen,
    StoreUrl,
    is_loopback,
    split_listen,
)

__all__ = ["Config", "ConfigError", "load"]

_EXPECTED = {
    "string_type": "text",
    "int_type": "a whole number",
    "float_type": "a number",
    "bool_type": "true or false",
    "tuple_type": "a list",
    "mapping_type": "a map",
    "dict_type": "a map",
    "model_type": "a map of keys",
}
_IMPLIED = {"default_factory_not_called"}  # follows from another problem that is listed


Named = TypeVar("Named", Signal, Intent, Workspace, Destination)


def _unique_names(sections: tuple[Named, ...]) -> tuple[Named, ...]:
    names = [section.name for section in sections]
    repeated = [
        ((index, "name"), f"another {type(sections[index]).__name__.lower()} has this name already; names are unique")
        for index, name in enumerate(names)
        if name in names[:index]
    ]
    if repeated:
        raise ImpossibleError(*repeated)
    return sections


class Config(Section):
    """All settings; frozen."""

    listen: Listen = "127.0.0.1:8088"
    """Where it answers. On other addresses than loopback it wants tokens."""
    external_url: HttpUrl = Field(default_factory=lambda values: f"http://{values['listen']}")
    """How others reach it: for links in messages."""
    prometheus: Prometheus
    """The source."""
    store: StoreUrl = Field(default=SecretStr("sqlite:///driftband.db"), validate_default=True)
    """`sqlite:///FILE`, or `postgresql+psycopg://USER:PASSWORD@HOST/DATABASE` for several instances."""
    grafana: Grafana | None = None
    """Where changes are written as annotations, and links to Explore lead."""
    access: Access = Access()
    """Who may read, write and approve."""
    bands: Bands = Bands()
    """How bands are made."""
    limits: Limits = Limits()
    """What one query may ask for."""
    identity: tuple[LabelName, ...] = ("service", "env", "cluster", "region", "team")
    """The labels by which infrastructure and telemetry recognise each other."""
    signals: Annotated[tuple[Signal, ...], AfterValidator(_unique_names)] = ()
    """What is [watched](watching.md)."""
    packs: tuple[Pack, ...] = ()
    """Ready signals: `kubernetes`, `http`."""
    intents: Annotated[tuple[Intent, ...], AfterValidator(_unique_names)] = ()
    """What Terraform declares, held against [what is observed](watching.md#intents)."""
    dependencies: Dependencies | None = None
    """Who calls whom: the [service graph](watching.md#dependencies)."""
    watch: Watch = Watch()
    """The watcher."""
    incidents: Incidents = Incidents()
    """How incidents end."""
    workspaces: Annotated[tuple[Workspace, ...], AfterValidator(_unique_names)] = ()
    """Terraform root modules that are scanned from here, or need a word of explanation."""
    destinations: Annotated[
        tuple[Destination, ...], AfterValidator(_unique_names), AfterValidator(check_escalations)
    ] = ()
    """[Where incidents go](destinations/README.md)."""
    retention: Duration = 400 * 86_400_000
    """How long what is over is kept."""

    @property
    def host(self) -> str:
        """The address to listen on; IPv6 without brackets."""
        return split_listen(self.listen)[0]

    @property
    def port(self) -> int:
        """The port to listen on."""
        return split_listen(self.listen)[1]

    @model_validator(mode="after")
    def _guarded(self) -> Self:
        """Hold the rules of DESIGN.md, Access."""
        missing = [kind for kind in ("read_tokens", "write_tokens") if not getattr(self.access, kind)]
        if missing and not is_loopback(self.host):
            names = " and ".join(f"access.{kind}" for kind in missing)
            raise ImpossibleError((("listen",), f"others can reach this address: give {names}, or listen on 127.0.0.1"))
        forwarded = {name.lower() for name in self.prometheus.forward_headers}
        if self.access.read_tokens and "authorization" in forwarded:
            message = "must not name Authorization where access.read_tokens are given: it carries them to the source"
            raise ImpossibleError((("prometheus", "forward_headers"), message))
        return self

    @model_validator(mode="after")
    def _instants_on_the_grid(self) -> Self:
        self.watch.fits(self.bands.step)
        return self

    @model_validator(mode="after")
    def _intents_belong(self) -> Self:
        signals = {signal.name for signal in self.all_signals}
        check_intents(self.intents, signals, self.identity)
        if self.dependencies is not None and GRAPH in signals | {intent.name for intent in self.intents}:
            message = f"its findings have the name {GRAPH}, and so has a signal or an intent; rename that"
            raise ImpossibleError((("dependencies",), message))
        return self

    @property
    def all_signals(self) -> tuple[Signal, ...]:
        """The signals of the file and of its packs."""
        return with_packs(self.signals, self.packs)

    @property
    def watched_names(self) -> frozenset[str]:
        """The names of all that is watched: what findings of it have as their signal."""
        graph = () if self.dependencies is None else (GRAPH,)
        names = (*(signal.name for signal in self.all_signals), *(intent.name for intent in self.intents))
        return frozenset((*names, *graph))

    def secrets(self) -> frozenset[str]:
        """Return every secret value, for what has to hide them."""
        store = self.store.get_secret_value()
        password = urlsplit(store).password
        found = frozenset(_secrets(self)) | (frozenset({password}) if password else frozenset())
        found |= frozenset(part for one in self.destinations for part in one.secret_parts())
        plain = {one.url.get_secret_value() for one in self.destinations if one.url and one.hides_nothing()}
        if store.startswith("sqlite:"):
            plain.add(store)  # the path of a file is none
        return found - plain

    def effective(self) -> dict[str, Any]:
        """Return every setting as it would be written in the file, ``<secret>`` in place of each secret."""
        settings: dict[str, Any] = as_written(self.model_dump(mode="json", by_alias=True))
        return settings


def _secrets(value: Any) -> Iterator[str]:
    if isinstance(value, SecretStr):
        yield value.get_secret_value()
    elif isinstance(value, BaseModel):
        yield from _secrets(tuple(dict(value).values()))
    elif isinstance(value, Mapping):
        yield from _secrets(tuple(value.values()))
    elif isinstance(value, tuple):
        for item in value:
            yield from _secrets(item)


def load(path: Path | None, environ: Mapping[str, str]) -> Config:
    """Return the configuration of a file (None: of the environment alone) with the environment's overrides.

    Raises ConfigError with every problem that was found.
    """
    reading = read_file(path, environ)
    override(reading, Config)
    config = None
    try:
        config = Config.model_validate(reading.tree, context={"base": reading.base})
    except ValidationError as error:
        reading.problems += _problems_of(error, reading, Config)
    if config is None or reading.problems:
        raise ConfigError(tuple(sorted(dict.fromkeys(reading.problems), key=_place)))
    return config


def _place(problem: Problem) -> tuple[str, int]:
    """Return what sorts problems as they stand in the file."""
    source, _, line = problem.origin.rpartition(":")
    return (source, int(line)) if line.isdecimal() else (problem.origin, 0)


def _problems_of(error: ValidationError, reading: Reading, schema: type[BaseModel]) -> list[Problem]:
    """Return the problems of a refused configuration."""
    return [
        Problem(reading.origin(path), dotted(path), message)
        for details in error.errors(include_url=False)
        if details["type"] not in _IMPLIED
        for path, message in _explained(details, schema)
        if not any(earlier.path == dotted(path) for earlier in reading.problems)  # it could not even be read
    ]


def _explained(details: ErrorDetails, schema: type[BaseModel]) -> Iterator[tuple[KeyPath, str]]:
    kind, path = details["type"], tuple(part for part in details["loc"] if part != "[key]")
    cause = details.get("ctx", {}).get("error")
    if isinstance(cause, ImpossibleError):
        yield from (((*path, *below), message) for below, message in cause.problems)
    elif cause is not None:
        yield path, str(cause)
    elif kind == "extra_forbidden":
        yield path, _unknown(path, schema)
    elif kind == "missing":
        yield path, "is required and missing; add it"
    elif kind == "literal_error":
        yield path, _none_of(details)
    elif kind in _EXPECTED:
        yield path, _mistyped(_EXPECTED[kind], details["input"])
    else:
        yield path, details["msg"]


def _unknown(path: KeyPath, schema: type[BaseModel]) -> str:
    section = schema_at(schema, path[:-1])
    keys = [about.alias or key for key, about in section.model_fields.items()] if section else []
    near = difflib.get_close_matches(str(path[-1]), keys, n=1, cutoff=0.6)
    if near:
        return f'unknown key; did you mean "{near[0]}"?'
    return f"unknown key; the keys here are {', '.join(keys)}"


def _none_of(details: ErrorDetails) -> str:
    expected = str(details.get("ctx", {}).get("expected"))
    given = details["input"]
    near = difflib.get_close_matches(given, re.findall(r"'([^']+)'", expected), n=1) if isinstance(given, str) else []
    return f"expected {expected}" + (f'; did you mean "{near[0]}"?' if near else "")


def _mistyped(expected: str, found: Any) -> str:
    if found is None:
        return f"expected {expected}, found nothing; give a value, or remove the key"
    if isinstance(found, dict):
        return f"expected {expected}, found a map of keys"
    if isinstance(found, tuple):
        return f"expected {expected}, found a list"
    if isinstance(found, str):
        return f"expected {expected}, found text" + ("; put it in [ ]" if expected == "a list" else "")
    what = "true or false" if isinstance(found, bool) else "a number"
    mend = "; put it in quotes" if expected == "text" else ""
    return f"expected {expected}, found {what}{mend}"
