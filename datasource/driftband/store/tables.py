"""The tables. What a migration has made is described here; a test compares the two."""

from sqlalchemy import BigInteger, Boolean, Column, Float, Index, Integer, MetaData, Table, UniqueConstraint, text

from driftband.store.columns import Json, Moment, Word, Words

metadata = MetaData(
    naming_convention={"ix": "ix_%(table_name)s_%(column_0_N_name)s", "uq": "uq_%(table_name)s_%(column_0_N_name)s"}
)
_Number = BigInteger().with_variant(Integer, "sqlite")  # only an INTEGER key counts up by itself there


_RENAMED = text("renamed_from is not null")

workspaces = Table(
    "workspaces",
    metadata,
    Column("name", Words, primary_key=True),
    Column("lineage", Words, nullable=False),
    Column("serial", BigInteger),
    Column("read", Integer, nullable=False),
    Column("last_complete_at", Moment),
    Column("last_complete_run", Words),
    Column("planned_serial", BigInteger),
    Column("planned", Json),
)

runs = Table(
    "runs",
    metadata,
    Column("workspace", Words, primary_key=True),
    Column("id", Words, primary_key=True),
    Column("status", Word(16), nullable=False),
    Column("tool", Word(16), nullable=False),
    Column("at", Moment, nullable=False),
    Column("reported_at", Moment, nullable=False),
    Column("reason", Words, nullable=False),
    Column("lineage", Words, nullable=False),
    Column("serial", BigInteger),
    Column("commit", Words, nullable=False),
    Column("superseded", Boolean, nullable=False),
    Column("read", Integer, nullable=False),
    Column("opened", Integer, nullable=False),
    Column("still_open", Integer, nullable=False),
    Column("closed", Integer, nullable=False),
    Column("accepted", Integer, nullable=False, server_default=text("0")),
    Column("renamed", Json, nullable=False),
    Column("errors", Json, nullable=False),
    Column("bodies", Json, nullable=False),
    Column("observed", Json, nullable=False),
    Index(None, "workspace", "at", "id"),
    Index(None, "at", "workspace", "id"),
)
"""bodies: the digest of each redacted body by its source. observed: what is answered when the run is asked for again."""

findings = Table(
    "findings",
    metadata,
    Column("id", Word(40), primary_key=True),
    Column("layer", Word(16), nullable=False),
    Column("kind", Word(40), nullable=False),
    Column("class", Word(24), nullable=False),
    Column("state", Word(16), nullable=False),
    Column("workspace", Words, nullable=False),
    Column("address", Words, nullable=False),
    Column("resource_type", Words, nullable=False),
    Column("module", Words, nullable=False),
    Column("signal", Words, nullable=False),
    Column("identity", Json, nullable=False),
    Column("severity", Word(16), nullable=False),
    Column("score", Float, nullable=False),
    Column("opened_at", Moment, nullable=False),
    Column("last_seen_at", Moment, nullable=False),
    Column("closed_at", Moment),
    Column("window_from", Moment),
    Column("reason", Words, nullable=False),
    Column("attributes", Json, nullable=False),
    Column("actor", Words),
    Column("evidence", Json, nullable=False),
    Column("reopens", Word(40)),
    Column("ignored_by", Words),
    Column("unless_ignored", Word(24)),
    Column("accepted_until", Moment),
    Column("span", Integer),
    Column("renamed_from", Words),
    Index("ix_findings_listing", "opened_at", "id"),
    Index("ix_findings_state", "state", "opened_at", "id"),
    Index("ix_findings_workspace", "workspace", "state", "opened_at", "id"),
    Index("ix_findings_subject", "workspace", "address", "kind", "closed_at"),
    Index("ix_findings_workspace_all", "workspace", "opened_at", "id"),
    Index("ix_findings_workspace_span", "workspace", "span", "opened_at", "id"),
    Index("ix_findings_span", "span", "opened_at", "id"),
    Index(
        "ix_findings_renamed",
        "renamed_from",
        "closed_at",
        "opened_at",
        sqlite_where=_RENAMED,
        postgresql_where=_RENAMED,
    ),
    Index("ix_findings_closed", "closed_at", "opened_at"),
    Index("ix_findings_signal_state", "signal", "state"),
    Index("ix_findings_address", "address", "opened_at", "id"),
    Index("ix_findings_kind", "kind", "opened_at", "id"),
    Index("ix_findings_class", "class", "opened_at", "id"),
    Index("ix_findings_severity", "severity", "opened_at", "id"),
    Index("ix_findings_signal", "signal", "opened_at", "id"),
)
"""span: see :mod:`driftband.store.spans`. renamed_from: the address at which it opened, where the resource has moved since."""

transitions = Table(
    "transitions",
    metadata,
    Column("id", _Number, primary_key=True, autoincrement=True),
    Column("finding", Word(40), nullable=False),
    Column("at", Moment, nullable=False),
    Column("state", Word(16), nullable=False),
    Column("class", Word(24), nullable=False),
    Column("reason", Words, nullable=False),
    Column("run", Words),
    Index(None, "finding", "at", "id"),
)

resources = Table(
    "resources",
    metadata,
    Column("id", _Number, primary_key=True, autoincrement=True),
    Column("workspace", Words, nullable=False),
    Column("address", Words, nullable=False),
    Column("type", Words, nullable=False),
    Column("module", Words, nullable=False),
    Column("module_version", Words, nullable=False),
    Column("provider", Words, nullable=False),
    Column("commit", Words, nullable=False),
    Column("identity", Json, nullable=False),
    Column("tags", Json, nullable=False),
    Column("attributes", Json, nullable=False),
    Column("digest", Word(40), nullable=False),
    Column("valid_from", Moment, nullable=False),
    Column("valid_to", Moment),
    Index("ix_resources_current", "workspace", "valid_to", "address"),
    Index("ix_resources_valid", "valid_to", "valid_from"),
)
"""A row a version of a resource, in force on [valid_from, valid_to)."""

changes = Table(
    "changes",
    metadata,
    Column("id", Words, primary_key=True),
    Column("kind", Word(24), nullable=False),
    Column("status", Word(16), nullable=False),
    Column("started_at", Moment, nullable=False),
    Column("ended_at", Moment),
    Column("workspace", Words, nullable=False),
    Column("commit", Words, nullable=False),
    Column("actor", Words, nullable=False),
    Column("url", Words, nullable=False),
    Column("summary", Words, nullable=False),
    Column("identity", Json, nullable=False),
    Column("resources", Json, nullable=False),
    Column("received_at", Moment, nullable=False),
    Column("updated_at", Moment, nullable=False),
    Column("annotation", BigInteger),
    Column("annotated_at", Moment),
    Column("span", Integer),
    Index(None, "started_at", "id"),
    Index(None, "ended_at", "started_at"),
    Index("ix_changes_workspace", "workspace", "started_at"),
    Index("ix_changes_workspace_ended", "workspace", "ended_at", "started_at"),
    Index("ix_changes_span", "span", "started_at"),
    Index("ix_changes_annotated", "annotated_at", "updated_at"),
    Index("ix_changes_commit", "commit", "started_at", "id"),
    Index("ix_changes_kind", "kind", "started_at", "id"),
    Index("ix_changes_status", "status", "started_at", "id"),
    Index(None, "updated_at"),
)
"""annotation, annotated_at: the id that Grafana gave, and the ``updated_at`` that it was last told of."""

applied_identities = Table(
    "applied_identities",
    metadata,
    Column("change", Words, primary_key=True),
    Column("identity_key", Word(40), primary_key=True),
    Column("identity", Json, nullable=False),
    Column("workspace", Words, nullable=False),
    Column("commit", Words, nullable=False),
    Column("module_version", Words, nullable=False),
    Column("at", Moment, nullable=False),
    Index(None, "identity_key", "at"),
    Index(None, "at"),
)
"""What each finished apply was of: the series driftband_identity_info."""

ignores = Table(
    "ignores",
    metadata,
    Column("id", Word(40), primary_key=True),
    Column("workspace", Words, nullable=False),
    Column("address", Words, nullable=False),
    Column("resource_type", Words, nullable=False),
    Column("attribute", Words, nullable=False),
    Column("reason", Words, nullable=False),
    Column("owner", Words, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("expires_at", Moment),
    Column("deleted_at", Moment),
    Index(None, "deleted_at"),
)

audit_events = Table(
    "audit_events",
    metadata,
    Column("id", Words, primary_key=True),
    Column("at", Moment, nullable=False),
    Column("actor", Words, nullable=False),
    Column("action", Words, nullable=False),
    Column("source", Words, nullable=False),
    Column("read_only", Boolean, nullable=False),
    Column("resources", Json, nullable=False),
    Index(None, "at"),
)

audit_resources = Table(
    "audit_resources",
    metadata,
    Column("event", Words, nullable=False),
    Column("resource", Words, nullable=False),
    Column("at", Moment, nullable=False),
    UniqueConstraint("resource", "at", "event"),
    Index(None, "event"),
    Index(None, "at"),
)
