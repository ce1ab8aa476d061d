"""What a run was: only a complete one may say that something is over."""

from collections.abc import Sequence

from driftband.detect.configuration import Observed
from driftband.model.report import Report
from driftband.model.run import RunStatus


def run_status(
    report: Report,
    observed: Sequence[Observed],
    *,
    accepted: int = 0,
    known_resources: int,
    known_lineage: str,
    lineage: str,
) -> tuple[RunStatus, str]:
    """Return the status of a run and the reason in words.

    accepted: how many of the observations people have accepted. known_resources: managed resources that the workspace is known to have. known_lineage: of its state, or empty.
    """
    if report.locked:
        return "locked", "another run holds the state lock"
    if lineage and known_lineage and lineage != known_lineage:
        return "suspect", (
            f"the report is of state lineage {lineage[:64]}, and this workspace's is {known_lineage}: another workspace or another "
            "backend? If the state was made anew, send it to the inventory with adopt=true"
        )
    alarming = sum(o.alarming for o in observed)
    if report.errored:
        why = f": {report.errors[0]}" if report.errors else ""
        return ("partial", f"the run ended with an error{why}") if alarming else ("failed", f"the run failed{why}")
    if report.read == 0 and known_resources and not alarming:
        return "suspect", (
            f"nothing was read where {known_resources} resources are known: wrong workspace, backend or an empty state? If they are "
            "really gone, send the state to the inventory"
        )
    if not report.complete:
        return "partial", "the run did not look at everything"
    if alarming == accepted:
        return "clean", "what is declared is what is there"
    left = alarming - accepted
    return "drifted", f"{left} {'resource differs' if left == 1 else 'resources differ'} from what is declared"
