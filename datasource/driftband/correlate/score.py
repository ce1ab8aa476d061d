"""Suspects: changes ranked by how probable it is that they brought about what moved, and the verdict."""

from collections.abc import Sequence

from driftband.correlate.acts import Relation
from driftband.correlate.context import Context
from driftband.correlate.court import Weighed
from driftband.correlate.reasons import reasons
from driftband.correlate.scene import Scene
from driftband.model.change import Change
from driftband.model.finding import Finding
from driftband.model.incident import Suspect, Verdict

ACCUSED = 0.7
"""From this score on an incident is ``explained``; below nobody is accused: a wrong accusation costs more than none."""
NAMED = 0.01
"""Below this a change is not even a weak suspect."""
MOST = 5
"""Suspects of one incident."""


def proposed(weighed: Sequence[Weighed], strands: int) -> tuple[Suspect, ...]:
    """Return the suspects to be shown. strands: how many subjects have moved."""
    return tuple(
        Suspect(
            change=one.evidence.act.change.id,
            score=round(one.score, 4),
            reasons=reasons(one.evidence, strands, weak=not _accusable(one)),
        )
        for one in weighed
        if one.score >= NAMED
    )


def verdict(weighed: Sequence[Weighed]) -> Verdict:
    """Return ``explained`` where one change is far more probable than all else together, and is known to belong there."""
    return "explained" if weighed and _accusable(weighed[0]) else "unexplained"


def _accusable(one: Weighed) -> bool:
    # The only change of a day is probable by that alone; where one of the two does not say what it is about, it stays a suspect.
    return one.score >= ACCUSED and one.evidence.relation is not Relation.UNKNOWN


def suspects(findings: Sequence[Finding], changes: Sequence[Change], context: Context) -> tuple[Suspect, ...]:
    """Return the suspects of findings that belong together, the most probable first; none where nothing is likely."""
    if not findings:
        return ()
    scene = Scene(findings, changes, context)
    group = scene.strands(findings)
    return proposed(scene.weigh(group, MOST), len(group))
