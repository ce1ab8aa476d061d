"""Fit the coefficients of correlation on the choosing part of the generator, and write them into the code.

    python tests/benchmarks/fit_incidents.py [--write]

First links, roots and suspects on the true groups; then suspects and roots again on the groups that driftband makes with these
links, so that scores are calibrated as they are used. All are conditional logits, fitted by Newton's method with a small ridge.
"""

import importlib
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from incident_world import CHOOSING, Shown, World, world

from driftband.correlate import coefficients, court, evidence, grouping, linking, rooting, scene
from driftband.correlate.strand import Strand
from driftband.model.finding import Finding

TARGET = Path(coefficients.__file__)
RIDGE = 0.5
Choice = tuple[np.ndarray, int]
"""Alternatives, a row each, and the index of the true one."""


def newton(choices: Sequence[Choice], ridge: float = RIDGE) -> np.ndarray:
    weights = np.zeros(choices[0][0].shape[1])
    for _ in range(40):
        gradient, hessian = -ridge * weights, ridge * np.eye(len(weights))
        for rows, true in choices:
            utility = rows @ weights
            share = np.exp(utility - utility.max())
            share /= share.sum()
            mean = share @ rows
            gradient = gradient + rows[true] - mean
            hessian = hessian + (rows * share[:, None]).T @ rows - np.outer(mean, mean)
        step = np.linalg.solve(hessian, gradient)
        weights = weights + step * min(1.0, 4.0 / np.abs(step).max())
        if np.abs(step).max() < 1e-6:
            break
    return weights


def still_open(finding: Finding) -> Finding:
    return replace(finding, state="open", closed_at=None)


def prepared(one: World) -> tuple[scene.Scene, list[Shown]]:
    shown = [replace(item, finding=still_open(item.finding)) for item in one.shown]
    return scene.Scene([item.finding for item in shown], one.changes, one.context), shown


def true_groups(here: scene.Scene, shown: Iterable[Shown]) -> Iterator[tuple[str, tuple[Strand, ...]]]:
    gathered: dict[str, list[Finding]] = {}
    for item in shown:
        gathered.setdefault(item.trouble, []).append(item.finding)
    for trouble, findings in gathered.items():
        yield trouble, here.strands(findings)


def made_groups(here: scene.Scene, shown: Sequence[Shown]) -> Iterator[tuple[str, tuple[Strand, ...]]]:
    """Yield the groups that driftband makes, with the trouble that most findings of each are of."""
    trouble_of = {item.finding.id: item.trouble for item in shown}
    for findings in grouping.group({}, [item.finding for item in shown], here).groups.values():
        most = Counter(trouble_of[finding.id] for finding in findings).most_common(1)[0][0]
        yield most, here.strands(findings)


def suspect_choice(here: scene.Scene, group: Sequence[Strand], root: Strand, cause: str | None) -> Choice | None:
    found = here.court.evidence(group, root)
    nulls, features = len(court.NULL_FEATURES), len(evidence.FEATURES)
    rows = [(*one.values, *([0.0] * nulls)) for one in found]
    rows.append((*([0.0] * features), *court.null_values(group)))
    ids = [one.act.change.id for one in found]
    if cause is not None and cause not in ids:
        cause = None
    return np.array(rows), (ids.index(cause) if cause is not None else len(ids))


def root_choice(here: scene.Scene, group: Sequence[Strand], component: str) -> Choice | None:
    true = [index for index, one in enumerate(group) if one.subject.component == component]
    if len(group) < 2 or not true:
        return None
    return np.array(rooting.values(group, here.graph, here.linker)), true[0]


def link_choices(here: scene.Scene, shown: Sequence[Shown]) -> Iterator[Choice]:
    """Yield each strand with the strongest link that it has to each trouble, and the strongest one beyond its component.

    In its own trouble it is a victim of what is no further from the root than it is itself.
    """
    depth = {item.finding.id: item.depth for item in shown}
    groups = dict(true_groups(here, shown))
    for mine, trouble in ((mine, trouble) for trouble, group in groups.items() for mine in group):
        for other, group in groups.items():
            causes = [one for one in group if one is not mine]
            if other == trouble:
                causes = [one for one in causes if depth[one.findings[0].id] <= depth[mine.findings[0].id]]
            foreign = [one for one in causes if one.subject.component != mine.subject.component]
            for some in (causes, foreign) if len(foreign) < len(causes) else (causes,):
                best = max((_strength(here, mine, one) for one in some), default=None, key=lambda pair: pair[0])
                if best is not None and best[0] > 0:
                    how = here.linker.relation(mine, best[1])
                    row = here.linker.values(mine, best[1], how or "")
                    yield np.array([row, [0.0] * len(row)]), 0 if trouble == other else 1


def _strength(here: scene.Scene, victim: Strand, cause: Strand) -> tuple[float, Strand]:
    """Return the probability of a link, before any is known the nearness in kind and time, and the cause."""
    found = here.linker.link(victim, cause)
    if found is None:
        return 0.0, cause
    if any(coefficients.LINK_WEIGHTS.values()):
        return found.probability, cause
    far = linking.RELATIONS.index(found.relation) + abs(linking.gap(victim, cause)) / linking.FARTHEST
    return 1 / (1 + far), cause


def rows(name: str, note: str, features: Sequence[str], weights: Iterable[float]) -> str:
    listed = "".join(f'    "{feature}": {weight:.3f},\n' for feature, weight in zip(features, weights, strict=True))
    return f'{name}: Mapping[str, float] = {{\n{listed}}}\n"""{note}"""\n'


HEAD = '''"""Coefficients of correlation.

Fitted by tests/benchmarks/fit_incidents.py on the choosing part of the generator (tests/benchmarks/incident_world.py), which
writes this file; the thresholds at its end were chosen on the same part. None has seen the part that is reported.
"""

from collections.abc import Mapping

'''


def write(fitted: Mapping[str, np.ndarray]) -> None:
    parts = (
        ("SUSPECT_WEIGHTS", "Log odds of a change, by evidence.", evidence.FEATURES),
        ("NULL_WEIGHTS", "Log odds of there being no change that did it.", court.NULL_FEATURES),
        ("LINK_WEIGHTS", "Log odds that one strand is a sign of what another one shows.", linking.FEATURES),
        ("ROOT_WEIGHTS", "Log odds of a strand being where it began.", rooting.FEATURES),
    )
    text = HEAD + "\n".join(rows(name, note, features, fitted[name]) for name, note, features in parts)
    tail = f'''
JOIN = {coefficients.JOIN}
"""From this probability of a link on a finding joins an incident."""
MERGE = {coefficients.MERGE}
"""From this probability on two incidents become one."""
SPLIT = {coefficients.SPLIT}
"""Below this probability of all its links a part leaves an incident."""
'''
    TARGET.write_text(text + tail, encoding="utf-8")
    for module in (coefficients, court, linking, rooting, scene, grouping):
        importlib.reload(module)


def fit_suspects(worlds: Sequence[World], groups, fitted: dict[str, np.ndarray]) -> None:
    suspects, roots = [], []
    for one in worlds:
        here, shown = prepared(one)
        for trouble, group in groups(here, shown):
            known = one.troubles.get(trouble)
            suspects.append(suspect_choice(here, group, here.root(group), known.cause if known else None))
            roots.append(root_choice(here, group, known.root) if known and known.kind != "platform" else None)
    both = newton([choice for choice in suspects if choice is not None])
    split = len(evidence.FEATURES)
    fitted["SUSPECT_WEIGHTS"], fitted["NULL_WEIGHTS"] = both[:split], both[split:]
    fitted["ROOT_WEIGHTS"] = newton([choice for choice in roots if choice is not None])


def main() -> None:
    worlds = [world(seed) for seed in CHOOSING]
    features = {
        "SUSPECT_WEIGHTS": evidence.FEATURES, "NULL_WEIGHTS": court.NULL_FEATURES,
        "LINK_WEIGHTS": linking.FEATURES, "ROOT_WEIGHTS": rooting.FEATURES,
    }  # fmt: skip
    before = TARGET.read_text(encoding="utf-8")
    fitted = {name: np.array([getattr(coefficients, name)[f] for f in listed]) for name, listed in features.items()}
    for turn, groups in enumerate((true_groups, true_groups, true_groups, made_groups, made_groups)):
        fit_suspects(worlds, groups, fitted)
        write(fitted)
        if turn < 3:
            pairs = [choice for one in worlds for choice in link_choices(*prepared(one))]
            fitted["LINK_WEIGHTS"] = newton(pairs)
            write(fitted)
        print(f"turn {turn}: fitted on {groups.__name__}")
    print(TARGET.read_text(encoding="utf-8"))
    if "--write" not in sys.argv:
        TARGET.write_text(before, encoding="utf-8")


if __name__ == "__main__":
    main()
