"""The other pages over a real store: workspaces, findings, changes, the search; and who a trusted proxy lets in."""

import io
import re
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from itsdangerous import TimestampSigner
from PIL import Image

from driftband import app_pictures
from driftband.model.run import Run
from driftband.store.lookup import StoredLookup
from driftband.store.rows import of_run
from driftband.store.tables import runs, workspaces
from driftband.web.listing import Wanted
from driftband.web.words import workspace_path

from .pages_world import MINUTE, NOW, World, bearer, breach, change, drifted, proof_in, world

ODD = 'odd/../"name"'
IGNORED = {"reason": "the autoscaler sets it", "owner": "platform", "address": "aws_eks*", "workspace": "prod/*"}


def tell_of_a_run(made: World, name: str) -> None:
    run = Run(
        id="run-1", workspace=name, status="drifted", tool="terraform", at=NOW - 5 * MINUTE, reported_at=NOW, reason="1 differs"
    )  # fmt: skip
    with made.evidence.database.write() as connection:
        connection.execute(workspaces.insert(), [{"name": name, "lineage": "", "read": 1}])
        connection.execute(runs.insert(), [of_run(run, {}, [])])


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with world(tmp_path_factory.mktemp("pages")) as made:
        closed = drifted(
            id="c105ed", address="aws_s3_bucket.old", state="closed", closed_at=NOW - timedelta(days=2),
            opened_at=NOW - timedelta(days=3), last_seen_at=NOW - timedelta(days=2), reason="as declared again",
        )  # fmt: skip
        made.tell(change(), breach(), drifted(), closed)
        tell_of_a_run(made, "prod/checkout")
        tell_of_a_run(made, ODD)
        made.evidence.ignore({**IGNORED, "resource_type": "", "attribute": "", "expires_at": NOW + timedelta(days=9)})
        yield made


def test_a_workspace_has_its_history_findings_rules_and_runs(shop: World) -> None:
    page = shop.client().get("/workspaces/prod/checkout").text
    for told in (
        "aws_security_group.shop", "aws_s3_bucket.old", "as declared again", "aws_eks*", "the autoscaler sets it", "03 Dec 2026",
        "run-1", "1 differs",
    ):  # fmt: skip
        assert told in page, told
    assert "checkout_latency" not in page
    (line,) = re.findall(r'class="actual" points="([^"]*)"', page)
    heights = [float(point.split(",")[1]) for point in line.split()]
    assert min(heights) < heights[0], "drift was open lately and not a month ago"


def test_names_of_workspaces_are_what_they_are(shop: World) -> None:
    client = shop.client()
    assert workspace_path("prod/my net") == "/workspaces/prod/my%20net"
    for name in ("/lead", "a//b", "../x", "x/."):
        assert workspace_path(name).startswith("/workspaces?workspace=")
    for path in (workspace_path(ODD), "/workspaces?workspace=prod/checkout"):
        assert client.get(path).status_code == 200
        assert "run-1" in client.get(path).text
    assert workspace_path(ODD).replace("&", "&amp;") in client.get("/workspaces").text
    assert client.get("/workspaces/nobody/knows").status_code == 404


def test_a_finding_has_its_story_and_its_incidents(shop: World) -> None:
    page = shop.client().get(f"/findings/{breach().id}").text
    assert "<svg" in page
    assert "checkout_latency is outside its band" in page
    assert "above its band: 1.4 s" in page
    assert shop.client().get("/findings/nothing").status_code == 404


def test_a_change_has_what_it_touched(shop: World) -> None:
    page = shop.client().get("/changes/run-4711").text
    assert "<del><code>500</code></del>" in page
    assert 'href="/search?q=9f3c2a1"' in page
    assert shop.client().get("/changes/no/such").status_code == 404


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("9f3c2a1", {"changes"}),
        ("DANA", {"changes"}),
        ("4711", {"changes"}),
        ("security_group", {"findings", "incidents"}),
        ("checkout_lat", {"findings", "incidents"}),
        ("prod/check", {"changes", "findings", "workspaces"}),
        ("smaller pool", {"changes"}),
        ("smaller elephant", set()),
        ("%", set()),
        ("_roup", set()),
        ("", set()),
    ],
)
def test_search_finds_by_parts_of_names(shop: World, text: str, found: set[str]) -> None:
    told = StoredLookup(shop.evidence.database).search(text, 20) if text else {}
    assert {kind for kind, items in told.items() if items} == found
    page = shop.client().get("/search", query_string={"q": text})
    assert page.status_code == 200
    assert {kind for kind in ("changes", "findings", "incidents") if f'href="/{kind}/' in page.text} == found - {
        "workspaces"
    }


def test_a_trusted_proxy_says_who_it_is(tmp_path: Path) -> None:
    proxy = '{header: X-User, addresses: ["10.0.3.0/24", "fd00::1"], allow: write}'
    with world(tmp_path, DRIFTBAND_ACCESS__PROXY=proxy) as made:
        made.tell(change(), breach())
        path, client = made.incident(), made.app.test_client()

        def ask(address: str, user: str | None) -> int:
            headers = {} if user is None else {"X-User": user}
            return client.get(path, headers=headers, environ_base={"REMOTE_ADDR": address}).status_code

        assert [ask(a, "dana") for a in ("10.0.3.9", "::ffff:10.0.3.9", "fd00::1")] == [200] * 3
        assert [ask(a, "dana") for a in ("10.0.4.9", "127.0.0.1", "fd00::2", "")] == [401] * 4
        assert [ask("10.0.3.9", user) for user in (None, "", " ", "dana,admin", "d" * 201)] == [401] * 5
        from_proxy = {"headers": {"X-User": "dana"}, "environ_base": {"REMOTE_ADDR": "10.0.3.9"}}
        proof = proof_in(client.get(path, **from_proxy))
        form = {"proof": proof, "by": "somebody else"}
        other = {**from_proxy, "headers": {"X-User": "mallory"}}
        assert client.post(f"{path}/acknowledge", data=form, **other).status_code == 403
        assert (
            client.post(f"{path}/acknowledge", data=form, environ_base={"REMOTE_ADDR": "10.0.4.9"}).status_code == 401
        )
        assert client.post(f"{path}/acknowledge", data=form, **from_proxy).status_code == 303
        assert made.room.one(path.rpartition("/")[2]).acknowledged_by == "dana"
        api = client.post(f"/driftband/v1{path}/resolve", **from_proxy)
        assert api.status_code == 401, "by the API a write token alone writes"


def test_who_may_only_read_at_the_proxy_does_not_act(tmp_path: Path) -> None:
    with world(tmp_path, DRIFTBAND_ACCESS__PROXY='{header: X-User, addresses: ["10.0.3.7"]}') as made:
        made.tell(change(), breach())
        from_proxy = {"headers": {"X-User": "dana"}, "environ_base": {"REMOTE_ADDR": "10.0.3.7"}}
        page = made.app.test_client().get(made.incident(), **from_proxy)
        assert page.status_code == 200
        assert 'name="proof"' not in page.text
        assert (
            made.app.test_client().post(f"{made.incident()}/acknowledge", data={"by": "d"}, **from_proxy).status_code
            == 403
        )


def test_a_picture_is_fetched_by_its_signed_address_alone(shop: World) -> None:
    client = shop.app.test_client()
    incident = next(i for i in re.findall(r'"/incidents/([^"?]+)"', client.get("/incidents", headers=bearer()).text)
                    if "latency" in shop.room.one(i).title)  # fmt: skip
    pictures = app_pictures.pictures_of(shop.config, shop.evidence.database)
    url = pictures.url(incident)
    assert url.startswith(f"{shop.config.external_url}/pictures/")
    path = url.removeprefix(shop.config.external_url)
    answer = client.get(path)
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "image/png")
    image = Image.open(io.BytesIO(answer.data))
    assert image.size == (800, 450)
    assert image.getpixel((2, 2)) == (0x16, 0x1C, 0x23), "opaque, and dark"
    assert {(0x7D, 0xB0, 0xFF), (0xFF, 0x8A, 0xD8), (0xEE, 0xF2, 0xF6)} <= {c for _, c in image.getcolors(1 << 20)}
    forged = path.replace(path[20], "A" if path[20] != "A" else "B", 1)
    for other in (forged, path.replace(".png", "x.png"), f"/pictures/{incident}.png", "/pictures/.png"):
        assert client.get(other).status_code in (401, 404)
    with pytest.MonkeyPatch.context() as later:
        later.setattr(TimestampSigner, "get_timestamp", lambda _: int(time.time()) + 8 * 86_400)
        assert client.get(path).status_code == 404


def test_an_incident_without_values_has_no_picture(shop: World) -> None:
    pictures = app_pictures.pictures_of(shop.config, shop.evidence.database)
    drift = next(i for i in shop.room.page(Wanted({}, None, None, None, 9), ("open",)) if "security_group" in i.title)
    assert pictures.png(drift.id) is None
    assert pictures.png("nothing") is None


def test_a_runbook_is_a_page_and_another_one_is_not(shop: World) -> None:
    client = shop.app.test_client()
    page = client.get("/runbooks/correlated", headers=bearer())
    assert page.status_code == 200
    assert "<h1>Drift that a change explains</h1>" in page.text
    assert "<h2>Look first</h2>" in page.text
    assert client.get("/runbooks/correlated").status_code == 401
    missing = client.get("/runbooks/nonsense", headers=bearer())
    assert missing.status_code == 404
    assert "self-watcher" in missing.text
