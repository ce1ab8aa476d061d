"""The files that a Grafana mounts, written from the same source as what ``driftband grafana install`` puts there."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from driftband.grafana import connection
from driftband.grafana.rules import BANDS, DRIFT, ITSELF, RUNBOOKS

_WRITTEN = "# Written by `driftband grafana build`; its source is in datasource/driftband/grafana.\n"
DATA_SOURCE = (
    "# Wants DRIFTBAND_URL, as Grafana reaches the service, and DRIFTBAND_READ_TOKEN in Grafana's environment.\n"
)
CONTACT = (
    "# Wants DRIFTBAND_URL, as Grafana reaches the service, and DRIFTBAND_WEBHOOK_SECRET in Grafana's environment.\n"
)
POLICIES = """\
# Not mounted unless you copy it to alerting/: it replaces the WHOLE tree of notification policies. driftband's own rules do
# without it. With it, alerts of all your other rules go to driftband as well as to your contact point, whose name Grafana
# must have in its environment as DRIFTBAND_USERS_CONTACT_POINT.
"""


def files(runbooks: str = RUNBOOKS) -> Mapping[str, str]:
    """Return the text of each file by its path. runbooks: the address of their folder, with a slash at the end."""
    source = connection.data_source("$DRIFTBAND_URL")
    source["secureJsonData"] = {"httpHeaderValue1": "Bearer $DRIFTBAND_READ_TOKEN"}
    settings = connection.webhook("$DRIFTBAND_URL")
    settings["hmacConfig"] |= {"secret": "$DRIFTBAND_WEBHOOK_SECRET"}
    receiver = {"uid": connection.CONTACT_POINT, "type": "webhook", "settings": settings}
    point = {"orgId": 1, "name": connection.CONTACT_POINT, "receivers": [receiver]}
    template = {"orgId": 1, "name": connection.TEMPLATE, "template": connection.MESSAGES}
    groups = {"driftband": BANDS, "drift": DRIFT, "itself": ITSELF}
    return {
        "datasources/driftband.yaml": _text(DATA_SOURCE, datasources=[source]),
        "alerting/contact-point.yaml": _text(CONTACT, contactPoints=[point]),
        "alerting/messages.yaml": _text("", templates=[template]),
        **{
            f"alerting/{name}.yaml": _text("", groups=[group.for_file(runbooks, connection.CONTACT_POINT)])
            for name, group in groups.items()
        },
        "optional/notification-policies.yaml": _text(POLICIES, policies=[connection.policies()]),
    }


def build(out: Path, runbooks: str = RUNBOOKS) -> None:
    """Write every file into the folder ``out``; OSError as it comes."""
    for name, text in files(runbooks).items():
        path = out / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8", newline="\n")


def check(out: Path, runbooks: str = RUNBOOKS) -> list[str]:
    """Return the files in ``out`` that are missing, not what ``build`` would write, or not made by it, with why."""
    stale = []
    made = files(runbooks)
    for name, text in made.items():
        path = out / name
        if not path.is_file():
            stale.append(f"{path}: missing")
        elif path.read_bytes() != text.encode():
            stale.append(f"{path}: differs")
    there = sorted(path for folder in {Path(name).parent for name in made} for path in (out / folder).glob("*.yaml"))
    return stale + [f"{path}: no source makes it" for path in there if str(path.relative_to(out)) not in made]


class _Readable(yaml.SafeDumper):
    """Writes texts of several lines as they are, and repeats what is there twice."""

    def ignore_aliases(self, data: Any) -> bool:
        del data
        return True


def _as_written(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


_Readable.add_representer(str, _as_written)


def _text(comment: str, **document: Any) -> str:
    body = yaml.dump({"apiVersion": 1, **document}, Dumper=_Readable, sort_keys=False, allow_unicode=True, width=10_000)
    return f"{_WRITTEN}{comment}{body}"
