"""Each form of the tags against a file; a new form or a change is reviewed as a change of that file.

To write them anew: DRIFTBAND_WRITE_GOLDEN=1 pytest tests/unit/tags.
"""

import json
import os
import re
import shutil
import subprocess
from pathlib import Path
from urllib.parse import unquote

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from driftband.tags.facts import Facts
from driftband.tags.hcl import google_labels, quoted, terraform
from driftband.tags.kubernetes import kubernetes, kubernetes_metadata
from driftband.tags.otel import otel
from driftband.tags.prometheus import prometheus

GOLDEN = Path(__file__).parent / "golden"
FORMS = {"terraform": terraform, "otel": otel, "prometheus": prometheus, "kubernetes": kubernetes}
ENDINGS = {"terraform": "tf", "otel": "env", "prometheus": "yaml", "kubernetes": "yaml"}
INPUTS = sorted(GOLDEN.glob("in-*.json"))
TERRAFORM = shutil.which("terraform")

needs_terraform = pytest.mark.skipif(TERRAFORM is None, reason="terraform is not installed")
hostile = st.text(st.characters(exclude_categories=("C", "Z")) | st.sampled_from(" $%{}\"'\\,=#&:`~"), max_size=60)


def facts_of(path: Path) -> Facts:
    return Facts(**json.loads(path.read_text()))


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("path", INPUTS, ids=lambda path: path.stem)
def test_the_form_is_as_written(path: Path, form: str) -> None:
    text = FORMS[form](facts_of(path))
    expected = path.with_name(f"out-{path.stem.removeprefix('in-')}.{form}.{ENDINGS[form]}")
    if os.environ.get("DRIFTBAND_WRITE_GOLDEN"):
        expected.write_text(text)
    assert text == expected.read_text()


@needs_terraform
@pytest.mark.parametrize("path", INPUTS, ids=lambda path: path.stem)
def test_terraform_finds_its_own_form_in_it(path: Path) -> None:
    done = subprocess.run([TERRAFORM, "fmt", "-check", "-"], input=terraform(facts_of(path)), text=True, check=False)
    assert done.returncode == 0


@needs_terraform
def test_terraform_reads_a_literal_as_what_it_was(tmp_path: Path) -> None:
    texts = [
        "",
        'a"b',
        "a\\nb",
        "${x}",
        "%{if}",
        "$${x}",
        "$$${x}",
        "%%{x}",
        "$x %y",
        "\\${x}",
        "{$}%",
        "${",
        "é\N{SNOWMAN}",
    ]
    literals = ", ".join(quoted(text) for text in texts)
    (tmp_path / "main.tf").write_text(f'output "texts" {{\n  value = jsonencode([{literals}])\n}}\n')
    environ = {"PATH": os.environ["PATH"], "TF_CLI_CONFIG_FILE": os.devnull, "CHECKPOINT_DISABLE": "1"}
    for command in (["init", "-input=false"], ["apply", "-auto-approve", "-input=false"]):
        subprocess.run([TERRAFORM, *command], cwd=tmp_path, env=environ, capture_output=True, check=True)
    done = subprocess.run(
        [TERRAFORM, "output", "-raw", "texts"], cwd=tmp_path, env=environ, capture_output=True, check=True
    )
    assert json.loads(done.stdout) == texts


@given(hostile, hostile, hostile)
def test_every_form_gives_the_values_back(workspace: str, service: str, team: str) -> None:
    facts = Facts(workspace=workspace, identity={"service": service, "team": team})
    line = otel(facts)
    assert re.fullmatch(r"OTEL_RESOURCE_ATTRIBUTES=[A-Za-z0-9%=,./:~_-]*\n", line)
    pairs = line.partition("=")[2].rstrip("\n").split(",")
    assert {name: unquote(value) for name, _, value in (pair.partition("=") for pair in pairs)} == facts.attributes()
    (labels,) = yaml.safe_load_all(prometheus(facts))
    got = {entry["target_label"]: entry["replacement"].replace("$$", "$") for entry in labels["relabel_configs"]}
    assert got == {**facts.identity, **({"driftband_workspace": workspace} if workspace else {})}
    metadata = yaml.safe_load(kubernetes(facts))["metadata"]
    assert set(metadata["annotations"].values()) == set(facts.attributes().values())
    for value in kubernetes_metadata(facts)["labels"].values():
        assert re.fullmatch(r"[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?", value)
    for name, value in google_labels(facts.tags()).items():
        assert re.fullmatch(r"[a-z_][a-z0-9_-]{0,62}", name)
        assert re.fullmatch(r"[a-z0-9_-]{0,63}", value)


@pytest.mark.parametrize(
    ("identity", "message"),
    [
        ({"a-b": "x"}, "must be letters"),
        ({"1a": "x"}, "must be letters"),
        ({"service": "x" * 257}, "longer than 256"),
        ({"service": "a\nb"}, "control character"),
        ({"driftband_commit": "x"}, "written by driftband itself"),
    ],
)
def test_what_not_every_form_can_write_is_refused(identity: dict[str, str], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Facts(identity=identity)
