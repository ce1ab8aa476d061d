"""The examples in docs/ci: each block can be parsed, each verb and option exists, each CI that is recognised has a page."""

import json
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
import yaml

from driftband import cli

PAGES = sorted((Path(__file__).parents[2] / "docs/ci").glob("*.md"))
_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_COMMAND = re.compile(r"(?<![\w./-])driftband (?=[a-z])([^\n`]*)")
_VERBS = ("drift report", "drift scan", "change record", "annotate --kind", "verify --change")


def blocks(page: Path) -> list[tuple[str, str]]:
    return _FENCE.findall(page.read_text())


def commands(page: Path) -> Iterator[list[str]]:
    """Yield the words of each call of driftband, as a shell takes them."""
    text = re.sub(r"\$\{\{.*?\}\}", "x", page.read_text())
    for rest in _COMMAND.findall(text):
        words = []
        lexer = shlex.shlex(rest.replace("'", ""), posix=True, punctuation_chars=";&|()")
        lexer.whitespace_split = True
        for word in lexer:
            if set(word) <= set(";&|()"):
                break
            words.append(word)
        yield words


def resolve(words: list[str]) -> tuple[click.Command, list[str]]:
    command: click.Command = cli.main
    rest = list(words)
    while isinstance(command, click.Group):
        name = rest.pop(0)
        assert name in command.commands, words
        command = command.commands[name]
    return command, rest


def test_there_is_a_page_for_each_ci() -> None:
    assert [page.stem for page in PAGES] == ["atlantis", "github-actions", "gitlab-ci", "hcp-terraform", "jenkins"]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_each_block_can_be_parsed(page: Path) -> None:
    found = blocks(page)
    assert found
    assert page.read_text().count("```") == 2 * len(found)
    for language, text in found:
        match language:
            case "yaml":
                assert isinstance(yaml.safe_load(text), dict)
            case "json":
                assert isinstance(json.loads(text), dict)
            case "sh":
                assert shlex.split(text)
            case _:
                assert language == "groovy"
                assert all(text.count(pair[0]) == text.count(pair[1]) for pair in ("{}", "()", "[]"))
                assert text.count("'") % 2 == 0


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_each_verb_and_option_is_there(page: Path) -> None:
    calls = [words for words in commands(page) if words and words[0] in cli.main.commands]
    assert calls
    for words in calls:
        command, rest = resolve(words)
        options = {name: param for param in command.params for name in [*param.opts, *param.secondary_opts]}
        for word in rest:
            if word.startswith("--") and word != "--":
                assert word.partition("=")[0] in options, words
        parsed = command.make_parser(click.Context(command)).parse_args(list(rest))[0] if "..." not in rest else {}
        for param in command.params:
            if "..." not in rest and isinstance(param, click.Option) and isinstance(param.type, click.Choice):
                given = parsed.get(param.name, param.type.choices[0])
                assert given in param.type.choices or given == "x", words


def test_the_pages_show_every_verb_of_ci() -> None:
    shown = {" ".join(words[:2]) for page in PAGES for words in commands(page)}
    assert set(_VERBS) <= shown


def test_github_and_gitlab_workflows_have_jobs_with_steps() -> None:
    for text in (text for _, text in blocks(PAGES[1])):
        workflow = yaml.safe_load(text)
        assert workflow.keys() >= {"name", "jobs"}
        # YAML 1.1 reads the key `on` as a truth value.
        assert True in workflow or "on" in workflow
        for job in workflow["jobs"].values():
            assert all(step.keys() & {"run", "uses"} for step in job["steps"])
    pipeline = yaml.safe_load(blocks(PAGES[2])[0][1])
    jobs = [job for name, job in pipeline.items() if name not in {"stages", "default"}]
    assert all(job["stage"] in pipeline["stages"] and job["script"] for job in jobs)
    for line in [line for job in jobs for line in [*job["script"], *job.get("after_script", [])]]:
        assert isinstance(line, str)
