"""The life of incidents: opened, updated, acknowledged, resolved, reopened; each step on the record, with its reason."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from driftband.correlate import story
from driftband.correlate.context import Context, Decision
from driftband.correlate.evidence import LOOKBACK, SKEW
from driftband.correlate.grouping import Group, Grouping, Move, group, opens
from driftband.correlate.record import Record
from driftband.correlate.scene import Scene
from driftband.correlate.score import MOST, proposed, verdict
from driftband.correlate.strand import order
from driftband.model.change import Change
from driftband.model.finding import ALARMING, Finding
from driftband.model.incident import Incident
from driftband.model.moment import from_ms, to_ms


def advance(
    known: Sequence[Incident],
    findings: Sequence[Finding],
    changes: Sequence[Change],
    context: Context,
    now: datetime,
) -> Decision:
    """Return what becomes of incidents at ``now``.

    known: all that are not resolved, those that hold a finding which is open, and those resolved within
    ``reopen_within``; older ones are looked at only to name similar ones. findings: all of these incidents, and all open
    ones. What opened after ``now`` is not looked at, what closed after it is still open: a caller that was away can make
    up for it instant by instant, with the outcome it would have had. changes: of the last half day before the oldest
    incident that is not resolved, at least. Deciding again at the same ``now`` about the outcome gives nothing.
    """
    seen = {one.id: _as_of(one, now) for one in findings if one.opened_at <= now}
    scene = Scene(
        tuple(seen.values()),
        [one for one in changes if to_ms(one.started_at) <= to_ms(now) + SKEW],
        context,
    )
    records = {one.id: Record(one, now) for one in known}
    owned = {finding for one in known if one.merged_into is None for finding in one.findings}
    loose = [one for one in seen.values() if one.id not in owned and _counts(one, now, context)]
    _reopen(records, known, loose, seen, context)
    live = {name: one.now for name, one in records.items() if one.now.state != "resolved"}
    taken = {finding for one in live.values() for finding in one.findings}
    loose = [one for one in loose if one.id not in taken]
    groups = {one.id: [seen[name] for name in one.findings if name in seen] for one in live.values()}
    made = group({name: there for name, there in groups.items() if there}, loose, scene, taken=records)
    _move(records, made, seen, now)
    by_id = {one.id: one for one in changes}
    for identifier, group_ in made.groups.items():
        _describe(records[identifier], group_, by_id, scene)
        _calm(records[identifier], tuple(group_.findings), now, context)
    past = [one for one in known if one.state == "resolved" and one.merged_into is None]
    for identifier in made.groups:
        records[identifier].similar(story.similar(records[identifier].now, past))
    changed = [one for name, one in sorted(records.items()) if one.changed]
    return Decision(
        incidents=tuple(one.now for one in changed),
        deeds=tuple((one.now.id, one.deed, one.why) for one in changed if one.deed is not None),
    )


def _as_of(finding: Finding, now: datetime) -> Finding:
    if finding.closed_at is not None and finding.closed_at > now:
        return replace(finding, state="open", closed_at=None)
    return finding


def _counts(finding: Finding, now: datetime, context: Context) -> bool:
    """Whether a finding may join: an alarming one, or one that has closed so lately that its incident would be open."""
    if finding.class_ not in ALARMING:
        return False
    return finding.alarming or (finding.closed_at is not None and finding.closed_at > now - context.resolve_after)


def _reopen(
    records: Mapping[str, Record],
    known: Sequence[Incident],
    loose: Sequence[Finding],
    seen: Mapping[str, Finding],
    context: Context,
) -> None:
    """Reopen what was resolved lately where the same has come back, or where a finding is open again."""
    resolved = [one for one in known if one.resolved_at is not None and one.merged_into is None]
    by_mark: dict[object, Incident] = {}
    for one in sorted(resolved, key=lambda one: (one.resolved_at or one.opened_at, one.id)):
        members = [seen[name] for name in one.findings if name in seen]
        by_mark.update(dict.fromkeys((*one.findings, *map(_mark, members)), one))
        again = next((member for member in members if member.alarming), None)
        # Resolved by hand it has never been calm: what was open then opens nothing anew.
        if again is not None and one.calm_since is not None:
            records[one.id].reopen(again)
    for finding in sorted(loose, key=order) if by_mark else ():
        incident = by_mark.get(finding.reopens) or by_mark.get(_mark(finding))
        if incident is None or incident.resolved_at is None or not opens(finding):
            continue
        if incident.opened_at <= finding.opened_at <= incident.resolved_at + context.reopen_within:
            records[incident.id].reopen(finding)


def _mark(finding: Finding) -> tuple[object, ...]:
    """Return by what a finding is recognised that comes back."""
    identity = tuple(sorted(finding.identity.items()))
    return (finding.layer, finding.kind, finding.signal, finding.workspace, finding.address, identity)


def _move(records: dict[str, Record], made: Grouping, seen: Mapping[str, Finding], now: datetime) -> None:
    joined: dict[str, list[Move]] = defaultdict(list)
    for move in made.moves:
        members = [seen[name] for name in move.findings]
        match move.what:
            case "opened":
                records[move.group] = Record.opened(move, members, now)
            case "joined":
                joined[move.group].append(move)
            case "merged" if move.other is not None:
                records[move.group].take(records[move.other], move)
                if move.other in joined:
                    joined[move.group] += joined.pop(move.other)
            case "split" if move.other is not None:
                records[move.group] = Record.split(records[move.other], move, members, now)
            case _:
                raise ValueError(f"a move that nobody knows: {move}")
    for identifier, moves in joined.items():
        records[identifier].join(moves)


def _describe(record: Record, group: Group, changes: Mapping[str, Change], scene: Scene) -> None:
    strands, root = group.strands, group.root
    labels = story.identity(strands, root, scene.context)
    record.say(
        title=story.title(root),
        root=root.findings[0].id,
        identity=labels,
        owner=story.owner(root, labels, scene.context),
    )
    since = scene.context.changes_since
    if since is None or not record.now.suspects or from_ms(root.first - LOOKBACK) >= since:
        weighed = scene.weigh(strands, MOST)
        record.suspect(proposed(weighed, len(strands)), verdict(weighed))
    told = story.describe(strands, root, record.now.suspects, changes, scene)
    if told["suspect"] is None and record.now.suspects:
        before = record.now.context.get("suspect") or {}
        told["suspect"] = before if before.get("id") == record.now.suspects[0].change else None
    record.context(told)
    record.severity(story.worst(tuple(group.findings), record.now.severity))


def _calm(record: Record, members: Sequence[Finding], now: datetime, context: Context) -> None:
    """Resolve an incident whose findings have all been closed for long enough."""
    if any(one.alarming for one in members):
        record.restless()
        return
    closed = [one.closed_at for one in members if one.closed_at is not None]
    since = record.now.calm_since
    if since is None or len(closed) == len(members):
        since = max(closed) if len(closed) == len(members) else now
    record.calm(since)
    if now - since >= context.resolve_after:
        record.resolve(since + context.resolve_after, "all its findings have been closed for long enough")


def acknowledge(incident: Incident, who: str, now: datetime, where: str = "") -> Decision:
    """Return an incident that somebody has taken on; nothing where it is not open. where: such as `` in PagerDuty``."""
    record = Record(incident, now)
    if incident.state == "open" and incident.merged_into is None:
        record.acknowledge(who, where)
    return record.decision()


def unacknowledge(incident: Incident, reason: str, now: datetime) -> Decision:
    """Return an incident that nobody looks after any more; nothing where nobody did."""
    record = Record(incident, now)
    if incident.state == "acknowledged":
        record.unacknowledge(reason)
    return record.decision()


def resolve(incident: Incident, who: str, now: datetime, where: str = "") -> Decision:
    """Return an incident that somebody has closed by hand, whatever its findings say; nothing where it is resolved.

    What is still open in it opens nothing anew; when the same comes back within ``reopen_within``, it is reopened.
    """
    record = Record(incident, now)
    if incident.state != "resolved":
        record.resolve(now, f"resolved by {who}{where}")
    return record.decision()


def reopen(incident: Incident, reason: str, now: datetime) -> Decision:
    """Return an incident that somebody has opened again; nothing where it is not resolved."""
    record = Record(incident, now)
    if incident.state == "resolved" and incident.merged_into is None:
        record.open_again(reason)
    return record.decision()
