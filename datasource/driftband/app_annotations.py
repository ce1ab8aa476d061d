"""Changes as annotations in the configured Grafana: the store's due ones, written again and again until they stand there."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from driftband.app_evidence import TICK, Chore
from driftband.config_sections import Grafana
from driftband.grafana.annotations import reconcile
from driftband.grafana.client import connect
from driftband.model.change import Change
from driftband.store import changes
from driftband.store.database import Database

log = structlog.get_logger(__name__)

AT_ONCE = 200
TIMEOUT = 10.0


@dataclass(frozen=True)
class _Desk:
    """The store as the writer of annotations sees it."""

    database: Database

    def due(self, limit: int) -> Sequence[tuple[Change, int | None, datetime]]:
        with self.database.read() as connection:
            return changes.due_for_annotation(connection, limit)

    def annotated(self, change_id: str, annotation_id: int, updated_at: datetime) -> None:
        with self.database.write() as connection:
            changes.annotated(connection, change_id, annotation_id, updated_at)


def annotating(grafana: Grafana, database: Database) -> Chore:
    """Return the chore that keeps a Grafana's annotations in step with the changes."""
    api = connect(grafana.url, grafana.token.get_secret_value(), TIMEOUT)
    desk = _Desk(database)

    def work(_now: datetime) -> None:
        done = reconcile(api, desk, AT_ONCE)
        if done.failed:
            log.warning("annotations wait", failed=done.failed, reason=done.reason)
        elif done.written:
            log.info("annotated", changes=done.written)

    return Chore("annotations", timedelta(seconds=TICK), work)
