"""What the configuration file says, each value with the line that it came from.

Here is how values are written (YAML, ``${NAME}``, ``{file: PATH}``); what they may be is in :mod:`driftband.config`. No
message repeats a value: it may be a secret.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from driftband.config_values import EnvironmentText

KeyPath = tuple[str | int, ...]

_VARIABLE = re.compile(r"\$\$\{|\$\{([^{}]*)\}")
_TO_ESCAPE = re.compile(r"(?<=\$)\$\{|\$\{(?![0-9]+\})")
_LARGEST_FILE = 64 * 1024


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong. origin: file and line, or variable; path: the dotted key, empty for the whole."""

    origin: str
    path: str
    message: str

    def __str__(self) -> str:
        return ": ".join(part for part in (self.origin, self.path, self.message) if part)


class ConfigError(Exception):
    """The configuration cannot be used; its text has a line for each problem, and no value of a setting."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        super().__init__("\n".join(map(str, problems)))
        self.problems = problems


@dataclass
class Reading:
    """What was read so far: the tree of values, where each came from, and what could not be read."""

    default_origin: str
    base: Path
    environ: Mapping[str, str]
    tree: dict[str, Any] = field(default_factory=dict)
    origins: dict[KeyPath, str] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    used: set[str] = field(default_factory=set)

    def origin(self, path: KeyPath) -> str:
        """Return the place of the value at ``path``, or else of the nearest thing around it."""
        for length in range(len(path), -1, -1):
            if path[:length] in self.origins:
                return self.origins[path[:length]]
        return self.default_origin

    def complain(self, path: KeyPath, message: str, origin: str | None = None) -> None:
        """Note a problem with what is at ``path``."""
        self.problems.append(Problem(origin or self.origin(path), dotted(path), message))


def dotted(path: KeyPath) -> str:
    """Return ``signals[0].expr`` for ``("signals", 0, "expr")``."""
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path).removeprefix(".")


def as_written(value: Any) -> Any:
    """Return a tree of values as a file would have to write them: ``$${`` for a ``${`` that is meant as it stands."""
    if isinstance(value, dict):
        return {key: as_written(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [as_written(inner) for inner in value]
    return _TO_ESCAPE.sub("$${", value) if isinstance(value, str) else value


def read_file(path: Path | None, environ: Mapping[str, str]) -> Reading:
    """Read the file, if one is named; ``environ`` is where its ``${NAME}`` look.

    Raises ConfigError where the file as a whole cannot be read; what is wrong inside stands in ``problems``.
    """
    reading = Reading(str(path or "environment"), path.parent if path else Path(), environ)
    if path is not None:
        root = compose(_text_of(path), str(path))
        if isinstance(root, yaml.MappingNode):
            reading.tree = Nodes(reading, str(path)).value(root, ())
        elif root is not None:
            message = "expected a map of keys, such as `listen: 127.0.0.1:8088`"
            raise ConfigError((Problem(f"{path}:{root.start_mark.line + 1}", "", message),))
    return reading


def _text_of(path: Path) -> str:
    try:
        return path.read_bytes().decode()  # PyYAML takes a byte order mark away
    except OSError as error:
        raise ConfigError((Problem(str(path), "", f"cannot be read: {error.strerror}"),)) from None
    except UnicodeDecodeError:
        raise ConfigError((Problem(str(path), "", "is not UTF-8 text"),)) from None


def compose(text: str, origin: str) -> yaml.Node | None:
    """Return the tree of YAML nodes, None for nothing at all; ConfigError with the line where it is not YAML."""
    try:
        return yaml.compose(text, yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        words = re.sub(r"'([^']*)'", _harmless, error.problem or "")
        if (error.context or "").startswith("expected"):
            words = f"{error.context} {words}"
        line = f":{error.problem_mark.line + 1}" if error.problem_mark else ""
        raise ConfigError((Problem(origin + line, "", f"is not YAML: {words}; mend it there"),)) from None
    except yaml.YAMLError:
        raise ConfigError((Problem(origin, "", "is not YAML: it holds characters that YAML does not allow"),)) from None
    except RecursionError:
        raise ConfigError((Problem(origin, "", "is nested too deeply"),)) from None


def _harmless(quoted: re.Match[str]) -> str:
    """Keep the signs that PyYAML quotes, and drop the words: they are the file's, and may be a secret."""
    return quoted[0] if len(quoted[1]) <= 2 or quoted[1].startswith("<") else "something"  # noqa: PLR2004 - "\\t"


class Nodes:
    """Turns YAML nodes into values, and notes their lines.

    ``lines`` is off for what is no file, ``expand`` for what a shell has already expanded.
    """

    def __init__(self, reading: Reading, origin: str, *, lines: bool = True, expand: bool = True) -> None:
        self.reading, self.file, self.lines, self.expand = reading, origin, lines, expand
        self.open: list[yaml.Node] = []

    def _origin(self, node: yaml.Node) -> str:
        return f"{self.file}:{node.start_mark.line + 1}" if self.lines else self.file

    def value(self, node: yaml.Node, path: KeyPath) -> Any:
        """Return maps as dicts, lists as tuples, text, numbers, truth values and None; what is none of them as None."""
        self.reading.origins[path] = self._origin(node)
        if any(node is outer for outer in self.open):
            self.reading.complain(path, "is an alias of what it stands in; write it out")
            return None
        self.open.append(node)
        try:
            if isinstance(node, yaml.SequenceNode):
                return tuple(self.value(item, (*path, index)) for index, item in enumerate(node.value))
            if isinstance(node, yaml.MappingNode):
                return self._mapping(node, path)
            return self._scalar(node, path)
        finally:
            self.open.pop()

    def _mapping(self, node: yaml.MappingNode, path: KeyPath) -> Any:
        values: dict[str, Any] = {}
        for key, item in node.value:
            if not isinstance(key, yaml.ScalarNode):
                self.reading.complain(path, "a key must be plain text", self._origin(key))
            elif key.value in values:
                before = self.reading.origins[(*path, key.value)].rpartition(":")[2]
                where = f"; the first is on line {before}" if self.lines else ""
                self.reading.complain((*path, key.value), f"stands here twice{where}; keep one", self._origin(key))
            else:
                values[key.value] = self.value(item, (*path, key.value))
                self.reading.origins[(*path, key.value)] = self._origin(key)
        if path and values.keys() == {"file"} and isinstance(values["file"], str):
            return self._file_text(values["file"], path)
        return values

    def _scalar(self, node: yaml.Node, path: KeyPath) -> Any:
        kind = str(node.tag).removeprefix("tag:yaml.org,2002:")
        if kind == "null":
            return None
        construct = {"bool": "construct_yaml_bool", "int": "construct_yaml_int", "float": "construct_yaml_float"}
        if kind in construct and ":" not in node.value:  # YAML 1.1 reads 1:30 as a number of base 60
            try:
                return getattr(yaml.constructor.SafeConstructor(), construct[kind])(node)
            except (ValueError, KeyError):
                self.reading.complain(path, "is neither text nor a number; put text in quotes")
                return None
        if kind not in {"str", "timestamp", "int", "float", "merge", "value"}:
            self.reading.complain(path, "YAML tags (!...) are not used here; put text in quotes")
            return None
        return self._expanded(node.value, path) if self.expand else node.value

    def _expanded(self, text: str, path: KeyPath) -> str:
        """Replace ``${NAME}``; ``$${`` stands for ``${``, and ``${1}`` is PromQL's own."""
        missing: list[str] = []

        def one(found: re.Match[str]) -> str:
            name = found[1]
            if name is None:
                return "${"
            if name.isascii() and name.isdigit():
                return found[0]
            if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name):
                missing.append("${...} takes the name of a variable and nothing else; write $${ for a plain ${")
                return ""
            self.reading.used.add(name)
            if name not in self.reading.environ:
                missing.append(f"the environment variable {name} is not set; set it, or write $${{ for a plain ${{")
            return self.reading.environ.get(name, "")

        result = _VARIABLE.sub(one, text)
        for message in missing:
            self.reading.complain(path, message)
        return text if result == text else EnvironmentText(result)

    def _file_text(self, name: str, path: KeyPath) -> str | None:
        try:
            with (self.reading.base / name).open("rb") as file:
                content = file.read(_LARGEST_FILE + 1)
            text = content.decode()
        except OSError as error:
            self.reading.complain(
                path, f"its file cannot be read: {error.strerror}; check the path and who may read it"
            )
        except (UnicodeDecodeError, ValueError):
            self.reading.complain(path, "its file is not UTF-8 text, or its path is none")
        else:
            if len(content) <= _LARGEST_FILE:
                return EnvironmentText(text.removesuffix("\n").removesuffix("\r"))
            self.reading.complain(path, "its file is larger than 64 KiB; name a file with the value alone")
        return None
