"""How long what is kept. Pure; docs/privacy.md says why, and a test holds the two together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Final

LOGS_AT_LEAST: Final = 180
"""Days that network logs must be kept (网络安全法)."""


class BadDays(ValueError):
    """Days that must not be; the text says why."""


@dataclass(frozen=True, slots=True)
class Days:
    """Days until something is deleted; each can be set as `WAGGLE_DAYS_<NAME>`."""

    promise: int = 30
    """From an erasure until nothing of the person can be read anywhere, backups included."""
    key_backups: int = 14
    """How long a backup of keys may be kept: less than the promise."""
    logs: int = 200
    """Logs of services and servers, from their last line on."""
    answers: int = 30
    """Answers to what platforms dropped in their inbox."""
    parked: int = 30
    """What could not be handled: it may hold words in clear."""
    orders: int = 400
    """Work orders that no machine of a department has taken; the case itself stays."""
    words: int = 1095
    """What riders said, from the day on which the last of their cases was closed."""

    def __post_init__(self) -> None:
        for field in fields(self):
            if getattr(self, field.name) < 1:
                raise BadDays(f"{variable(field.name)}: at least one day")
        if self.key_backups >= self.promise:
            raise BadDays(
                f"{variable('key_backups')} is {self.key_backups}, the promise {self.promise} days:"
                " a key must not outlive in a backup what was promised when it was destroyed"
            )
        if self.logs < LOGS_AT_LEAST:
            raise BadDays(f"{variable('logs')} is {self.logs}: at least {LOGS_AT_LEAST} days")

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Days:
        """The days as set, the defaults for the rest. Raises `BadDays`."""
        given: dict[str, int] = {}
        for field in fields(cls):
            name = variable(field.name)
            if (text := environment.get(name, "").strip()) and not text.isdigit():
                raise BadDays(f"{name} is {text!r}: a whole number of days")
            if text:
                given[field.name] = int(text)
        return cls(**given)


def variable(name: str) -> str:
    """The variable of the environment that sets it."""
    return f"WAGGLE_DAYS_{name.upper()}"
