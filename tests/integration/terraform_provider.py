"""A real provider for the tests, built from its source where Go is at hand, and a Terraform that finds it without a registry."""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest

SOURCE = "terraform.test/acme/local"
VERSION = "1.4.0"


def provider_mirror(cache: Path) -> Path:
    """Return the folder that serves the provider to ``terraform init``; it is built once, in ``cache``."""
    platform = subprocess.run(
        ["go", "env", "GOOS", "GOARCH"], capture_output=True, text=True, check=True
    ).stdout.split()
    program = cache / SOURCE / VERSION / "_".join(platform) / f"terraform-provider-local_v{VERSION}"
    if not program.is_file():
        program.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=cache) as place:
            built = Path(place) / "provider"
            done = subprocess.run(
                ["go", "build", "-mod=readonly", "-trimpath", "-o", str(built), "."],
                cwd=Path(__file__).parent / "provider_local",
                capture_output=True,
                text=True,
                check=False,
            )
            if done.returncode != 0:
                pytest.skip(f"terraform-provider-local cannot be built: {done.stderr[-300:]}")
            built.replace(program)
    return cache


def terraform_environ(folder: Path, cache: Path) -> dict[str, str]:
    """Return the environment of a Terraform that has the provider; skips the test where there is none."""
    missing = [program for program in ("terraform", "go") if shutil.which(program) is None]
    if missing:
        pytest.skip(f"{' and '.join(missing)} not installed: real providers are built from their source")
    config = folder / "terraform.rc"
    config.write_text(
        f'provider_installation {{\n  filesystem_mirror {{\n    path = "{provider_mirror(cache)}"\n  }}\n}}\n'
    )
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "TF_CLI_CONFIG_FILE": str(config),
        "CHECKPOINT_DISABLE": "1",
    }
