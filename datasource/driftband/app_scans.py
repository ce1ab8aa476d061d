"""Scheduled scans: Terraform asked about configured workspaces, one scan a workspace at a time among all instances."""

import os
import random
import tarfile
import tempfile
import threading
import uuid
import zipfile
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path

import structlog

from driftband.app_evidence import Evidence, utc_now
from driftband.client.reporting import with_modules
from driftband.config_sections import Workspace
from driftband.model.refusal import RefusedError
from driftband.model.report import Report
from driftband.model.run import About, Taken
from driftband.sources.terraform import redacted
from driftband.sources.terraform.scan import ScanError, Scanned, scan
from driftband.store import leases

log = structlog.get_logger(__name__)

AT_ONCE = 2
"""Scans that one instance does at a time: Terraform takes a core and some hundred megabytes."""
JITTER = 0.1
"""Share of the interval by which a scan may come later, so that not all of them ask the cloud at once."""


class Scans:
    """Does what is due; ``look`` never waits for a scan."""

    def __init__(self, workspaces: Mapping[str, Workspace], evidence: Evidence) -> None:
        self._workspaces = {name: w for name, w in workspaces.items() if w.every is not None}
        self._evidence = evidence
        self._me = uuid.uuid4().hex
        self._pool = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="scan")
        self._lock = threading.Lock()
        self._waiting: set[str] = set()

    def look(self, now: datetime) -> None:
        """Begin the scans that are due."""
        for name, workspace in self._workspaces.items():
            with self._lock:
                if name in self._waiting:
                    continue
            # Held longer than a scan may take: an instance that dies in one gives its place up in the end.
            most = timedelta(milliseconds=2 * workspace.timeout)
            if leases.hold(self._evidence.database, f"scan:{name}", self._me, now, most):
                with self._lock:
                    self._waiting.add(name)
                self._pool.submit(self._do, workspace, now)

    def _do(self, workspace: Workspace, began: datetime) -> None:
        assert workspace.every is not None  # noqa: S101 - only such are looked at
        try:
            scan_workspace(workspace, self._evidence)
        except Exception as error:  # noqa: BLE001 - the next scan is due all the same
            # Only its kind: an error's text may hold what Terraform printed.
            log.error("scan failed", workspace=workspace.name, error=type(error).__name__)  # noqa: TRY400
        finally:
            pause = timedelta(milliseconds=workspace.every * (1 + random.uniform(0, JITTER)))  # noqa: S311 - no secret
            until = max(began + pause, utc_now())
            leases.hold_until(self._evidence.database, f"scan:{workspace.name}", self._me, until)
            with self._lock:
                self._waiting.discard(workspace.name)


def scan_workspace(workspace: Workspace, evidence: Evidence) -> Taken:
    """Scan a workspace once, and return what became of its report. A scan that cannot begin is a failed run."""
    run = f"scan-{utc_now():%Y%m%dT%H%M%S%f}"
    try:
        with _directory(Path(str(workspace.path))) as directory:
            found = scan(
                directory,
                tool=workspace.tool,
                normal_plan=workspace.normal_plan,
                timeout=workspace.timeout / 1000,
                environ={**os.environ, **{k: v.get_secret_value() for k, v in workspace.environment.items()}},
            )
    except (ScanError, OSError, tarfile.TarError, zipfile.BadZipFile) as error:
        failed = Report(
            source="stream", tool="terraform", errored=True, complete=False, errors=(f"the scan cannot begin: {error}",)
        )
        return evidence.take(failed, About(workspace=workspace.name, run=run))
    return _report(workspace, found, run, evidence)


def _report(workspace: Workspace, found: Scanned, run: str, evidence: Evidence) -> Taken:
    about = About(
        workspace=workspace.name, run=run, lineage=found.lineage, serial=found.serial, started_at=found.started_at
    )
    for warning in found.warnings:
        log.warning("scan", workspace=workspace.name, warning=warning)
    taken = None
    for suffix, body in (("", found.plan), ("-plan", found.normal_plan)):
        if body is None:
            continue
        whole = with_modules(redacted(body, found.schemas), found.modules)
        try:
            taken = evidence.report(whole, _with_suffix(about, suffix))
        except RefusedError as error:
            log.warning("scan", workspace=workspace.name, warning=str(error))
    if taken is None or found.exit_code == 1:
        taken = evidence.report(found.stream, about)
    log.info("scanned", workspace=workspace.name, status=taken.run.status, opened=taken.run.opened)
    return taken


def _with_suffix(about: About, suffix: str) -> About:
    return About(**{**vars(about), "run": about.run + suffix}) if suffix else about


@contextmanager
def _directory(path: Path) -> Iterator[Path]:
    """Give a folder as it is, or an archive unpacked into a folder of its own."""
    if path.is_dir():
        yield path
        return
    with tempfile.TemporaryDirectory(prefix="driftband-workspace-") as place:
        if zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as archive:
                archive.extractall(place)  # noqa: S202 - zipfile keeps members within
        else:
            with tarfile.open(path) as archive:
                archive.extractall(place, filter="data")
        inside = list(Path(place).iterdir())
        yield inside[0] if len(inside) == 1 and inside[0].is_dir() else Path(place)
