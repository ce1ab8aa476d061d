"""Which resources an event speaks of: the ids, names and ARNs in it, and no secret."""

import re
from collections import deque
from collections.abc import Iterable
from itertools import islice
from typing import Any

from driftband.sources.fields import LONGEST, tidy

MOST_MENTIONS = 200
_MOST_VALUES = 20_000

_ARN = re.compile(r"arn:aws[a-z-]*:[a-z0-9-]+:[a-z0-9-]*:\d*:\S+")
_AWS_ID = re.compile(r"[a-z]{1,12}-(?:[0-9a-f]{8}|[0-9a-f]{17})")
_ACCOUNT = re.compile(r"\d{12}")
"""An account: nearly every event names one, and it is not what was changed."""
_NAMING = re.compile(
    r"(?:id|ids|name|names|arn|arns|identifier|identifiers|queueurl|bucket|cluster|service|taskdefinition|resource|resources)$"
)
"""Keys under which a resource is named, in lower case without separators. What stands under any other key is not looked at."""
_SECRET = re.compile(
    r"passw|passphrase|pwd|secret|token|credential|privatekey|accesskey|apikey|authkey|signature|signed|authorization"
    r"|userdata|environment|variables|certificate|connectionstring|policydocument|^policy$|value$|body$|content$|plaintext"
    r"|ciphertext|^x-?amz|requestid"
)
"""Keys under which a secret may stand: not looked into. An ARN is a name wherever it stands, so it is taken even there."""
_SECRET_SHAPES = re.compile(
    r"(?:AKIA|ASIA)[0-9A-Z]{16}|-----BEGIN|\bgh[pousr]_|github_pat_|\bglpat-|\bxox[abeoprs]-|\beyJ[\w-]{10,}|://[^/\s]*@|HIDDEN_DUE_TO"
)


def mentions(*documents: Any) -> tuple[str, ...]:
    """Return what the documents name, each once, the outermost first, at most ``MOST_MENTIONS``.

    Longer names than ``LONGEST`` are left out: cut, they would name something else.
    """
    return tuple(islice(dict.fromkeys(_walk(documents)), MOST_MENTIONS))


def _walk(documents: Iterable[Any]) -> Iterable[str]:
    """Walk level by level, without recursion: nesting is up to the sender, and so is size."""
    for document in documents:
        waiting = deque([("", document, False)])
        for _ in range(_MOST_VALUES):
            if not waiting:
                break
            key, value, secret = waiting.popleft()
            if isinstance(value, dict):
                for name, inner in islice(value.items(), _MOST_VALUES):
                    plain = _plain(name)
                    waiting.append((plain, inner, secret or _SECRET.search(plain) is not None))
            elif isinstance(value, list):
                waiting.extend((key, inner, secret) for inner in islice(value, _MOST_VALUES))
            elif isinstance(value, str) and (name := _named(key, value, secret=secret)):
                yield name


def _named(key: str, value: str, *, secret: bool) -> str:
    """Return the value if it names a resource: under a key that says so, or by its own form."""
    text = value.partition("?")[0] if "://" in value else value
    if not 0 < len(text) <= LONGEST or tidy(text) != text or not text.isprintable():
        return ""
    if _SECRET_SHAPES.search(text) or _ACCOUNT.fullmatch(text):
        return ""
    if _ARN.fullmatch(text):
        return text
    named = not secret and (_NAMING.search(key) or _AWS_ID.fullmatch(text))
    return text if named and not set(text) & set("{}<>*") else ""


def _plain(key: str) -> str:
    return re.sub(r"[_\s.-]", "", key.lower()[:LONGEST])
