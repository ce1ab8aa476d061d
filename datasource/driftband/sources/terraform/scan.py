"""One scan: Terraform or OpenTofu asked what has drifted. What comes back is raw and holds secrets: redact it first."""

import json
import re
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from driftband.sources.terraform import process
from driftband.sources.terraform.installed import module_versions

Observe = Callable[[str, int, int | None], None]
"""Told of the step, how many resources it has read, and of how many, where that is known."""


class ScanError(Exception):
    """A scan cannot even begin; its text is for a person."""


@dataclass(frozen=True, kw_only=True)
class Scanned:
    """What a scan gave.

    stream: of the refresh-only ``plan -json``; where an earlier step failed, a stream that says so. plan, normal_plan:
    the JSON of ``show -json``, None where there is none. lineage, serial: of the state before the scan. schemas: of
    ``providers schema -json``. exit_code: of the refresh-only plan; 1 where it failed. modules: exact versions by the
    path of the call. warnings: what else went wrong, without the tool's own words.
    """

    stream: bytes
    plan: bytes | None = None
    normal_plan: bytes | None = None
    lineage: str = ""
    serial: int | None = None
    schemas: bytes | None = None
    started_at: datetime
    exit_code: int
    modules: Mapping[str, str] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()


class _Instances(msgspec.Struct):
    mode: str = ""
    instances: list[msgspec.Raw] = msgspec.field(default_factory=list)


class _State(msgspec.Struct):
    lineage: str = ""
    serial: int | None = None
    resources: list[_Instances] = msgspec.field(default_factory=list)


class _Event(msgspec.Struct):
    type: str = ""


_STATE = msgspec.json.Decoder(_State)
_EVENT = msgspec.json.Decoder(_Event)


def scan(
    directory: Path,
    *,
    tool: str = "terraform",
    normal_plan: bool = False,
    timeout: float,
    environ: Mapping[str, str],
    arguments: Sequence[str] = (),
    lock: bool = True,
    observe: Observe = lambda _step, _done, _of: None,
) -> Scanned:
    """Return what ``tool`` says of ``directory`` within ``timeout`` seconds; ScanError where it cannot be run at all.

    arguments: for each plan, such as ``-var-file=prod.tfvars``. environ: what the tool sees of it is all but ours
    (``DRIFTBAND_*``). A failure of the tool is a result: its stream says so.
    """
    if not directory.is_dir():
        raise ScanError(f"{directory} is not a directory")
    ours = {name: value for name, value in environ.items() if not name.startswith("DRIFTBAND_")}
    with tempfile.TemporaryDirectory(prefix="driftband-scan-") as place:
        return _Scan(
            directory=directory,
            tool=tool,
            deadline=time.monotonic() + timeout,
            environ={"CHECKPOINT_DISABLE": "1", **ours, "TF_IN_AUTOMATION": "1", "TF_INPUT": "0"},
            arguments=[*([] if lock else ["-lock=false"]), *arguments],
            observe=observe,
            place=Path(place),
        ).scanned(normal=normal_plan)


@dataclass(kw_only=True)
class _Scan:
    directory: Path
    tool: str
    deadline: float
    environ: Mapping[str, str]
    arguments: Sequence[str]
    observe: Observe
    place: Path
    warnings: list[str] = field(default_factory=list)

    def scanned(self, *, normal: bool) -> Scanned:
        started_at = datetime.now(UTC)
        ready = self._run("init", "init", "-input=false", "-no-color")
        if ready.exit_code != 0 or ready.timed_out:
            return Scanned(stream=self._failure("init", ready), started_at=started_at, exit_code=1)
        state = self._state()
        total = sum(len(r.instances) for r in state.resources if r.mode == "managed")
        started_at = datetime.now(UTC)
        refresh, plan = self._plan("refresh", total, "-refresh-only")
        stream = refresh.output[: refresh.output.rfind(b"\n") + 1]
        if refresh.timed_out or (refresh.exit_code != 0 and plan is None and b'"diagnostic"' not in stream):
            stream += self._failure("plan", refresh)
        other = self._plan("plan", total)[1] if normal and plan is not None and refresh.exit_code == 0 else None
        if normal and other is None:
            self.warnings.append("the normal plan could not be made; pending changes are not known")
        return Scanned(
            stream=stream,
            plan=plan,
            normal_plan=other,
            lineage=state.lineage,
            serial=state.serial,
            schemas=self._schemas() if plan is not None else None,
            started_at=started_at,
            exit_code=1 if refresh.timed_out else refresh.exit_code,
            modules=module_versions(self.directory, self.environ),
            warnings=tuple(self.warnings),
        )

    def _run(self, step: str, *command: str, total: int | None = None) -> process.Done:
        read = 0

        def tell(line: bytes) -> None:
            nonlocal read
            if _kind(line) == "refresh_complete":
                read += 1
                self.observe(step, read, total)

        self.observe(step, 0, total)
        try:
            return process.run([self.tool, *command], self.directory, self.environ, self.deadline, tell)
        except OSError as error:
            raise ScanError(f"{self.tool} cannot be run: {error.strerror}") from None
        except process.TooMuchError:
            raise ScanError(f"{self.tool} {command[0]} says more than {process.MAX_OUTPUT >> 20} MiB") from None

    def _plan(self, step: str, total: int, *mode: str) -> tuple[process.Done, bytes | None]:
        """Run a plan and return it with the JSON of its file, which is there after many a failure too."""
        file = self.place / f"{step}.tfplan"
        out = f"-out={file}"
        done = self._run(step, "plan", "-input=false", "-json", out, *mode, *self.arguments, total=total or None)
        if done.timed_out or not file.is_file():
            return done, None
        shown = self._run("show", "show", "-json", str(file))
        file.unlink()
        if shown.exit_code != 0 or shown.timed_out:
            self.warnings.append(f"{self.tool} cannot show its own plan (exit {shown.exit_code})")
            return done, None
        return done, shown.output

    def _state(self) -> _State:
        pulled = self._run("state", "state", "pull")
        if pulled.exit_code != 0 or pulled.timed_out:
            self.warnings.append("the state's lineage and serial are not known: state pull failed")
            return _State()
        try:
            return _STATE.decode(pulled.output) if pulled.output.strip() else _State()
        except msgspec.DecodeError:
            self.warnings.append("the state's lineage and serial are not known: its JSON cannot be read")
            return _State()

    def _schemas(self) -> bytes | None:
        given = self._run("schemas", "providers", "schema", "-json")
        if given.exit_code == 0 and not given.timed_out:
            return given.output
        self.warnings.append("sets cannot be told from lists: providers schema failed")
        return None

    def _failure(self, step: str, done: process.Done) -> bytes:
        """Return stream lines that say what failed, in the form of the tool's own."""
        if done.timed_out:
            summaries = [f"{step} was stopped: the scan's time was over"]
        else:
            text = re.sub(r"\x1b\[[0-9;]*m", "", done.errors.decode(errors="replace"))
            summaries = re.findall(r"^\W*Error: (.+)$", text, re.MULTILINE)[:5]
            summaries = [
                f"{step} failed (exit {done.exit_code}): {said.strip()}" for said in summaries or ["no reason"]
            ]
        now = datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
        lines = [] if done.output.startswith(b'{"@level"') else [self._version_line(now)]
        lines += [_diagnostic(summary, now) for summary in summaries]
        return b"".join(json.dumps(line).encode() + b"\n" for line in lines)

    def _version_line(self, now: str) -> dict[str, object]:
        name = "tofu" if "tofu" in Path(self.tool).name else "terraform"
        return {"@level": "info", "@message": name, "@timestamp": now, "type": "version", name: "", "ui": "1.2"}


def _diagnostic(summary: str, now: str) -> dict[str, object]:
    said = {"severity": "error", "summary": summary, "detail": ""}
    return {
        "@level": "error",
        "@message": f"Error: {summary}",
        "@timestamp": now,
        "diagnostic": said,
        "type": "diagnostic",
    }


def _kind(line: bytes) -> str:
    try:
        return _EVENT.decode(line).type
    except msgspec.DecodeError:
        return ""
