"""Fit the coefficients of correlation on the choosing part of the generator, and write them into the code.

    python tests/benchmarks/fit_incidents.py [--write]

First links, roots and suspects on the true groups; then suspects and roots again on the groups that driftband makes with these
links, so that scores are calibrated as they are used. All are conditional logits, fitted by Newton's method with a small ridge.
"""

import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import numpy as np
from bench_incidents import lived
from incident_world import CHOOSING, World, world

from driftband.correlate import coefficients, court, evidence, linking, rooting, scene
from driftband.correlate.strand import Strand

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


def true_groups(one: World, here: scene.Scene) -> Iterator[tuple[str, tuple[Strand, ...]]]:
    """Yield what belongs together, by trouble."""
    for trouble in sorted({item.trouble for item in one.shown}):
        yield trouble, here.strands([item.finding for item in one.shown if item.trouble == trouble])


def made_groups(one: World, here: scene.Scene) -> Iterator[tuple[str, tuple[Strand, ...]]]:
    """Yield the groups that driftband makes, with the trouble that most findings of each are of."""
    trouble_of = {item.finding.id: item.trouble for item in one.shown}
    by_id = {item.finding.id: item.finding for item in one.shown}
    for incident in lived(one).values():
        if incident.merged_into is None:
            most = Counter(trouble_of[finding] for finding in incident.findings).most_common(1)[0][0]
            yield most, here.strands([by_id[finding] for finding in incident.findings])


def suspect_choice(here: scene.Scene, group: Sequence[Strand], root: str | None, cause: str | None) -> Choice:
    """Return changes and "none of them"; evidence is read at the true root, where the group has it."""
    began = next((one for one in group if one.subject.component == root), None) or here.root(group)
    docket = here.court.docket([evidence.Case(group, began)])
    nulls = len(court.NULL_FEATURES)
    rows = np.hstack([docket.values, np.zeros((len(docket.index), nulls))])
    none = [0.0] * len(evidence.FEATURES) + list(court.null_values(group))
    ids = [docket.acts.all[index].change.id for index in docket.index]
    return np.vstack([rows, none]), ids.index(cause) if cause in ids else len(ids)


def root_choice(here: scene.Scene, group: Sequence[Strand], component: str) -> Choice | None:
    true = [index for index, one in enumerate(group) if one.subject.component == component]
    if len(group) < 2 or not true:
        return None
    return np.array(rooting.values(group, here.graph, here.linker)), true[0]


def link_choices(one: World, here: scene.Scene) -> Iterator[Choice]:
    """Yield each strand with the strongest link that it has to each trouble, and the strongest one beyond its component.

    In its own trouble it is a victim of what is no further from the root than it is itself.
    """
    depth = {item.finding.id: item.depth for item in one.shown}
    groups = dict(true_groups(one, here))
    for mine, trouble in ((mine, trouble) for trouble, group in groups.items() for mine in group):
        for other, group in groups.items():
            causes = [one for one in group if one is not mine]
            if other == trouble:
                causes = [one for one in causes if depth[one.findings[0].id] <= depth[mine.findings[0].id]]
            foreign = [one for one in causes if one.subject.component != mine.subject.component]
            for some in (causes, foreign) if len(foreign) < len(causes) else (causes,):
                best = max((_strength(here, mine, one) for one in some), default=None, key=lambda pair: pair[0])
                how = here.linker.relation(mine, best[1]) if best is not None and best[0] > 0 else None
                if best is not None and how is not None:
                    row = here.linker.values(mine, best[1], how)
                    yield np.array([row, [0.0] * len(row)]), 0 if trouble == other else 1


def _strength(here: scene.Scene, victim: Strand, cause: Strand) -> tuple[float, Strand]:
    """Return how strong a link is, and the cause; what has no weight yet, or too little, is ordered by nearness alone."""
    how = here.linker.relation(victim, cause)
    if how is None or linking.same_series(victim, cause):
        return 0.0, cause
    found = here.linker.link(victim, cause)
    far = linking.RELATIONS.index(how) + abs(linking.gap(victim, cause)) / linking.FARTHEST
    return (found.probability if found else 0.0) + 1e-6 / (1 + far), cause


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


Choices = dict[str, list[Choice]]


def learn(what: str, seed: int) -> Choices:
    """Return what a world teaches: of ``links``, or of suspects and roots on ``true`` or on ``made`` groups."""
    one = world(seed)
    here = scene.Scene([item.finding for item in one.shown], one.changes, one.context)
    if what == "links":
        return {"links": list(link_choices(one, here)), "suspects": [], "roots": []}
    found: Choices = {"links": [], "suspects": [], "roots": []}
    for trouble, group in true_groups(one, here) if what == "true" else made_groups(one, here):
        known = one.troubles.get(trouble)
        root = known.root if known and known.kind != "platform" else None
        found["suspects"].append(suspect_choice(here, group, root, known.cause if known else None))
        choice = root_choice(here, group, root) if root else None
        found["roots"] += [choice] if choice is not None else []
    return found


def turn(what: str, fitted: dict[str, np.ndarray]) -> None:
    """Fit on all worlds. Processes are new for each turn, so that they read what the last one has written."""
    told: Choices = {"links": [], "suspects": [], "roots": []}
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        for learned in pool.map(partial(learn, what), CHOOSING, chunksize=8):
            for name, choices in learned.items():
                told[name] += choices
    if told["links"]:
        fitted["LINK_WEIGHTS"] = newton(told["links"])
    if told["suspects"]:
        both = newton(told["suspects"])
        split = len(evidence.FEATURES)
        fitted["SUSPECT_WEIGHTS"], fitted["NULL_WEIGHTS"] = both[:split], both[split:]
        fitted["ROOT_WEIGHTS"] = newton(told["roots"])
    write(fitted)
    print(f"{what}: fitted on {', '.join(f'{len(choices)} {name}' for name, choices in told.items())}", flush=True)


def main() -> None:
    features = {
        "SUSPECT_WEIGHTS": evidence.FEATURES, "NULL_WEIGHTS": court.NULL_FEATURES,
        "LINK_WEIGHTS": linking.FEATURES, "ROOT_WEIGHTS": rooting.FEATURES,
    }  # fmt: skip
    before = TARGET.read_text(encoding="utf-8")
    fitted = {name: np.array([getattr(coefficients, name)[f] for f in listed]) for name, listed in features.items()}
    for what in ("true", "links", "true", "links", "true", "made"):
        turn(what, fitted)
    print(TARGET.read_text(encoding="utf-8"))
    if "--write" not in sys.argv:
        TARGET.write_text(before, encoding="utf-8")


if __name__ == "__main__":
    main()
