"""``driftband tags``: what puts a workspace's name, commit and identity into telemetry."""

from typing import Any

import click

from driftband.cli_client import fail, job, json_option, pairs, print_json

_FORMATS = ("terraform", "otel", "prometheus", "kubernetes")


@click.command()
@click.option("--workspace", metavar="NAME", help="Such as prod/network; else the CI's hint.")
@click.option(
    "--commit", metavar="SHA", help="Else the CI's, but not in Terraform's tags: each would change every resource."
)
@click.option(
    "--identity", "identity", multiple=True, metavar="NAME=VALUE", help="Such as service=checkout; may be given again."
)
@click.option("--format", "form", type=click.Choice([*_FORMATS, "all"]), default="all", show_default=True)
@json_option
def tags(workspace: str | None, commit: str | None, identity: tuple[str, ...], form: str, as_json: bool) -> None:
    """Write what puts infrastructure's metadata into telemetry: tags, resource attributes, labels."""
    from driftband.tags.facts import Facts  # noqa: PLC0415 - not before it is needed

    known = job()
    named: dict[str, Any] = {"workspace": workspace or known.workspace, "identity": pairs(identity)}
    try:
        facts = Facts(**named, commit=commit or known.commit)
        for_terraform = Facts(**named, commit=commit or "")
    except ValueError as error:
        fail(str(error))
    if not for_terraform.tags():
        fail("there is nothing to write: give --workspace or --identity")
    wanted = _FORMATS if form == "all" else (form,)
    if as_json:
        print_json({name: part for name, part in _documents(facts, for_terraform).items() if name in wanted})
        return
    texts = _texts(facts, for_terraform)
    if form == "all":
        click.echo("\n".join(f"# {name}\n{texts[name]}" for name in wanted), nl=False)
    else:
        click.echo(texts[form], nl=False)


def _texts(facts: Any, for_terraform: Any) -> dict[str, str]:
    from driftband.tags.hcl import terraform  # noqa: PLC0415 - not before it is needed
    from driftband.tags.kubernetes import kubernetes  # noqa: PLC0415
    from driftband.tags.otel import otel  # noqa: PLC0415
    from driftband.tags.prometheus import prometheus  # noqa: PLC0415

    return {
        "terraform": terraform(for_terraform),
        "otel": otel(facts),
        "prometheus": prometheus(facts),
        "kubernetes": kubernetes(facts),
    }


def _documents(facts: Any, for_terraform: Any) -> dict[str, Any]:
    from driftband.tags.hcl import google_labels  # noqa: PLC0415 - not before it is needed
    from driftband.tags.kubernetes import kubernetes_metadata  # noqa: PLC0415
    from driftband.tags.prometheus import prometheus_config  # noqa: PLC0415

    own = for_terraform.tags()
    return {
        "terraform": {"tags": own, "google_labels": google_labels(own)},
        "otel": facts.attributes(),
        "prometheus": prometheus_config(facts),
        "kubernetes": kubernetes_metadata(facts),
    }
