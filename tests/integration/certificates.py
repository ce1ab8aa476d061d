"""Certificates for tests: an authority, a server on 127.0.0.1, a client, and strangers, made by openssl."""

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

PROGRAM = "openssl"

_CONFIG = """
[req]
distinguished_name = name
[name]
[authority]
basicConstraints = critical, CA:true
keyUsage = critical, keyCertSign
subjectKeyIdentifier = hash
[server]
basicConstraints = critical, CA:false
authorityKeyIdentifier = keyid
extendedKeyUsage = serverAuth
subjectAltName = IP:127.0.0.1
[client]
basicConstraints = critical, CA:false
authorityKeyIdentifier = keyid
extendedKeyUsage = clientAuth
"""


@dataclass(frozen=True)
class Pair:
    """A certificate and its key, both in PEM."""

    cert: Path
    key: Path


@dataclass(frozen=True)
class Certificates:
    """What a server and its clients need; ``stranger`` is a client of ``other``, an authority nobody knows."""

    authority: Pair
    server: Pair
    client: Pair
    other: Pair
    stranger: Pair


def is_missing() -> bool:
    """Whether this machine lacks openssl."""
    return shutil.which(PROGRAM) is None


def make(folder: Path) -> Certificates:
    """Make new ones, good for two days, in ``folder``."""
    config = folder / "openssl.cnf"
    config.write_text(_CONFIG)

    def one(name: str, kind: str, signer: Pair | None = None) -> Pair:
        made = Pair(folder / f"{name}.pem", folder / f"{name}.key")
        command = [
            *(PROGRAM, "req", "-x509", "-config", str(config), "-extensions", kind, "-subj", f"/CN={name}"),
            *("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"),
            *("-out", str(made.cert), "-keyout", str(made.key)),
            *(("-CA", str(signer.cert), "-CAkey", str(signer.key)) if signer else ()),
        ]
        subprocess.run(command, check=True, capture_output=True)
        return made

    authority, other = one("authority", "authority"), one("other", "authority")
    return Certificates(
        authority,
        one("server", "server", authority),
        one("client", "client", authority),
        other,
        one("stranger", "client", other),
    )
