"""What the doctor says of the store, and of resources and targets that do not say whose they are."""

from dataclasses import replace
from pathlib import Path

from driftband import doctor
from driftband.config import load
from driftband.doctor import Finding
from driftband.model.run import About
from driftband.store.database import Database
from driftband.store.inventory import Identities
from driftband.store.ledger import take_report

from .ledger_story import NOON, PLAN, resource


def looked(**variables: str) -> dict[str, Finding]:
    environ = {"DRIFTBAND_PROMETHEUS__URL": "sample:", **{f"DRIFTBAND_{k}": v for k, v in variables.items()}}
    return {one.name: one for one in doctor.run(load(None, environ))}


def test_a_file_that_is_not_there_yet_is_not_made(tmp_path: Path) -> None:
    found = looked(STORE=f"sqlite:///{tmp_path}/new.db")["store"]
    assert (found.status, "is made when the service starts" in found.message) == ("ok", True)
    assert list(tmp_path.iterdir()) == []
    assert looked(STORE=f"sqlite:///{tmp_path}/nowhere/new.db")["store"].status == "fail"


def test_a_file_that_is_no_database_is_told(tmp_path: Path) -> None:
    (tmp_path / "other.db").write_text("not a database, but long enough to be read as one by a careless reader" * 20)
    assert looked(STORE=f"sqlite:///{tmp_path}/other.db")["store"].status == "fail"


def test_a_server_that_cannot_be_reached_is_told_without_its_password() -> None:
    found = looked(STORE="postgresql+psycopg://dana:s3cr3t-of-dana@127.0.0.1:1/none?connect_timeout=2")["store"]
    assert found.status == "fail"
    assert "s3cr3t-of-dana" not in found.message + found.mend


def test_resources_without_identity_are_named_by_workspace(database: Database) -> None:
    bare = replace(resource("postgresql_role.nobodys"), tags={})
    report = replace(PLAN, resources=(resource(), bare), read=2)
    take_report(database, report, About(workspace="prod/db"), Identities(names=("service",), workspaces={}), NOON)
    url = database.engine.url.render_as_string(hide_password=False)
    found = looked(STORE=url)["tags prod/db"]
    assert found.status == "warn"
    assert "1 of 2 resources" in found.message
    assert "postgresql_role.nobodys" in found.message
    assert "driftband tags --workspace prod/db" in found.mend
