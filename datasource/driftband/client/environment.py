"""What a CI tells about the job that it runs: commit, actor, links, and the number of the run.

Only the variables that are named here are read: an environment is full of credentials. The names are those of the
CIs' own documentation ("default environment variables", "predefined variables", "custom workflows", "run environment").
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from urllib.parse import quote, urlsplit

_LONGEST = 500
_COMMIT = re.compile(r"[0-9a-fA-F]{7,64}")

Environ = Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class Job:
    """What is known of the job; empty where the CI does not tell.

    ci: its name, as in a key. run: stays the same when the same run is told again, and differs where it runs anew.
    counted: whether ``run`` counts every execution; Atlantis has no number for them. workspace: a hint.
    """

    ci: str = ""
    run: str = ""
    counted: bool = True
    commit: str = ""
    actor: str = ""
    url: str = ""
    pull_request: str = ""
    branch: str = ""
    workspace: str = ""


def job_of(environ: Environ) -> Job:
    """Return what the environment tells; the first CI that is recognised speaks, and a ``Job()`` where none is."""
    for recognised, read in _CIS:
        if recognised(environ):
            return read(environ)
    return Job()


def _github(environ: Environ) -> Job:
    repository = "/".join(
        part for part in (_url(environ, "GITHUB_SERVER_URL"), _text(environ, "GITHUB_REPOSITORY")) if part
    )
    run, attempt = _text(environ, "GITHUB_RUN_ID"), _text(environ, "GITHUB_RUN_ATTEMPT") or "1"
    number = re.fullmatch(r"refs/pull/(\d+)/(merge|head)", _text(environ, "GITHUB_REF"))
    known = repository.startswith("http")
    return Job(
        ci="github",
        # A job that is run again applies anew, so the attempt belongs to the key.
        run="-".join(part for part in (run, attempt, _text(environ, "GITHUB_JOB")) if part) if run else "",
        commit=_commit(environ, "GITHUB_SHA"),
        actor=_text(environ, "GITHUB_TRIGGERING_ACTOR", "GITHUB_ACTOR"),
        url=f"{repository}/actions/runs/{run}/attempts/{attempt}" if known and run else "",
        pull_request=f"{repository}/pull/{number[1]}" if known and number else "",
        branch=_text(environ, "GITHUB_HEAD_REF", "GITHUB_REF_NAME"),
    )


def _gitlab(environ: Environ) -> Job:
    project, number = _url(environ, "CI_MERGE_REQUEST_PROJECT_URL"), _text(environ, "CI_MERGE_REQUEST_IID")
    return Job(
        ci="gitlab",
        # A retried job gets an id of its own.
        run=_text(environ, "CI_JOB_ID", "CI_PIPELINE_ID"),
        # In a merged-results pipeline CI_COMMIT_SHA is a commit that exists nowhere else.
        commit=_commit(environ, "CI_MERGE_REQUEST_SOURCE_BRANCH_SHA", "CI_COMMIT_SHA"),
        actor=_text(environ, "GITLAB_USER_LOGIN"),
        url=_url(environ, "CI_JOB_URL", "CI_PIPELINE_URL"),
        pull_request=f"{project}/-/merge_requests/{number}" if project and number.isdecimal() else "",
        branch=_text(environ, "CI_MERGE_REQUEST_SOURCE_BRANCH_NAME", "CI_COMMIT_REF_NAME"),
        workspace=_text(environ, "TF_STATE_NAME", "CI_ENVIRONMENT_NAME"),
    )


def _atlantis(environ: Environ) -> Job:
    commit, pull_request = _commit(environ, "HEAD_COMMIT"), _url(environ, "PULL_URL")
    repository = f"{_text(environ, 'BASE_REPO_OWNER')}/{_text(environ, 'BASE_REPO_NAME')}".strip("/")
    project, workspace = _text(environ, "PROJECT_NAME", "REPO_REL_DIR"), _text(environ, "WORKSPACE")
    # The same name as the webhook's changes have.
    named = (repository, project if project != "." else "", workspace if workspace != "default" else "")
    return Job(
        ci="atlantis",
        run="/".join(part for part in (_text(environ, "PULL_NUM"), commit[:12]) if part),
        counted=False,
        commit=commit,
        actor=_text(environ, "USER_NAME", "PULL_AUTHOR"),
        url=pull_request,
        pull_request=pull_request,
        branch=_text(environ, "HEAD_BRANCH_NAME"),
        workspace="/".join(part for part in named if part),
    )


def _jenkins(environ: Environ) -> Job:
    return Job(
        ci="jenkins",
        run=_text(environ, "BUILD_TAG").removeprefix("jenkins-"),
        commit=_commit(environ, "GIT_COMMIT"),
        actor=_text(environ, "BUILD_USER_ID", "BUILD_USER", "CHANGE_AUTHOR"),
        url=_url(environ, "BUILD_URL"),
        pull_request=_url(environ, "CHANGE_URL"),
        branch=_text(environ, "CHANGE_BRANCH", "BRANCH_NAME", "GIT_BRANCH"),
    )


def _hcp_terraform(environ: Environ) -> Job:
    run, slug = (
        _text(environ, "TFC_RUN_ID", "ATLAS_RUN_ID"),
        _text(environ, "TFC_WORKSPACE_SLUG", "ATLAS_WORKSPACE_SLUG"),
    )
    organization, _, name = slug.partition("/")
    address = _url(environ, "ATLAS_ADDRESS", "TFE_ADDRESS") or "https://app.terraform.io"
    page = f"{address}/app/{quote(organization, safe='')}/workspaces/{quote(name, safe='')}/runs/{quote(run, safe='')}"
    return Job(
        ci="hcp-terraform",
        run=run,
        commit=_commit(
            environ, "TFC_CONFIGURATION_VERSION_GIT_COMMIT_SHA", "ATLAS_CONFIGURATION_VERSION_GITHUB_COMMIT_SHA"
        ),
        url=page if organization and name and run else "",
        branch=_text(
            environ, "TFC_CONFIGURATION_VERSION_GIT_BRANCH", "ATLAS_CONFIGURATION_VERSION_GITHUB_BRANCH"
        ),
        workspace=_text(environ, "TFC_WORKSPACE_NAME", "ATLAS_WORKSPACE_NAME"),
    )  # fmt: skip


def _set(*names: str) -> Callable[[Environ], bool]:
    return lambda environ: any(environ.get(name) for name in names)


def _is_atlantis(environ: Environ) -> bool:
    # Hooks before and after a workflow lack the version.
    hook = all(environ.get(name) for name in ("PULL_URL", "HEAD_COMMIT", "BASE_REPO_NAME", "USER_NAME"))
    return hook or bool(environ.get("ATLANTIS_TERRAFORM_VERSION"))


_CIS: tuple[tuple[Callable[[Environ], bool], Callable[[Environ], Job]], ...] = (
    (_set("GITHUB_ACTIONS"), _github),
    (_set("GITLAB_CI"), _gitlab),
    (_is_atlantis, _atlantis),
    (_set("JENKINS_URL", "BUILD_TAG"), _jenkins),
    (_set("TFC_RUN_ID", "ATLAS_RUN_ID"), _hcp_terraform),
)


def _text(environ: Environ, *names: str) -> str:
    for name in names:
        value = environ.get(name, "").strip()
        if value and value.isprintable():
            return value[:_LONGEST]
    return ""


def _commit(environ: Environ, *names: str) -> str:
    return next((found for name in names if _COMMIT.fullmatch(found := _text(environ, name))), "")


def _url(environ: Environ, *names: str) -> str:
    """Return the first http address, without what is secret or unstable in one: user, password, query, fragment."""
    for name in names:
        try:
            parts = urlsplit(_text(environ, name))
            port = f":{parts.port}" if parts.port else ""
        except ValueError:
            continue
        if parts.scheme in {"http", "https"} and parts.hostname:
            host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
            return f"{parts.scheme}://{host}{port}{parts.path}".rstrip("/")
    return ""
