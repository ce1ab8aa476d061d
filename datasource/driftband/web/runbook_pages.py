"""The runbooks that Grafana's alert rules link to, as pages: what an alert means, what to look at first, how to end it."""

from importlib.resources import files

from flask import Blueprint, Response

from driftband.model.refusal import UnknownError
from driftband.web.desk import Desk

_TEXTS = {one.name.removesuffix(".md"): one for one in (files("driftband.web") / "runbooks").iterdir()}


def add_runbooks(pages: Blueprint, desk: Desk) -> None:
    """Add their routes."""

    @pages.get("/runbooks/<name>")
    def runbook(name: str) -> Response:
        if name not in _TEXTS:
            raise UnknownError(f"there is no runbook {name[:60]!r}; there are {', '.join(sorted(_TEXTS))}")
        title, _, text = _TEXTS[name].read_text(encoding="utf-8").removeprefix("# ").partition("\n")
        return desk.pages.show("runbook.html", desk.now(), title=title, parts=_parts(text))


def _parts(text: str) -> list[tuple[str, str]]:
    """Return headings and what stands below them; the first has none."""
    first, *others = text.split("\n## ")
    named = [(heading, body.strip()) for heading, _, body in (part.partition("\n") for part in others)]
    return [("", first.strip()), *named]
