"""Checks of identity labels in telemetry: what metrics must carry to be joined with infrastructure."""

from driftband.doctor.finding import FaultError, Finding
from driftband.doctor.source import Source


def check_identity(source: Source, names: tuple[str, ...]) -> list[Finding]:
    """Tell which jobs' targets (``up``) carry none of the identity labels; a source without ``up`` tells nothing."""
    bare = " and ".join(f'up{{{name}=""}}' for name in names)
    try:
        every, lacking = source.ask("count by (job) (up)"), source.ask(f"count by (job) ({bare})")
    except FaultError as fault:
        return [fault.finding("labels")]
    try:
        total, without = _counts(every), _counts(lacking)
    except (LookupError, TypeError, ValueError):
        return []
    if not total:
        return []
    if not without:
        return [Finding(name="labels", status="ok", message="the targets of all jobs carry identity labels")]
    jobs = ", ".join(f"{job} ({without[job]} of {total.get(job, without[job])})" for job in sorted(without)[:5])
    more = f" and {len(without) - 5} more jobs" if len(without) > 5 else ""  # noqa: PLR2004 - as many as are named
    return [
        Finding(
            name="labels",
            status="warn",
            message=f"targets without any of {', '.join(names)}: {jobs}{more}",
            mend="`driftband tags --format prometheus` writes relabel rules; their metrics may carry labels of their own",
        )
    ]


def _counts(answer: list[dict[str, dict[str, str]]]) -> dict[str, int]:
    return {one["metric"].get("job", ""): int(one["value"][1]) for one in answer}  # type: ignore[index]
