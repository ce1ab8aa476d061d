"""A plan of 20 MB: how long it takes to be read, and how much memory the process has had at its peak.

    python tests/benchmarks/bench_ingest.py

A normal plan of 5,400 files, databases and roles, one in fifty of them drifted. Wanted: less than 1 s and 200 MB.
"""

import base64
import copy
import hashlib
import json
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

CAPTURE = Path(__file__).parents[1] / "captures/e_normal_plan_drift_and_changes/plan.json"
FILES, DATABASES, ROLES = 4400, 500, 500
SECRETS = 100
WANTED_S, WANTED_MB = 1.0, 200

READ = """
import resource, sys, time
from pathlib import Path
from driftband.sources.terraform import read_report, redacted
body = Path(sys.argv[1]).read_bytes()
started = time.perf_counter()
found = {"read": read_report, "redact": redacted}[sys.argv[2]](body)
elapsed = time.perf_counter() - started
print(elapsed, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
"""


def address(resource: dict[str, Any], number: int) -> dict[str, Any]:
    module = f'module.role["r{number}"].' if resource["type"] == "postgresql_role" else ""
    return {**resource, "index": number, "address": f"{module}{resource['type']}.{resource['name']}[{number}]"}


def values(given: dict[str, Any], number: int) -> dict[str, Any]:
    if "content" not in given:
        secret = base64.b64encode(hashlib.sha256(f"secret {number % SECRETS}".encode()).digest()).decode()[:20]
        changed = {"password": secret} if given.get("password") else {}
        return {**given, "id": f"{given['id']}_{number}", "name": f"{given['name']}_{number}", **changed}
    content = "".join(f"setting_{line} = {number + line}\n" for line in range(3)).encode()
    return {
        **given,
        "content": content.decode(),
        "content_base64sha256": base64.b64encode(hashlib.sha256(content).digest()).decode(),
        "content_base64sha512": base64.b64encode(hashlib.sha512(content).digest()).decode(),
        "content_md5": hashlib.md5(content, usedforsecurity=False).hexdigest(),
        "content_sha1": hashlib.sha1(content, usedforsecurity=False).hexdigest(),
        "content_sha256": hashlib.sha256(content).hexdigest(),
        "content_sha512": hashlib.sha512(content).hexdigest(),
        "id": hashlib.sha1(content, usedforsecurity=False).hexdigest(),
        "filename": f"./conf/pool_{number}.ini",
    }


def big_plan() -> bytes:
    plan = json.loads(CAPTURE.read_bytes())
    templates = {item["type"]: item for item in plan["resource_drift"]}
    kinds = ["local_file"] * FILES + ["postgresql_database"] * DATABASES + ["postgresql_role"] * ROLES
    drift, changes, state, roles = [], [], [], []
    for number, kind in enumerate(kinds):
        item = address(copy.deepcopy(templates[kind]), number)
        mask = item["change"]["before_sensitive"]
        before = values(item["change"]["before"], number)
        after = {**before, "file_permission": "0600"} if kind == "local_file" else {**before, "connection_limit": 3}
        found = after if number % 50 == 0 else before
        change = {"after_unknown": {}, "before_sensitive": mask, "after_sensitive": mask}
        if number % 50 == 0:
            drift.append({**item, "change": {**change, "actions": ["update"], "before": before, "after": after}})
        actions = ["update"] if number % 50 == 0 else ["no-op"]
        changes.append({**item, "change": {**change, "actions": actions, "before": found, "after": before}})
        resource = {key: value for key, value in item.items() if key not in ("change", "module_address")}
        resource |= {
            "schema_version": 0,
            "values": found,
            "sensitive_values": mask,
            "depends_on": ["random_password.app"],
        }
        if kind == "postgresql_role":
            roles.append({"address": f'module.role["r{number}"]', "resources": [resource]})
        else:
            state.append(resource)
    module = {"resources": state, "child_modules": roles}
    plan |= {"resource_drift": drift, "resource_changes": changes}
    plan["prior_state"]["values"]["root_module"] = module
    plan["planned_values"]["root_module"] = module
    return json.dumps(plan, separators=(",", ":")).encode()


def measure(path: Path, what: str) -> tuple[float, float]:
    done = subprocess.run([sys.executable, "-c", READ, path, what], check=True, capture_output=True, text=True)
    elapsed, memory = map(float, done.stdout.split())
    return elapsed, memory


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "plan.json")
        path.write_bytes(big_plan())
        print(f"a plan of {path.stat().st_size / 1e6:.1f} MB with {FILES + DATABASES + ROLES} resources")
        for what in ("read", "redact"):
            runs = [measure(path, what) for _ in range(5)]
            times = [elapsed for elapsed, _ in runs]
            print(
                f"{what:<8} {statistics.median(times):6.2f} s (worst {max(times):.2f} s, wanted {WANTED_S} s)   "
                f"{max(memory for _, memory in runs):6.0f} MB at the peak (wanted {WANTED_MB} MB)"
            )


if __name__ == "__main__":
    main()
