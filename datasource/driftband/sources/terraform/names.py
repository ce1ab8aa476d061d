"""Names of attributes, environment variables and keys that say that their value is a secret."""

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")

_SECRET = re.compile(
    r"_(?:[a-z0-9]*(?:password|passwd|passphrase|passcode|secret|token|apikey|accesskey|secretkey|privatekey)"
    r"|pwd|psk|credentials?|dsn|kubeconfig"
    r"|(?:api|access|private|secret|account|shared|signing|encryption|master|customer|license|auth|pre_?shared)_key"
    r"|preshared_key|connection_string|conn_string|shared_access_signature|sas_ur[il]|kube_config(?:_raw)?|key_material)_"
)

_DESCRIBES = frozenset(
    """
    age alg algorithm arn arns at audience bits characters class count created date days description digits disabled
    duration enabled encoding endpoint endpoints expiration expired expires expiry expression file filename format
    generation group header history hours id identifier ids issuer kind labels length lifetime location lookup manager
    max method min minutes mode name names namespace number operator owner parameter path period plugin policies policy
    prefix provider recovery ref reference region required reset role rotation scheme scope scopes seconds size source
    spec state status store suffix tags template time timeout ttl type types updated uri url usage user username validity
    version versions
    """.split()  # noqa: SIM905 - words read best as words
)
"""A name that ends so tells something about a secret, or where it is kept."""

_NO_SECRETS = frozenset(
    """
    change_token client_request_token continuation_token creation_token creator_request_token existing_secret idempotency_token
    image_pull_secret lock_token next_token page_token request_token sync_token
    """.split()  # noqa: SIM905 - words read best as words
)
"""Handles that services hand out, and names of Kubernetes objects."""

_REFERENCE = re.compile(
    r"arn:[a-z-]+:|projects/[^/]+/secrets/|/subscriptions/|https://[a-z0-9.-]+\.vault\.azure\.net/"
    r"|\$\{|\{\{|(?:true|false|none|null|disabled|enabled|required|optional)$",
    re.IGNORECASE,
)


@lru_cache(maxsize=8192)
def names_secret(name: str) -> bool:
    """Tell whether a name means a secret: ``password``, ``DB_PASSWORD``, ``privateKeyPem``; not ``token_ttl``."""
    words = "_".join(_WORD.findall(name)).lower()
    if words in _NO_SECRETS or not _SECRET.search(f"_{words}_"):
        return False
    return words.rpartition("_")[2] not in _DESCRIBES or bool(re.search(r"(?:connection_string|sas_ur[il])$", words))


def only_refers(value: str) -> bool:
    """Tell whether a value under such a name is none: where the secret is kept, or a switch."""
    return _REFERENCE.match(value) is not None


def secret_pair(of: Mapping[str, Any]) -> str:
    """Return the name of a pair such as ``{"name": "DB_PASSWORD", "value": "..."}`` if it names a secret, else ""."""
    if type(of.get("value")) is str:
        for key in ("name", "key"):
            name = of.get(key)
            if type(name) is str and names_secret(name):
                return name
    return ""
