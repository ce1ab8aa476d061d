"""What a change looks like in Grafana's words."""

import re
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftband.grafana.annotation import annotation_of
from driftband.model.attribute import AttributeDiff
from driftband.model.change import Change, Touched

AT = datetime(2026, 11, 24, 10, tzinfo=UTC)
POOL = Touched(
    address="module.db.aws_db_parameter_group.main",
    type="aws_db_parameter_group",
    module="db",
    actions=("update",),
    attributes=(
        AttributeDiff(path="max_connections", before=500, after=50),
        AttributeDiff(path="password", sensitive=True),
        AttributeDiff(path="family", before="canary-before", after="canary-after"),
    ),
)


def change(**more: Any) -> Change:
    return Change(
        **{
            "id": "run-4711",
            "kind": "terraform_apply",
            "started_at": AT,
            "ended_at": AT + timedelta(seconds=130),
            "workspace": "prod/checkout",
            "commit": "9f3c2a1d5e6f7a8b",
            "actor": "dana",
            "url": "https://ci.example/4711?a=1&b=2",
            "summary": "pool size",
            "identity": {"service": "checkout", "env": "prod"},
            "resources": (POOL,),
            **more,
        }
    )


class _Page(HTMLParser):
    """The elements and the text that a browser makes of it."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        self.text += "\n" if tag == "br" else ""

    def handle_data(self, data: str) -> None:
        self.text += data


def test_a_finished_change_is_a_region_that_tells_what_who_and_where() -> None:
    told = annotation_of(change())
    assert (told.time, told.time_end) == (1_795_514_400_000, 1_795_514_530_000)
    page = _Page(told.text)
    assert page.text.splitlines() == [
        "pool size",
        "Terraform apply of prod/checkout succeeded, by dana, commit 9f3c2a1d",
        "Open the run",
        "1 changed",
        "module.db.aws_db_parameter_group.main changed: max_connections 500 → 50, password, family",
    ]
    (link,) = (attributes for name, attributes in page.elements if name == "a")
    assert link["href"] == "https://ci.example/4711?a=1&b=2"
    assert "canary" not in told.text


def test_a_running_change_has_no_end() -> None:
    told = annotation_of(change(status="running", ended_at=None))
    assert told.time_end is None
    assert "Terraform apply of prod/checkout is running" in told.text


def test_tags_find_it_by_id_and_by_what_it_belongs_to() -> None:
    told = annotation_of(change(status="failed"))
    assert told.tags == (
        "driftband",
        "driftband_id:run-4711",
        "kind:terraform_apply",
        "status:failed",
        "service:checkout",
        "env:prod",
        "workspace:prod/checkout",
    )
    assert told.id_tag == "driftband_id:run-4711"


def test_what_is_not_known_is_not_told() -> None:
    told = annotation_of(Change(id="a", kind="deploy", started_at=AT))
    assert told.text == "<b>Deployment</b><br>Deployment succeeded"
    assert told.tags == ("driftband", "driftband_id:a", "kind:deploy", "status:succeeded")


def test_what_is_worst_comes_first_and_the_rest_is_counted() -> None:
    made = [Touched(address=f"a.new[{n}]", actions=("create",)) for n in range(7)]
    swapped = Touched(address="a.swapped", actions=("create", "delete"))
    gone = Touched(address="a.gone", actions=("delete",))
    same = Touched(address="a.same", actions=("no-op",))
    lines = _Page(annotation_of(change(resources=(*made, same, swapped, gone))).text).text.splitlines()
    assert lines[3:] == [
        "1 destroyed, 1 replaced, 7 created",
        "a.gone destroyed",
        "a.swapped replaced",
        "a.new[0] created",
        "a.new[1] created",
        "a.new[2] created",
        "and 4 more",
    ]


def test_many_attributes_are_counted() -> None:
    many = tuple(AttributeDiff(path=f"tags[{n}]", before=True, after=False) for n in range(9))
    told = annotation_of(change(resources=(Touched(address="a.b", actions=("update",), attributes=many),))).text
    assert "tags[4] true → false, 4 more" in told


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)",
        "data:text/html,<script>alert(1)</script>",
        " https://ci.example/",
        "https://ci.example/\u202egnp.exe",
        "https://",
        "https://ci.example:port/",
        "https://[::1/",
        "//ci.example/1",
        "https://ci.example/" + "a" * 2000,
    ],
)
def test_no_link_that_a_browser_should_not_open(url: str) -> None:
    assert "<a" not in annotation_of(change(url=url)).text


def test_a_link_keeps_no_password() -> None:
    told = annotation_of(change(url="https://dana:canary@ci.example:8443/1")).text
    assert 'href="https://ci.example:8443/1"' in told
    assert "canary" not in told


@pytest.mark.parametrize("odd", ["a:b", "a b", "", "ж" * 30, "x" * 81, "sha256-" + "0" * 40, "\ud800"])
def test_an_id_that_grafana_would_not_keep_is_told_by_its_digest(odd: str) -> None:
    key = "run" + odd if not odd.startswith("sha") else odd
    tag = annotation_of(change(id=key)).id_tag
    expected = "driftband_id:run" if not odd else r"driftband_id:sha256-[0-9a-f]{40}"
    assert re.fullmatch(expected, tag)
    assert tag != f"driftband_id:{key}" or not odd


def test_identity_cannot_pass_for_a_tag_of_ours() -> None:
    identity = {
        "driftband_id": "run-1",
        "driftband": "x",
        "kind": "deploy",
        " status ": "failed",
        "a:b": "c:d",
        "e": "",
    }
    told = annotation_of(change(identity=identity, workspace=""))
    assert told.tags[4:] == ("a_b:c_d",)


_HOSTILE = st.text(st.characters(), max_size=300) | st.sampled_from(
    [
        "<script>alert(1)</script>",
        "</b><img src=x onerror=alert(1)>",
        "\x00\x1b[2J",
        "&lt;b&gt;",
        '"><a href="//x">',
        "x" * 9999,
    ]
)


@given(
    texts=st.tuples(*[_HOSTILE] * 6),
    identity=st.dictionaries(_HOSTILE, _HOSTILE, max_size=8),
    touched=st.lists(st.tuples(_HOSTILE, _HOSTILE), max_size=8),
)
def test_hostile_text_is_shown_as_text_and_bounded(
    texts: tuple[str, ...], identity: dict[str, str], touched: list[tuple[str, str]]
) -> None:
    resources = tuple(
        Touched(address=address, actions=("update",), attributes=(AttributeDiff(path=path, before=1, after=2),))
        for address, path in touched
    )
    change_id, workspace, commit, actor, url, summary = texts
    told = annotation_of(
        change(
            id=change_id or "-",
            workspace=workspace,
            commit=commit,
            actor=actor,
            url=url,
            summary=summary,
            identity=identity,
            resources=resources,
        )
    )
    assert {name for name, _ in _Page(told.text).elements} <= {"b", "br", "code"}
    assert len(told.text) < 20_000
    told.text.encode()
    assert sum(len(tag.encode()) + 3 for tag in told.tags) + 2 <= 500
    for tag in told.tags:
        assert tag.count(":") <= 1
        assert all(len(part) <= 100 for part in tag.split(":"))
        assert tag == tag.strip()
    assert told.tags[0] == "driftband"
    assert told.id_tag.startswith("driftband_id:")
    keys = [tag.partition(":")[0] for tag in told.tags]
    assert len(set(keys)) == len(keys)
