"""Real providers for the tests, built from their source where Go is at hand, and a Terraform that finds them without a registry."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest

HOST = "terraform.test/acme"
LOCAL, LOCAL_VERSION = "local", "1.4.0"
TIME, TIME_VERSION = "time", "0.13.1"


def build_local(place: Path) -> list[str]:
    """Return the command that builds the provider ``local`` in ``place``, from a main module of its own."""
    return ["go", "build", "-mod=readonly", "-trimpath", "-o", str(place / "terraform-provider-local"), "."]


def build_time(_place: Path) -> list[str]:
    """Return the command that builds the provider ``time``, whose module is a program itself, into GOBIN."""
    return ["go", "install", "-trimpath", f"github.com/hashicorp/terraform-provider-time@v{TIME_VERSION}"]


def add_provider(cache: Path, name: str, version: str, command: Callable[[Path], list[str]]) -> None:
    """Have the mirror in ``cache`` serve a provider to ``terraform init``; it is built once."""
    platform = subprocess.run(
        ["go", "env", "GOOS", "GOARCH"], capture_output=True, text=True, check=True
    ).stdout.split()
    program = cache / HOST / name / version / "_".join(platform) / f"terraform-provider-{name}_v{version}"
    if program.is_file():
        return
    program.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=cache) as place:
        done = subprocess.run(
            command(Path(place)),
            cwd=Path(__file__).parent / "provider_local",
            env={**os.environ, "GOBIN": place},
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            pytest.skip(f"terraform-provider-{name} cannot be built: {done.stderr[-300:]}")
        (Path(place) / f"terraform-provider-{name}").replace(program)


def terraform_environ(folder: Path, cache: Path) -> dict[str, str]:
    """Return the environment of a Terraform that has the provider ``local``; skips the test where there is none."""
    missing = [program for program in ("terraform", "go") if shutil.which(program) is None]
    if missing:
        pytest.skip(f"{' and '.join(missing)} not installed: real providers are built from their source")
    add_provider(cache, LOCAL, LOCAL_VERSION, build_local)
    config = folder / "terraform.rc"
    config.write_text(f'provider_installation {{\n  filesystem_mirror {{\n    path = "{cache}"\n  }}\n}}\n')
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "TF_CLI_CONFIG_FILE": str(config),
        "CHECKPOINT_DISABLE": "1",
    }
