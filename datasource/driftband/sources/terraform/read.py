"""The readers: from the bytes that somebody sent to what they say."""

from driftband.model.report import Applied, Inventory, Report
from driftband.sources.terraform.apply import applied_plan, applied_stream
from driftband.sources.terraform.errors import ReportError, guarded
from driftband.sources.terraform.known import Known
from driftband.sources.terraform.lines import open_stream, written
from driftband.sources.terraform.plan import SafePlan, open_plan
from driftband.sources.terraform.recognise import recognise
from driftband.sources.terraform.reduced import reduced_plan, reduced_pulled, reduced_state
from driftband.sources.terraform.report import plan_report
from driftband.sources.terraform.state import inventory, open_pulled, open_state
from driftband.sources.terraform.stream import stream_report

_STATE = "this is a state: send it to the inventory"
_APPLY = "this is the log of an apply: use `driftband change record --apply-log`"


@guarded
def read_report(body: bytes) -> Report:
    """Read ``show -json`` of a plan, or the stream of ``plan -json``.

    Raises:
        ReportError: it is neither, or broken.

    """
    kind, body = recognise(body)
    if kind == "plan":
        return plan_report(open_plan(body))
    if kind != "stream":
        raise ReportError(f"{_STATE}; a report is the JSON of a plan, or the stream of `terraform plan -json`")
    stream = open_stream(body, Known())
    if stream.applies:
        raise ReportError(_APPLY)
    return stream_report(stream)


@guarded
def read_inventory(body: bytes) -> Inventory:
    """Read ``show -json`` of a state, or what ``state pull`` gives.

    Raises:
        ReportError: it is neither, or broken.

    """
    kind, body = recognise(body)
    if kind == "state":
        return inventory(open_state(body))
    if kind == "pulled":
        state, resources = open_pulled(body)
        return inventory(resources, lineage=state.lineage, serial=state.serial)
    what = "a plan" if kind == "plan" else "a stream"
    raise ReportError(
        f"this is {what}: report it with `driftband drift report`; "
        "an inventory is the output of `terraform show -json` or of `terraform state pull`"
    )


@guarded
def read_apply(plan: bytes | None, apply_log: bytes | None) -> Applied:
    """Read what an apply did, from the JSON of its plan, from the stream of ``apply -json``, or best from both.

    Raises:
        ReportError: there is neither, or one of them is something else, or broken.

    """
    opened = None if plan is None else _plan(plan)
    if apply_log is None:
        if opened is None:
            raise ReportError("an apply is read from its plan or from its log: give at least one of them")
        return applied_plan(opened)
    kind, body = recognise(apply_log)
    if kind != "stream":
        raise ReportError("the log of the apply is something else: expected the output of `terraform apply -json`")
    return applied_stream(open_stream(body, opened.known if opened else Known()), opened)


def _plan(body: bytes) -> SafePlan:
    kind, body = recognise(body)
    if kind != "plan":
        raise ReportError("the plan of the apply is something else: expected `terraform show -json PLANFILE`")
    return open_plan(body)


@guarded
def redacted(body: bytes, schemas: bytes | None = None) -> bytes:
    """Return a document of the same kind without secrets, reduced to what is read of it here; it reads the same.

    schemas: the output of ``providers schema -json``; of it only which attributes are sets is kept, with a plan.

    Raises:
        ReportError: one of them cannot be read.

    """
    kind, body = recognise(body)
    if kind == "plan":
        return reduced_plan(open_plan(body, schemas))
    if kind == "state":
        return reduced_state(open_state(body))
    if kind == "pulled":
        return reduced_pulled(*open_pulled(body))
    return written(open_stream(body, Known()))
