"""What is in a Grafana of what ``install`` makes there, and the making and removing of it, by Grafana's API."""

import copy
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import quote

from grafana_client import GrafanaApi

from driftband.grafana.asking import ask, strange
from driftband.grafana.connection import CONTACT_POINT, TEMPLATE, WEBHOOK
from driftband.grafana.explore import DATASOURCE
from driftband.grafana.installation import Held, Kind, Piece, Step
from driftband.grafana.rule import NAMED

FOLDER_UID = "driftband"
MARK = "installedBy"
MARKED = "driftband grafana install"
_RULES = "/v1/provisioning"
_FROM_FILE = "a file that this Grafana mounts (provisioning/) makes it: change it there"


def held(api: GrafanaApi, wanted: Sequence[Piece]) -> list[Held]:
    """Return what is there of what is wanted, and what else an earlier ``install`` has left; GrafanaError."""
    dashboards = [piece.uid for piece in wanted if piece.kind == "dashboard"]
    try:
        inside = [*_dashboards(api, dashboards), *_rule_groups(api)]
        found = [_folder(api, inside), _data_source(api), _template(api), _contact_point(api), *inside]
    except (KeyError, TypeError, AttributeError):
        raise strange(api) from None
    return [one for one in found if one is not None]


def carry_out(api: GrafanaApi, steps: Sequence[Step], wanted: Sequence[Piece], told: Callable[[Step], None]) -> None:
    """Carry out the steps that change something, and tell of each when it is done; GrafanaError at the first that fails."""
    pieces = {(piece.kind, piece.uid): piece for piece in wanted}
    for step in steps:
        if not step.changes:
            continue
        if step.action == "remove":
            _REMOVE[step.kind](api, step.uid)
        else:
            piece = pieces[step.kind, step.uid]
            _WRITE[step.kind](api, piece, _with_secrets(piece), step.action == "create")
        told(step)


def _with_secrets(piece: Piece) -> dict[str, Any]:
    content = copy.deepcopy(dict(piece.content))
    for path, secret in piece.secrets.items():
        *outer, last = path.split(".")
        place = content
        for name in outer:
            place = place.setdefault(name, {})
        place[last] = secret
    return content


def _folder(api: GrafanaApi, inside: Sequence[Held]) -> Held | None:
    there = ask(api, "read folders", "GET", f"/folders/{FOLDER_UID}")
    if there is None:
        return None
    ours = Counter(one.kind for one in inside if not one.not_ours)
    rules = sum(len(one.content["rules"]) for one in inside if one.kind == "rule group" and not one.not_ours)
    counted = ask(api, "count what is in the folder", "GET", f"/folders/{FOLDER_UID}/counts") or {}
    left = Counter(counted) - Counter({"dashboard": ours["dashboard"], "alertrule": rules})
    others = ", ".join(f"{count} {what}" for what, count in left.items())
    has_others = f"it has what is not driftband's ({others}): move that, and do this again" if others else ""
    return Held(kind="folder", uid=FOLDER_UID, content={"title": there["title"]}, has_others=has_others)


def _data_source(api: GrafanaApi) -> Held | None:
    there = ask(api, "read data sources", "GET", f"/datasources/uid/{DATASOURCE}")
    if there is None:
        other = ask(api, "read data sources", "GET", f"/datasources/name/{DATASOURCE}")
        if other is None:
            return None
        why = f"a data source of this name is there, with the uid {other['uid']}: rename it, or remove it"
        return Held(kind="data source", uid=DATASOURCE, content={}, not_ours=why)
    why = ""
    if there.get("readOnly"):
        why = _FROM_FILE
    elif there.get("jsonData", {}).get(MARK) != MARKED:
        why = "somebody else has made it: remove it, or give it another uid"
    return Held(kind="data source", uid=DATASOURCE, content=there, not_ours=why)


def _template(api: GrafanaApi) -> Held | None:
    there = ask(api, "read message templates", "GET", f"{_RULES}/templates/{TEMPLATE}")
    if there is None:
        return None
    return Held(kind="message template", uid=TEMPLATE, content=there, not_ours=_provenance(there))


def _provenance(there: Mapping[str, Any]) -> str:
    match there.get("provenance", ""):
        case "api":
            return ""
        case "file":
            return _FROM_FILE
    return "somebody has made it in Grafana: remove it, or rename it"


def _contact_point(api: GrafanaApi) -> Held | None:
    named = ask(api, "read contact points", "GET", f"{_RULES}/contact-points?name={CONTACT_POINT}") or []
    there = next((one for one in named if one["uid"] == CONTACT_POINT), None)
    if there is None and not named:
        return None
    if there is None:
        why = "another contact point of this name is there: rename it, or remove it"
        return Held(kind="contact point", uid=CONTACT_POINT, content={}, not_ours=why)
    ours = there["type"] == "webhook" and str(there["settings"].get("url", "")).endswith(WEBHOOK)
    why = _provenance(there) or ("" if ours else "somebody else has made it: remove it")
    return Held(kind="contact point", uid=CONTACT_POINT, content=there, not_ours=why)


def _dashboards(api: GrafanaApi, wanted: Sequence[str]) -> Iterator[Held]:
    inside = ask(api, "read dashboards", "GET", f"/search?type=dash-db&folderUIDs={FOLDER_UID}&limit=5000") or []
    for uid in dict.fromkeys([*wanted, *(one["uid"] for one in inside)]):
        there = ask(api, "read dashboards", "GET", f"/dashboards/uid/{quote(uid, safe='')}")
        if there is None:
            continue
        meta, content = there["meta"], there["dashboard"]
        named = uid.startswith("driftband-") and "driftband" in (content.get("tags") or [])
        if not named and uid not in wanted:
            continue  # a person's own, in our folder
        why = ""
        if meta.get("provisioned"):
            why = _FROM_FILE
        elif not named or meta.get("folderUid") != FOLDER_UID:
            why = f"a dashboard of this uid is there, and not in the folder {FOLDER_UID}: move it there, or remove it"
        yield Held(kind="dashboard", uid=uid, content=content, not_ours=why)


def _rule_groups(api: GrafanaApi) -> Iterator[Held]:
    every = ask(api, "read alert rules", "GET", f"{_RULES}/alert-rules") or []
    ours = [rule for rule in every if str(rule["uid"]).startswith("driftband-") and NAMED in (rule.get("labels") or {})]
    for name in dict.fromkeys(rule["ruleGroup"] for rule in ours):
        rules = [rule for rule in every if rule["ruleGroup"] == name and rule["folderUID"] == FOLDER_UID]
        strangers = [rule["title"] for rule in rules if rule not in ours]
        why = next((_provenance(rule) for rule in ours if rule["ruleGroup"] == name and _provenance(rule)), "")
        if not rules:
            why = why or f"its rules lie in another folder than {FOLDER_UID}: remove them"
        elif strangers:
            why = why or f"it has rules of others, which writing it would remove: {', '.join(strangers)}"
        group = ask(api, "read alert rules", "GET", f"{_RULES}/folder/{FOLDER_UID}/rule-groups/{quote(name, safe='')}")
        content = {} if group is None else {**group, "rules": {rule["uid"]: rule for rule in group["rules"]}}
        yield Held(kind="rule group", uid=name, content=content, not_ours=why)


def _write_folder(api: GrafanaApi, piece: Piece, content: Mapping[str, Any], new: bool) -> None:
    if new:
        ask(api, "make the folder", "POST", "/folders", {**content, "uid": piece.uid})
    else:
        ask(api, "rename the folder", "PUT", f"/folders/{piece.uid}", {**content, "overwrite": True})


def _write_data_source(api: GrafanaApi, piece: Piece, content: Mapping[str, Any], new: bool) -> None:
    path = "/datasources" if new else f"/datasources/uid/{piece.uid}"
    ask(api, "write the data source", "POST" if new else "PUT", path, dict(content))


def _write_template(api: GrafanaApi, piece: Piece, content: Mapping[str, Any], _new: bool) -> None:
    ask(api, "write the message template", "PUT", f"{_RULES}/templates/{piece.uid}", dict(content))


def _write_contact_point(api: GrafanaApi, piece: Piece, content: Mapping[str, Any], new: bool) -> None:
    path = f"{_RULES}/contact-points" if new else f"{_RULES}/contact-points/{piece.uid}"
    ask(api, "write the contact point", "POST" if new else "PUT", path, {**content, "uid": piece.uid})


def _write_dashboard(api: GrafanaApi, piece: Piece, content: Mapping[str, Any], _new: bool) -> None:
    body = {"dashboard": dict(content), "folderUid": FOLDER_UID, "overwrite": True, "message": MARKED}
    ask(api, f"write the dashboard {piece.uid}", "POST", "/dashboards/db", body)


def _write_rule_group(api: GrafanaApi, piece: Piece, content: Mapping[str, Any], _new: bool) -> None:
    path = f"{_RULES}/folder/{FOLDER_UID}/rule-groups/{quote(piece.uid, safe='')}"
    body = {**content, "rules": list(content["rules"].values())}
    ask(api, f'write the rule group "{piece.uid}"', "PUT", path, body)


def _remove_rule_group(api: GrafanaApi, uid: str) -> None:
    path = f"{_RULES}/folder/{FOLDER_UID}/rule-groups/{quote(uid, safe='')}"
    ask(api, f'remove the rule group "{uid}"', "DELETE", path)


def _remover(what: str, path: str) -> Callable[[GrafanaApi, str], None]:
    def remove(api: GrafanaApi, uid: str) -> None:
        ask(api, f"remove the {what}", "DELETE", f"{path}/{uid}")

    return remove


_WRITE: Mapping[Kind, Callable[[GrafanaApi, Piece, Mapping[str, Any], bool], None]] = {
    "folder": _write_folder,
    "data source": _write_data_source,
    "message template": _write_template,
    "contact point": _write_contact_point,
    "dashboard": _write_dashboard,
    "rule group": _write_rule_group,
}
_REMOVE: Mapping[Kind, Callable[[GrafanaApi, str], None]] = {
    "folder": _remover("folder", "/folders"),
    "data source": _remover("data source", "/datasources/uid"),
    "message template": _remover("message template", f"{_RULES}/templates"),
    "contact point": _remover("contact point", f"{_RULES}/contact-points"),
    "dashboard": _remover("dashboard", "/dashboards/uid"),
    "rule group": _remove_rule_group,
}
