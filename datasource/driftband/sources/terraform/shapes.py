"""Well-known shapes of secrets, wherever they stand.

The patterns are RE2's and run in linear time. None of them crosses a NUL, which stands between values that are searched
together. Libraries of such patterns exist as programs that scan files; here a value is judged while it is read.
"""

from typing import Any

import re2

from driftband.model.attribute import REDACTED

_STOP = r"\s\x00\"'<>\\"
_VALUE = rf"[^{_STOP}${{(][^{_STOP}]{{3,}}"
_LOOSE = rf"[^{_STOP}${{(][^{_STOP}&;,]{{3,}}"
_CALLED_SO = (
    r"(?:password|passwd|passphrase|pwd|connection_?string"
    r"|(?:client|secret|api|access|private|account|auth|shared)[_-]?(?:secret|key|token))"
)
_BEFORE = r"(?:^|[^A-Za-z0-9:/])"

_KEPT: tuple[tuple[str, str, str], ...] = (
    # What stands before a secret, the secret, what stands after it.
    (rf"[A-Za-z][A-Za-z0-9+.-]*://[^{_STOP}/?#:@]*:", rf"[^{_STOP}/?#@${{][^{_STOP}/?#@]*", "@"),
    (r"\b(?i:bearer)[ +]", r"[A-Za-z0-9._~+/=-]{16,}", ""),
    (r"\b(?i:authorization[\"']?\s?[:=]\s?[\"']?basic) ", r"[A-Za-z0-9+/=]{8,}", ""),
    (r"(?:AccountKey|SharedAccessKey|SharedSecretKey)=", r"[A-Za-z0-9+/=]{16,}", ""),
    (r"[?&;](?i:sig|token|access_token|api_?key|x-amz-signature|x-amz-security-token)=", r"[^\s\x00\"'&<>]{8,}", ""),
    (rf"{_BEFORE}(?i:[A-Za-z0-9_.-]*(?:{_CALLED_SO}|secret|token))\\?[\"']\s*:\s*\\?[\"']", _VALUE, ""),
    (rf"{_BEFORE}(?i:[A-Za-z0-9_.-]*(?:{_CALLED_SO}|secret|token))\s*=\s*\\?[\"']?", _LOOSE, ""),
    (rf"{_BEFORE}(?i:[A-Za-z0-9_.-]*{_CALLED_SO}):[ \t]+[\"']?", _LOOSE, ""),
)
_WHOLE: tuple[str, ...] = (
    r"-----BEGIN [A-Z0-9 ]*PRIVATE KEY[^\x00]*",
    r"\b(?:AKIA|ASIA)[A-Z0-9]{16,}",
    r"\bgh[oprsu]_[A-Za-z0-9]{20,}",
    r"\bgithub_pat_[A-Za-z0-9_]{20,}",
    r"\bgl(?:pat|ptt|dt|rt|cbt|ft|soat|agent|imt|oas)-[A-Za-z0-9_.-]{16,}",
    r"\bxox[a-z]-[A-Za-z0-9-]{8,}",
    r"\bxapp-[A-Za-z0-9-]{8,}",
    r"\bhooks\.slack\.com/(?:services|workflows|triggers)/[A-Za-z0-9/_-]+",
    r"\bdiscord(?:app)?\.com/api/webhooks/[A-Za-z0-9/_-]+",
    r"\b[a-z0-9-]+\.webhook\.office\.com/[^\s\x00\"'<>]+",
    r"\beyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{8,}(?:\.[A-Za-z0-9_-]*)?",
    r"\bAIza[A-Za-z0-9_-]{30,}",
    r"\bya29\.[A-Za-z0-9_-]{20,}",
    r"\bGOCSPX-[A-Za-z0-9_-]{20,}",
    r"\b[rs]k_(?:live|test)_[A-Za-z0-9]{10,}",
    r"\bwhsec_[A-Za-z0-9+/]{16,}",
    r"\bnpm_[A-Za-z0-9]{30,}",
    r"\bpypi-AgE[A-Za-z0-9_-]{16,}",
    r"\bdckr_pat_[A-Za-z0-9_-]{16,}",
    r"\bdop_v1_[a-f0-9]{32,}",
    r"\bdapi[a-f0-9]{32,}",
    r"\bgl(?:sa|c)_[A-Za-z0-9_=]{20,}",
    r"\bSG\.[A-Za-z0-9_-]{16,}\.[A-Za-z0-9_-]{16,}",
    r"\bsk-(?:ant-|proj-|svcacct-)?[A-Za-z0-9_-]{32,}",
    r"\bhv[brs]\.[A-Za-z0-9_-]{20,}",
    r"\.atlasv1\.[A-Za-z0-9_=-]{40,}",
    r"\bAGE-SECRET-KEY-1[A-Z0-9]{20,}",
    r"\bmd5[0-9a-f]{32}",
    r"\bSCRAM-SHA-(?:1|256|512)\$[^\s\x00\"']+",
    r"\$2[abxy]?\$[0-9]{2}\$[./A-Za-z0-9]{20,}",
    r"\$(?:1|5|6|apr1)\$(?:rounds=[0-9]+\$)?[./A-Za-z0-9]{1,16}\$[./A-Za-z0-9]{20,}",
    r"\$(?:y|7|gy|argon2(?:id|i|d)|pbkdf2[a-z0-9-]*)\$[^\s\x00\"']{16,}",
)


def compiled(pattern: str | bytes, memory: int = 64 << 20) -> Any:
    """Return an RE2 pattern; ``memory``: bytes that its automaton may take. A pattern of bytes is for bytes."""
    options = re2.Options()
    options.max_mem = memory
    # What cannot be compiled would be written to the standard error, with the pattern in it.
    options.log_errors = False
    if isinstance(pattern, bytes):
        options.encoding = re2.Options.Encoding.LATIN1
    return re2.compile(pattern, options)


SHAPES = compiled("|".join(["".join(shape) for shape in _KEPT] + list(_WHOLE)).encode())
"""All shapes at once, for bytes; no groups."""

_REPLACEMENTS = (
    *((compiled(f"({before}){secret}{after}"), rf"\1{REDACTED}{after}") for before, secret, after in _KEPT),
    (compiled("|".join(_WHOLE)), REDACTED),
)


def is_secret(text: str) -> bool:
    """Tell whether a text holds something of the shape of a secret."""
    return SHAPES.search(text.replace("\0", " ").encode()) is not None


def without_shapes(text: str) -> str:
    """Return the text with everything of the shape of a secret replaced."""
    for pattern, replacement in _REPLACEMENTS:
        text = pattern.sub(replacement, text)
    return text
