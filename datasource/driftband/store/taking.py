"""One report on its way into the ledger: from what it shows to what is written."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, update

from driftband.detect.acceptance import within
from driftband.detect.configuration import Around, Observed, kept, observe, planned_paths, shorten
from driftband.detect.reconcile import reconcile
from driftband.detect.run_status import run_status
from driftband.detect.shown import Shown, current_of
from driftband.model.finding import Finding
from driftband.model.report import Renamed, Report, Resource
from driftband.model.run import COMPLETE, About, Run, RunStatus, Taken
from driftband.store import attribution, changes, findings, ignores, inventory
from driftband.store.inventory import Identities
from driftband.store.rows import of_run, upsert
from driftband.store.tables import runs, workspaces
from driftband.store.workspaces import Known

CLOCKS_APART = timedelta(minutes=5)
"""A run may be so far ahead of this clock; what is further ahead would hide every later run."""
RUN_TAKES = timedelta(minutes=10)
"""For so long after its time a run may still have been reading."""
MANY = 10_000


class Taking:
    """One report on its way into the ledger."""

    def __init__(
        self,
        connection: Connection,
        report: Report,
        about: About,
        identities: Identities,
        now: datetime,
        known: Known,
        before: Run | None,
    ) -> None:
        self._connection, self._report, self._about, self._identities = connection, report, about, identities
        self._now, self._known, self._before = now, known, before
        # Of two bodies of one run the second says its time again, to the second: it must not come before the first.
        self._at, self._note = (before.at, "") if before else _ordered_at(report, about, now)
        self._held = findings.held(connection, about.workspace)

    def take(self, digests: dict[str, str]) -> Taken:
        """Write it, and return what became of it. digests: of the bodies of its run, by source."""
        report, about, known = self._report, self._about, self._known
        own = None if report.planned is None else planned_paths(report.planned)
        around = Around(
            workspace=about.workspace,
            at=self._at,
            rules=tuple(ignores.in_force(self._connection)),
            planned=own,
            overlapping=self._overlapping(),
            ignored_by_plan={
                f.address: frozenset(a.path for a in f.attributes) for f in self._held if f.ignored_by == "plan"
            },
        )
        observed = observe(report, around)
        followed = {shorten(r.source): shorten(r.target) for r in report.renamed}
        status, reason = run_status(
            report,
            observed,
            accepted=len(within(observed, self._held, followed)),
            known_resources=known.read,
            known_lineage="" if about.adopt else known.lineage,
            lineage=about.lineage,
        )
        superseded = known.last_complete_at is not None and self._at < known.last_complete_at
        run = Run(
            id=about.run,
            workspace=about.workspace,
            status=status,
            tool=report.tool,
            at=self._at,
            reported_at=self._now,
            reason="; ".join(part for part in (reason, self._note) if part),
            lineage=about.lineage,
            serial=about.serial,
            commit=about.commit,
            superseded=superseded,
            read=report.read,
            renamed=tuple(Renamed(source=source, target=target) for source, target in followed.items()),
            errors=tuple(dict.fromkeys((*(self._before.errors if self._before else ()), *report.errors))),
        )
        shown: tuple[Finding, ...] = ()
        if not superseded and status in {*COMPLETE, "partial"}:
            run, shown = self._apply(run, observed, self._planned_of_state() if own is None else own)
        if not superseded and status in COMPLETE:
            self._remember(own)
        upsert(self._connection, runs, [of_run(run, digests, [f.id for f in shown])])
        return Taken(run=run, findings=shown)

    def _planned_of_state(self) -> Mapping[str, frozenset[str]] | None:
        """Return what an earlier normal plan would do, where the state is still the one that it was made of.

        It tells what the code says of what has been accepted into the state; of drift that came later it knows nothing.
        """
        same_state = self._about.serial is not None and self._about.serial == self._known.planned_serial
        return self._known.planned if same_state else None

    def _overlapping(self) -> str | None:
        until = min(self._now, self._at + RUN_TAKES)
        touching = changes.during(self._connection, self._at, until, limit=MANY, workspace=self._about.workspace)
        return next((c.id for c in touching if c.kind == "terraform_apply"), None)

    def _apply(
        self, run: Run, observed: tuple[Observed, ...], planned: Mapping[str, frozenset[str]] | None
    ) -> tuple[Run, tuple[Finding, ...]]:
        resources = None if self._report.resources is None else kept(self._report.resources)
        if resources is not None and run.status in COMPLETE:
            inventory.take_stock(
                self._connection,
                run.workspace,
                resources,
                at=self._at,
                commit=run.commit,
                identities=self._identities,
                renamed=run.renamed,
            )
        opening = [o.address for o in observed]
        outcome = reconcile(
            self._held,
            Shown(
                run=run.id,
                workspace=run.workspace,
                at=self._at,
                closes=run.status in COMPLETE,
                observed=observed,
                renamed=run.renamed,
                planned=planned,
                current=current_of(self._report),
                applied=self._applied(),
                identities=self._known_identities(opening, resources),
                window_from=self._known.last_complete_at,
                previous=findings.last_closed(self._connection, run.workspace, opening),
            ),
        )
        moved = attribution.save(self._connection, outcome.findings, outcome.transitions)
        before = self._before or replace(run, opened=0, still_open=0, closed=0)
        counted = replace(
            run,
            opened=before.opened + outcome.opened,
            still_open=max(outcome.still_open - (before.opened if self._before else 0), 0),
            closed=before.closed + outcome.closed,
            accepted=sum(f.state == "accepted" for f in {f.id: f for f in (*self._held, *moved)}.values()),
        )
        here = {o.address for o in observed}
        undeclared = [f for f in moved if f.class_ == "accepted_undeclared" and f.state == "open"]
        if undeclared and run.status == "clean":
            counted = self._said(
                counted, "drifted", f"{len(undeclared)} drifts that the state took over are not in the code"
            )
        elif counted.accepted and run.status == "clean":
            counted = self._said(
                counted, "clean", f"nothing differs but what was accepted: {counted.accepted} findings"
            )
        shown = (f for f in moved if f.state != "closed" and (f.address in here or f in undeclared))
        return counted, tuple(sorted(shown, key=lambda f: (f.address, f.kind)))

    def _said(self, run: Run, status: RunStatus, reason: str) -> Run:
        return replace(run, status=status, reason="; ".join(part for part in (reason, self._note) if part))

    def _applied(self) -> dict[str, str]:
        if self._known.last_complete_at is None:
            return {}
        since = changes.during(
            self._connection, self._known.last_complete_at, self._at, limit=MANY, workspace=self._about.workspace
        )
        return {
            shorten(touched.address): change.id
            for change in since
            if change.ended_at is not None and change.status != "running"
            for touched in change.resources
        }

    def _known_identities(
        self, addresses: list[str], resources: tuple[Resource, ...] | None
    ) -> dict[str, Mapping[str, str]]:
        workspace = self._about.workspace
        if resources is not None:
            wanted = set(addresses)
            tags = {r.address: r.tags for r in resources if r.address in wanted}
        else:
            tags = {r["address"]: r["tags"] for r in inventory.current(self._connection, workspace, addresses)}
        return {address: self._identities.of(workspace, tags.get(address, {})) for address in addresses}

    def _remember(self, planned: Mapping[str, frozenset[str]] | None) -> None:
        about, known = self._about, self._known
        values: dict[str, Any] = {
            "lineage": about.lineage or known.lineage,
            "serial": about.serial if about.serial is not None else known.serial,
            "last_complete_at": self._at,
            "last_complete_run": about.run,
        }
        if self._report.resources is not None:
            values["read"] = self._report.read
        if self._report.planned is not None and about.serial is not None:
            values |= {"planned_serial": about.serial, "planned": {a: sorted(p) for a, p in (planned or {}).items()}}
        self._connection.execute(update(workspaces).where(workspaces.c.name == about.workspace).values(values))


def _ordered_at(report: Report, about: About, now: datetime) -> tuple[datetime, str]:
    """Return what the run is ordered by, and a note where its clock cannot be believed."""
    said: datetime | None = about.started_at or report.timestamp
    if said is None:
        return now, ""
    if said > now + CLOCKS_APART:
        ahead = int((said - now).total_seconds())
        return now, f"its clock is {ahead} s ahead of this one, so the time of arrival is used"
    return min(said, now), ""
