"""Writes the reference pages from the code: ``make docs``. A test fails where a page and the code differ."""

import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Literal, get_args, get_origin, get_type_hints

import click
from prometheus_client import ProcessCollector
from pydantic import BaseModel, TypeAdapter
from pydantic_core import PydanticUndefined

from driftband import config_destinations, config_values
from driftband.cli import main
from driftband.config import Config
from driftband.web.measure import Measure

FOLDER = Path(__file__).parent
_MADE = "<!-- Made by `make docs`; change the code instead. -->\n"
_KINDS: dict[Any, str] = {
    bool: "true or false",
    str: "text",
    config_values.Duration: "duration",
    config_values.Wait: "duration",
    config_values.Moment: "time (RFC 3339)",
    config_values.Size: "size",
    config_values.Count: "number",
    config_values.NotNegative: "number",
    config_values.Finite: "number",
    config_values.Level: "number",
    config_values.TimeZone: "time zone",
    config_values.Listen: "host:port",
    config_values.HttpUrl: "URL",
    config_values.SourceUrl: "URL",
    config_values.StoreUrl: "URL",
    config_values.ExistingFile: "file",
    config_values.ExistingPath: "path",
    config_values.Secret: "secret",
    config_values.SecretHeader: "secret",
    config_values.SecretToken: "secret",
    config_values.AccessToken: "secret",
    config_destinations.DestinationUrl: "URL",
    config_destinations.MatcherText: "matcher",
    config_destinations.ClockTime: "time of day",
}


def _bare(annotation: Any) -> Any:
    """Return an annotation without ``| None``, and without what is checked where it is a list or a map."""
    arguments = [one for one in get_args(annotation) if one is not type(None)]
    if type(None) in get_args(annotation):
        return _bare(arguments[0])
    inner = arguments[0] if hasattr(annotation, "__metadata__") else None
    return inner if get_origin(inner) in {tuple, Mapping, Literal} else annotation


def _kind(annotation: Any) -> str:
    bare = _bare(annotation)
    if get_origin(bare) is Literal:
        return ", ".join(f"`{word}`" for word in get_args(bare))
    if get_origin(bare) is tuple:
        return f"list of {_kind(get_args(bare)[0])}"
    if get_origin(bare) is Mapping:
        return f"map of {_kind(get_args(bare)[1])}"
    return "section" if _section(bare) else _KINDS.get(bare, "text")


def _section(annotation: Any) -> type[BaseModel] | None:
    bare = _bare(annotation)
    if get_origin(bare) is tuple:
        return _section(get_args(bare)[0])
    return bare if isinstance(bare, type) and issubclass(bare, BaseModel) else None


def _default(annotation: Any, value: Any) -> str:
    if value is PydanticUndefined or value is None or _section(annotation):
        return ""
    shown = TypeAdapter(annotation).dump_python(value, mode="json")
    if isinstance(shown, list):
        return f"`[{', '.join(map(str, shown))}]`"
    return "" if shown == "" else f"`{str(shown).lower() if isinstance(shown, bool) else shown}`"


def _settings(schema: type[BaseModel], above: str) -> Iterator[tuple[str, str]]:
    """Yield each key of a section and of those below it: its path, and its row."""
    hints = get_type_hints(schema, include_extras=True)
    for name, about in schema.model_fields.items():
        path, hint = f"{above}{about.alias or name}", hints[name]
        section = _section(hint)
        listed = get_origin(_bare(hint)) is tuple
        if not section or (above and not listed):
            default = "required" if about.is_required() else _default(hint, about.default)
            yield path, f"| `{path}` | {_kind(hint)} | {default} | {about.description} |"
        if section:
            yield from _settings(section, f"{path}[]." if listed else f"{path}.")


def settings() -> str:
    """Return the page of all settings."""
    text = [_MADE, "# Settings\n", _SETTINGS_HEAD, "| key | kind | default | |\n|---|---|---|---|"]
    rows = list(_settings(Config, ""))
    text += [row for path, row in rows if "." not in path]
    for name, about in Config.model_fields.items():
        of_section = [row for path, row in rows if path.startswith((f"{name}.", f"{name}[]."))]
        if of_section:
            text += [f"\n## `{name}`\n", f"{about.description}\n", "| key | kind | default | |\n|---|---|---|---|"]
            text += of_section
    return "\n".join(text) + "\n"


_SETTINGS_HEAD = """\
`driftband.yaml`, or the file that `--config` or `DRIFTBAND_CONFIG` names. Each key but those of lists has a variable too, which wins:
`DRIFTBAND_` and the path in capitals with `__` between its parts (`DRIFTBAND_PROMETHEUS__URL`); lists and maps are written
there as YAML (`'["a", "b"]'`). Any value may be `${VARIABLE}` or `{file: PATH}`, from the file's folder; `$${` is a `${` that is meant.
Durations as Prometheus writes them (`30s`, `1h30m`, `14d`), sizes as `32MiB`. An unknown key is refused with its line;
`driftband check-config` shows what is in effect, with `<secret>` in place of each secret.
"""


def _verbs(command: click.Command, name: str) -> Iterator[tuple[str, click.Command]]:
    if isinstance(command, click.Group):
        for word, below in sorted(command.commands.items()):
            yield from _verbs(below, f"{name} {word}")
    else:
        yield name, command


def commands() -> str:
    """Return the page of all verbs, as ``--help`` shows them."""
    text = [_MADE, "# Commands\n", _COMMANDS_HEAD]
    for name, command in _verbs(main, "driftband"):
        context = click.Context(
            command, info_name=name, terminal_width=110, max_content_width=110, **main.context_settings
        )
        text += [f"## `{name}`\n", f"```\n{command.get_help(context)}\n```\n"]
    return "\n".join(text)


_COMMANDS_HEAD = """\
Exit code 0 for fine, 1 for an error, 2 for "it works and it found drift". The verbs that speak to a server read
`DRIFTBAND_URL` and `DRIFTBAND_TOKEN`; those that run on its machine read its [settings](settings.md).
"""


def metrics() -> str:
    """Return the page of what ``/metrics`` tells."""
    measure = Measure()
    measure.watch_findings(lambda: {("", "", ""): 0})
    text = [_MADE, "# Metrics\n", _METRICS_HEAD, "| metric | type | labels | |\n|---|---|---|---|"]
    for collector in measure.registry._collector_to_names:  # noqa: SLF001 - nothing public tells a metric's labels
        for family in () if isinstance(collector, ProcessCollector) else collector.collect():
            sample = family.samples[0].labels if family.samples else {}
            labels = getattr(collector, "_labelnames", None) or tuple(sample)
            name = f"{family.name}_total" if family.type == "counter" else family.name
            shown = ", ".join(f"`{label}`" for label in labels if label != "le")
            text.append(f"| `{name}` | {family.type} | {shown} | {family.documentation} |")
    return "\n".join(text) + "\n"


_METRICS_HEAD = """\
What `/metrics` tells of the service itself, for a Prometheus to scrape, besides the usual `process_*` (CPU, memory, start, open
files) on Linux. It wants a read token where there is one. What driftband knows of your systems is in the [series](series.md), not here.
"""

PAGES = {"settings.md": settings, "commands.md": commands, "metrics.md": metrics}

if __name__ == "__main__":
    made = {FOLDER / name: page() for name, page in PAGES.items()}
    stale = [path.name for path, text in made.items() if not path.is_file() or path.read_text(encoding="utf-8") != text]
    if "--check" in sys.argv:
        sys.exit(f"not as the code is: {', '.join(stale)}; run `make docs`" if stale else 0)
    for path, text in made.items():
        path.write_text(text, encoding="utf-8")
