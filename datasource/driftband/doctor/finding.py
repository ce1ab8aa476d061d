"""What a check says."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, kw_only=True)
class Finding:
    """The outcome of one check; ``mend`` says what to do, and is empty where there is nothing to do."""

    name: str
    status: Literal["ok", "warn", "fail"]
    message: str
    mend: str = ""


class FaultError(Exception):
    """Something could not be asked; why, and what to do about it."""

    def __init__(self, message: str, mend: str) -> None:
        super().__init__(message)
        self.message, self.mend = message, mend

    def finding(self, name: str) -> Finding:
        """Return the failed check that this means."""
        return Finding(name=name, status="fail", message=self.message, mend=self.mend)
