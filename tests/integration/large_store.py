# ruff: noqa: ISC004 - columns of a table are told as they fit
"""A store with a past of more than a year: written by SQL alone, the same on SQLite and PostgreSQL."""

from datetime import datetime, timedelta
from string import Template

from driftband.model.moment import to_ms
from driftband.store.database import Database

WORKSPACES = 53
"""With no factor of the numbers below: each workspace has some of everything."""
DAYS = 400
_TABLES = {
    "findings": (
        "id, layer, kind, class, state, workspace, address, resource_type, module, signal, identity, severity, score, opened_at, "
        "last_seen_at, closed_at, window_from, reason, attributes, actor, evidence, reopens, ignored_by, accepted_until, "
        "span, renamed_from",
        """'f' || i, 'configuration', case when i % 10 = 0 then 'deleted_outside' else 'attribute_changed' end,
        case when i % 40 = 0 then 'ignored' else 'drift' end,
        case when i % 60 = 0 then 'open' when i % 1000 = 1 then 'accepted' else 'closed' end,
        'w/' || (i % $workspaces), 'a_thing.x["' || (i % 4000) || '"]', 'a_thing', '', '', '{"service":"orders"}',
        case when i % 500 = 3 then 'critical' else 'warning' end, 1.0, $start + i * $step, $start + i * $step + 3600000,
        case when i % 60 = 0 or i % 1000 = 1 then null else $start + i * $step + 3600000 end, $start + i * $step - 600000,
        'changed outside Terraform: v', '[{"path":"v","before":1,"after":2,"sensitive":false}]', null, '{}', null, null,
        case when i % 1000 = 1 then $end + 86400000 else null end,
        case when i % 60 = 0 or i % 1000 = 1 then null else 0 end, case when i % 5000 = 4 then 'a_thing.old["' || (i % 4000) || '"]' else null end""",
        1,
    ),
    "transitions": (
        "finding, at, state, class, reason, run",
        """'f' || (i / 2), $start + i / 2 * $step + (i % 2) * 3600000, case when i % 2 = 0 then 'open' else 'closed' end,
        'drift', 'r', 'run'""",
        2,
    ),
    "runs": (
        'workspace, id, status, tool, at, reported_at, reason, lineage, serial, "commit", superseded, read, opened, still_open, closed, '
        "renamed, errors, bodies, observed",
        """'w/' || (i % $workspaces), 'run-' || i, case when i % 7 = 0 then 'failed' when i % 3 = 0 then 'drifted' else 'clean' end,
        'terraform', $start + i * $step, $start + i * $step, '', '', 1, 'c', false, 5, 0, 0, 0, '[]', '[]', '{}', '[]'""",
        1,
    ),
    "resources": (
        'workspace, address, type, module, module_version, provider, "commit", identity, tags, attributes, digest, valid_from, valid_to',
        """'w/' || (i % $workspaces), 'a_thing.x["' || (i % 4000) || '"]', 'a_thing', '', '', 'p', 'c' || (i % 9), '{}', '{}', '{}', 'd',
        $start + i * $step, case when i % 50 = 7 then null else $start + i * $step + 3600000 end""",
        1,
    ),
    "changes": (
        'id, kind, status, started_at, ended_at, workspace, "commit", actor, url, summary, identity, resources, received_at, updated_at, '
        "annotation, annotated_at, span",
        """'change-' || i, 'terraform_apply', 'succeeded', $start + i * $step, case when i % 1000 = 0 then null else $start + i * $step + 60000 end,
        'w/' || (i % $workspaces), 'c' || (i % 900), 'dana', '', '', '{}', '[]', $start + i * $step, $start + i * $step, i,
        case when i % 2000 = 0 then null else $start + i * $step end, case when i % 1000 = 0 then null else 0 end""",
        1,
    ),
    "applied_identities": (
        'change, identity_key, identity, workspace, "commit", module_version, at',
        """'change-' || i, 'k' || (i % 200), '{"service":"s"}', 'w/1', 'c', '', $start + i * $step""",
        1,
    ),
    "audit_events": ("id, at, actor, action, source, read_only, resources", "'e' || i, $start + i * $step, 'dana', 'x', '', false, '[]'", 1),
    "audit_resources": ("event, resource, at", "'e' || i, 'thing-' || (i % 4000), $start + i * $step", 1),
    "workspaces": (
        "name, lineage, serial, read, last_complete_at, last_complete_run, planned_serial, planned",
        "'w/' || i, '', 1, 5, null, null, null, null",
        0,
    ),
}  # fmt: skip


def fill(database: Database, count: int, end: datetime, *, analysed: bool = True) -> None:
    """Write ``count`` findings, with twice as many steps, and as many of everything else, that end at ``end``."""
    start = end - timedelta(days=DAYS)
    known = {"workspaces": WORKSPACES, "start": to_ms(start), "end": to_ms(end), "step": DAYS * 86_400_000 // count}
    with database.write() as connection:
        for table, (columns, values, times) in _TABLES.items():
            rows = Template(values).substitute(known)
            most = count * times or WORKSPACES
            numbers = (
                f"with recursive n(i) as (select cast(0 as bigint) union all select i + 1 from n where i + 1 < {most})"
            )
            statement = f"insert into {table} ({columns}) {numbers} select {rows} from n"
            connection.exec_driver_sql(statement if database.is_sqlite else statement.replace("%", "%%"))
    if not analysed:
        return
    with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("analyze")
