"""The pages of incidents over a real store: what they show, who may act by them, and what they never let through."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from driftband.model.attribute import AttributeDiff
from driftband.web.layout import local

from .pages_world import HOSTILE, NOW, READ, WRITE, World, bearer, breach, change, drifted, proof_in, world


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[World]:
    with world(tmp_path) as made:
        made.tell(change(), breach())
        yield made


@pytest.fixture(scope="module")
def still(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Return a world in which nobody does anything."""
    with world(tmp_path_factory.mktemp("pages")) as made:
        made.tell(change(), breach())
        yield made


@pytest.fixture
def browser(shop: World) -> FlaskClient:
    return shop.client(write=True)


def test_an_incident_says_what_changed_what_was_seen_and_who_owns_it(still: World) -> None:
    page = still.client().get(still.incident()).text
    for told in (
        "checkout_latency is outside its band", "explained", "smaller pool", "run-4711", "9f3c2a1", "by dana",
        "max_connections", "a secret; it has changed", "module db 2.4.0", "above its band: 1.4 s", "owner <b>payments</b>",
        'href="https://ci.example/4711"', 'href="https://grafana.example/explore"', "It began in <b>checkout</b>",
    ):  # fmt: skip
        assert told in page, told
    assert "<del><code>500</code></del>" in page
    assert "<ins><code>50</code></ins>" in page


def test_the_picture_shows_values_band_and_the_change(still: World) -> None:
    page = still.client().get(still.incident()).text
    (picture,) = re.findall(r"<svg.*?</svg>", page, re.DOTALL)
    (values,) = re.findall(r'class="actual" points="([^"]*)"', picture)
    assert len(values.split()) == 8
    (band,) = re.findall(r'class="band" points="([^"]*)"', picture)
    assert len(band.split()) == 2 * 7, "the last upper edge is not known, and nothing is invented for it"
    (change_at,) = re.findall(r'class="change" x1="([0-9.]+)"', picture)
    (opened_at,) = re.findall(r'class="opened" x1="([0-9.]+)"', picture)
    assert float(change_at) < float(values.split()[0].split(",")[0]) < float(opened_at)
    assert "smaller pool" in picture
    assert re.search(r'aria-label="checkout_latency from 2026-11-24 11:\d\d UTC', picture)


def test_the_list_is_narrowed_by_filters(still: World) -> None:
    client = still.client()
    title = "checkout_latency is outside its band"
    for wanted, there in (
        ("", True), ("?severity=error", True), ("?severity=info", False), ("?state=resolved", False), ("?state=all", True),
        ("?verdict=explained&severity=", True), ("?owner=payments", True), ("?owner=nobody", False),
    ):  # fmt: skip
        page = client.get(f"/incidents{wanted}")
        assert page.status_code == 200
        assert (title in page.text) == there, wanted
    for nonsense in ("?state=nonsense", "?severity=nonsense", "?cursor=nonsense"):
        assert client.get(f"/incidents{nonsense}").status_code == 400


def test_acknowledging_and_resolving_by_the_page(shop: World, browser: FlaskClient) -> None:
    path = shop.incident()
    proof = proof_in(browser.get(path))
    answer = browser.post(f"{path}/acknowledge", data={"proof": proof, "by": "Dana Śliwa"})
    assert answer.status_code == 303
    assert answer.headers["Location"] == f"{path}?done=acknowledged"
    page = browser.get(answer.headers["Location"]).text
    assert "Dana Śliwa looks after it" in page
    assert 'name="by" value="Dana Śliwa"' in page, "asked once, it is known the next time"
    assert browser.post(f"{path}/resolve", data={"proof": proof, "by": "Dana Śliwa"}).status_code == 303
    assert shop.room.one(path.rpartition("/")[2]).state == "resolved"
    again = browser.post(f"{path}/acknowledge", data={"proof": proof, "by": "Dana Śliwa"})
    assert again.status_code == 409
    assert "resolved already" in again.text


def test_accepting_a_finding_takes_who_why_and_until_when(shop: World, browser: FlaskClient) -> None:
    path = shop.incident()
    form = {
        "proof": proof_in(browser.get(path)),
        "by": "dana",
        "reason": "until the migration",
        "for": "1d",
        "back": path,
    }
    finding = breach().id
    for wrong in ({"by": " "}, {"reason": ""}, {"for": "1y"}, {"by": "a\nb"}):
        assert browser.post(f"/findings/{finding}/accept", data={**form, **wrong}).status_code == 400
    answer = browser.post(f"/findings/{finding}/accept", data=form)
    assert (answer.status_code, answer.headers["Location"]) == (303, f"{path}?done=accepted")
    page = browser.get(path).text
    assert "accepted by dana until 2026-11-25T12:00:00Z: until the migration" in page


@pytest.mark.parametrize(
    "back", ["//evil.example/x", "https://evil.example", "/\\evil.example", "\\\\evil", "/a\nb", ""]
)
def test_nobody_is_led_elsewhere(back: str, browser: FlaskClient, shop: World) -> None:
    assert local(back) == "/"
    form = {"proof": proof_in(browser.get(shop.incident())), "by": "d", "reason": "r", "for": "", "back": back}
    answer = browser.post(f"/findings/{breach().id}/accept", data=form)
    assert answer.headers["Location"] == "/?done=accepted"
    signed = browser.post("/sign-in", data={"token": READ, "next": back})
    assert signed.headers["Location"] == "/"


def test_a_form_without_its_proof_changes_nothing(shop: World) -> None:
    path = shop.incident()
    mine, other = shop.client(write=True), shop.client(write=True)
    proof = proof_in(mine.get(path))
    stolen = proof_in(other.get(path))
    assert stolen != proof
    sent = [
        ({}, {}), ({"proof": "nonsense"}, {}), ({"proof": stolen}, {}),
        ({"proof": proof}, {"Origin": "https://evil.example"}), ({"proof": proof}, {"Origin": "null"}),
        ({"proof": proof}, {"Sec-Fetch-Site": "cross-site"}), ({"proof": proof}, {"Sec-Fetch-Site": "same-site"}),
    ]  # fmt: skip
    for form, headers in sent:
        answer = mine.post(f"{path}/acknowledge", data={**form, "by": "mallory"}, headers=headers)
        assert answer.status_code == 403
        assert "nothing was changed" in answer.text
    assert shop.room.one(path.rpartition("/")[2]).state == "open"
    ours = {"Origin": "http://localhost", "Sec-Fetch-Site": "same-origin"}
    assert mine.post(f"{path}/acknowledge", data={"proof": proof, "by": "d"}, headers=ours).status_code == 303


def test_reading_does_not_write(still: World) -> None:
    path = still.incident()
    reader = still.client()
    page = reader.get(path).text
    assert 'name="proof"' not in page
    assert "Sign in to act" in page
    assert reader.post(f"{path}/acknowledge", data={"by": "d"}).status_code == 403
    assert still.client(read=False).post(f"{path}/acknowledge", data={"by": "d"}).status_code == 401
    for token, status in ((READ, 403), (WRITE, 403), ("no-such-token-0123456789", 401)):
        answer = still.client(read=False).post(f"{path}/resolve", data={"by": "d"}, headers=bearer(token))
        assert answer.status_code == status
    assert still.room.one(path.rpartition("/")[2]).state == "open"


def test_who_reads_already_signs_in_to_act_and_comes_back(still: World) -> None:
    path = still.incident()
    client = still.client()
    wrong = client.post("/sign-in", data={"write_token": READ, "next": path})
    assert wrong.status_code == 401
    assert "does not allow writing" in wrong.text
    answer = client.post("/sign-in", data={"write_token": WRITE, "next": path})
    assert (answer.status_code, answer.headers["Location"]) == (303, path)
    assert "Acknowledge" in client.get(path).text
    assert client.post("/sign-out").status_code == 303
    assert client.get(path).status_code == 401


def test_who_has_not_signed_in_comes_back_to_what_they_wanted(still: World) -> None:
    path = still.incident()
    client = still.app.test_client()
    asked = client.get(f"{path}?done=x")
    assert asked.status_code == 401
    assert f'name="next" value="{path}?done=x"' in asked.text
    assert "checkout" not in asked.text
    signed = client.post("/sign-in", data={"token": READ, "next": f"{path}?done=x"})
    assert signed.headers["Location"] == f"{path}?done=x"


def test_nothing_of_what_was_sent_becomes_markup(tmp_path: Path) -> None:
    hostile = {"service": HOSTILE, "team": HOSTILE}
    with world(tmp_path) as made:
        made.tell(
            change(summary=HOSTILE, actor=HOSTILE, commit=HOSTILE, workspace=HOSTILE, url="javascript:alert(1)", identity=hostile),
            breach(HOSTILE, identity=hostile, reason=HOSTILE, evidence={**breach().evidence, "link": "javascript:alert(1)", "unit": HOSTILE}),
            drifted(
                workspace=HOSTILE, address=HOSTILE, reason=HOSTILE, actor=HOSTILE, identity=hostile,
                attributes=(AttributeDiff(path=HOSTILE, before=HOSTILE, after=[HOSTILE]),),
            ),
        )  # fmt: skip
        client = made.client(write=True)
        paths = [
            "/",
            "/incidents?state=all",
            "/workspaces",
            *re.findall(r'"(/incidents/[^"?]+)"', client.get("/incidents").text),
        ]
        assert len(paths) > 3
        for path in paths:
            page = client.get(path)
            assert page.status_code == 200
            assert "<script" not in page.text
            assert 'href="javascript' not in page.text
            assert "&lt;script&gt;" in page.text or path == "/workspaces"


def test_pages_tell_the_browser_what_they_may_do(still: World) -> None:
    for answer in (
        still.client().get("/"),
        still.client().get(still.incident()),
        still.client(read=False).get("/incidents"),
    ):
        policy = answer.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy
        assert answer.headers["Cache-Control"] == "private, no-cache"
        assert " style=" not in answer.text
        assert "<script" not in answer.text


def test_what_is_not_there_is_told_on_a_page(still: World) -> None:
    answer = still.client().get("/incidents/nonsense")
    assert answer.status_code == 404
    assert answer.headers["Content-Type"].startswith("text/html")
    assert "there is no incident" in answer.text


def test_without_tokens_pages_act_and_other_sites_do_not(tmp_path: Path) -> None:
    with world(tmp_path, open="yes") as made:
        made.tell(change(), breach())
        client = made.app.test_client()
        path = made.incident()
        proof = proof_in(client.get(path))
        form = {"proof": proof, "by": "dana"}
        for headers in (
            {"Origin": "https://evil.example"},
            {"Sec-Fetch-Site": "cross-site"},
        ):
            assert client.post(f"{path}/acknowledge", data=form, headers=headers).status_code == 403
        rebound = {"Host": "evil.example", "Sec-Fetch-Site": "same-origin"}
        assert client.post(f"{path}/acknowledge", data=form, headers=rebound).status_code == 400
        assert client.get(path, headers=rebound).status_code == 400
        assert client.post(f"{path}/acknowledge", data={"by": "dana"}).status_code == 403
        assert client.post(f"{path}/acknowledge", data=form).status_code == 303
        assert NOW.isoformat() in client.get(path).text
