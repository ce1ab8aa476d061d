"""All that ``driftband grafana install`` wants in a Grafana: the same that provisioning/ and dashboards/ make there."""

import json

from grafana_foundation_sdk.cog.encoder import JSONEncoder

from driftband.grafana import connection
from driftband.grafana.dashboards import DASHBOARDS
from driftband.grafana.installation import Piece
from driftband.grafana.installer import FOLDER_UID, MARK, MARKED
from driftband.grafana.rule import FOLDER
from driftband.grafana.rules import GROUPS, RUNBOOKS


def pieces(
    url: str,
    read_token: str,
    webhook_secret: str,
    *,
    receiver: str = connection.CONTACT_POINT,
    runbooks: str = RUNBOOKS,
) -> list[Piece]:
    """Return what is wanted.

    url: driftband's, as Grafana reaches it, without a slash at the end. read_token: may be empty, where driftband asks
    for none. receiver: the contact point that the rules about drift notify. runbooks: with a slash at the end.
    """
    source = connection.data_source(url)
    source["jsonData"][MARK] = MARKED
    if not read_token:
        del source["jsonData"]["httpHeaderName1"]
    shown = {"secureJsonData.httpHeaderValue1": f"Bearer {read_token}"} if read_token else {}
    point = {"name": connection.CONTACT_POINT, "type": "webhook", "settings": connection.webhook(url)}
    return [
        Piece(kind="folder", uid=FOLDER_UID, content={"title": FOLDER}),
        Piece(kind="data source", uid=source["uid"], content=source, secrets=shown),
        Piece(kind="message template", uid=connection.TEMPLATE, content={"template": connection.MESSAGES}),
        Piece(
            kind="contact point",
            uid=connection.CONTACT_POINT,
            content=point,
            secrets={"settings.hmacConfig.secret": webhook_secret},
        ),
        *_dashboards(),
        *_rule_groups(receiver, runbooks),
    ]


def _dashboards() -> list[Piece]:
    made = [json.loads(json.dumps(dashboard(), cls=JSONEncoder)) for dashboard in DASHBOARDS.values()]
    return [Piece(kind="dashboard", uid=content["uid"], content=content) for content in made]


def _rule_groups(receiver: str, runbooks: str) -> list[Piece]:
    made = [group.for_api(runbooks, receiver, FOLDER_UID) for group in GROUPS]
    return [
        Piece(kind="rule group", uid=group["title"], content={**group, "rules": {r["uid"]: r for r in group["rules"]}})
        for group in made
    ]
