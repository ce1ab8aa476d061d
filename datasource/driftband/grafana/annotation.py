"""One change in the words of a Grafana annotation.

Grafana shows the text as HTML and hands it to everybody who may read annotations: what people and tools wrote is
escaped and bounded, and of attributes only numbers and truths are told, since a text may be a secret that nothing
marks. Grafana 12.2 keeps tags of the form ``key:value`` as pairs of at most 100 characters, drops what comes after a
second colon, and refuses tags of more than 500 bytes together (pkg/services/tag/model.go, annotationsimpl/xorm_store.go).
"""

import hashlib
import json
import re
import unicodedata
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from html import escape
from urllib.parse import urlsplit

from driftband.model.attribute import AttributeDiff
from driftband.model.change import Change, ChangeKind, Touched
from driftband.model.moment import to_ms

TAG = "driftband"
ID_TAG = "driftband_id"

_TAGS_ROOM = 500
_TAG_LENGTH = 60
_PLAIN_ID = re.compile(r"[!-9;-~]{1,80}")
_DIGESTED = "sha256-"
_OURS = frozenset({TAG, ID_TAG, "kind", "status", "workspace"})

_ADDRESSES, _PATHS = 5, 5
_LINE, _NAME, _PATH, _COMMIT, _URL = 200, 100, 80, 8, 2000

_KINDS: Mapping[ChangeKind, str] = {
    "terraform_apply": "Terraform apply",
    "deploy": "Deployment",
    "manual": "Manual change",
    "other": "Change",
}
_DEEDS: Mapping[frozenset[str], str] = {
    frozenset({"delete"}): "destroyed",
    frozenset({"delete", "create"}): "replaced",
    frozenset({"update"}): "changed",
    frozenset({"create"}): "created",
    frozenset(): "touched",
    frozenset({"read"}): "read",
    frozenset({"no-op"}): "left alone",
}
_ORDER = tuple(_DEEDS.values())
"""What is worst comes first, where not everything can be told."""


@dataclass(frozen=True, kw_only=True)
class Annotation:
    """What Grafana is told. time, time_end: epoch ms, no end while the change runs. text: HTML. tags: the id's is second."""

    time: int
    time_end: int | None
    text: str
    tags: tuple[str, ...]

    @property
    def id_tag(self) -> str:
        """The tag by which it is found again."""
        return self.tags[1]


def annotation_of(change: Change) -> Annotation:
    """Return the annotation of a change: a region from its start to its end, or an instant while it runs."""
    return Annotation(
        time=_instant(to_ms(change.started_at)),
        time_end=None if change.ended_at is None else _instant(to_ms(change.ended_at)),
        text="<br>".join(_lines(change)),
        tags=tuple(_within(_tags(change))),
    )


def _instant(milliseconds: int) -> int:
    return max(milliseconds, 1)  # Grafana takes 0 for "not given", and that for now


def _lines(change: Change) -> Iterator[str]:
    kind = _KINDS[change.kind]
    yield f"<b>{_html(change.summary, _LINE) or kind}</b>"
    about = f"{kind} of {_html(change.workspace, _NAME)}" if change.workspace else kind
    about += " is running" if change.status == "running" else f" {change.status}"
    if change.actor:
        about += f", by {_html(change.actor, _NAME)}"
    if change.commit:
        about += f", commit {_html(change.commit[:_COMMIT], _COMMIT)}"
    yield about
    if link := _link(change.url):
        yield f'<a href="{escape(link)}" target="_blank" rel="noopener noreferrer">Open the run</a>'
    yield from _touched(change.resources)


def _link(url: str) -> str:
    """Return the address of the run without user and password, empty where a browser had better not open it."""
    if len(url) > _URL or _plain(url, _URL) != url:
        return ""
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        return ""
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        return ""
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()


def _touched(resources: tuple[Touched, ...]) -> Iterator[str]:
    deeds = sorted(((_deed(one), one) for one in resources), key=lambda pair: _ORDER.index(pair[0]))
    told = [(deed, one) for deed, one in deeds if deed != "left alone"]
    if not told:
        return
    yield ", ".join(f"{number} {deed}" for deed, number in Counter(deed for deed, _ in told).items())
    for deed, one in told[:_ADDRESSES]:
        line = f"<code>{_html(one.address, _LINE)}</code> {deed}"
        yield f"{line}: {_attributes(one.attributes)}" if one.attributes else line
    if len(told) > _ADDRESSES:
        yield f"and {len(told) - _ADDRESSES} more"


def _deed(touched: Touched) -> str:
    return _DEEDS.get(frozenset(touched.actions), "touched")


def _attributes(attributes: tuple[AttributeDiff, ...]) -> str:
    told = [_attribute(one) for one in attributes[:_PATHS]]
    if len(attributes) > _PATHS:
        told.append(f"{len(attributes) - _PATHS} more")
    return ", ".join(told)


def _attribute(one: AttributeDiff) -> str:
    path = _html(one.path, _PATH)
    values = (one.before, one.after)
    if one.sensitive or not all(isinstance(value, bool | int | float) for value in values):
        return path
    return f"{path} {' → '.join(_html(json.dumps(value), _TAG_LENGTH) for value in values)}"


def _tags(change: Change) -> Iterator[str]:
    yield TAG
    yield f"{ID_TAG}:{_key(change.id)}"
    yield f"kind:{change.kind}"
    yield f"status:{change.status}"
    for name, value in change.identity.items():
        key, value_told = _tag_part(name), _tag_part(value)
        if key and value_told and key not in _OURS:
            yield f"{key}:{value_told}"
    if workspace := _tag_part(change.workspace):
        yield f"workspace:{workspace}"


def _within(tags: Iterator[str]) -> Iterator[str]:
    """Yield the tags that Grafana takes together; one that is too long is left out."""
    room, keys = _TAGS_ROOM - 2, set()
    for tag in tags:
        needed = len(tag.encode()) + 3
        key = tag.partition(":")[0]
        if needed <= room and key not in keys:
            keys.add(key)
            room -= needed
            yield tag


def _key(change_id: str) -> str:
    """Return an id as Grafana keeps it: itself where it is short and plain, else its digest."""
    if _PLAIN_ID.fullmatch(change_id) and not change_id.startswith(_DIGESTED):
        return change_id
    digest = hashlib.sha256(change_id.encode("utf-8", "surrogatepass")).hexdigest()
    return _DIGESTED + digest[:40]


def _tag_part(text: str) -> str:
    return _plain(text, _TAG_LENGTH).replace(":", "_")


def _html(text: str, limit: int) -> str:
    return escape(_plain(text, limit))


def _plain(text: str, limit: int) -> str:
    """Return a line of at most ``limit`` characters, without those that hide, or that turn the rest around."""
    line = " ".join("".join(_visible(text[: 4 * limit])).split())
    return line if len(line) <= limit else f"{line[: limit - 1]}…"


def _visible(text: str) -> Iterator[str]:
    for character in text:
        if character.isspace():
            yield " "
        elif not unicodedata.category(character).startswith("C"):
            yield character
