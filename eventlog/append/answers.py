"""What the server's answer to a publish means for whoever asked. Pure.

Every code was seen on a real server of the pinned version or read in its source. A code that is
not here is a bug or a wrong setting, and is said loudly instead of being retried for ever.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, auto
from typing import Final


class Meaning(Enum):
    """What to do next."""

    STORED = auto()
    """On disk, on a majority when replicated."""
    DUPLICATE = auto()
    """Stored by an earlier attempt or request, perhaps with another body: read what is there."""
    REFUSED = auto()
    """Definitely not stored by this attempt: look whether it was us, else somebody else wrote."""
    AGAIN = auto()
    """No definite answer, or not now: repeat the identical publish."""
    HOPELESS = auto()
    """No definite answer, and no way to ask again."""
    FULL = auto()
    """The log takes nothing more until an operator makes room."""
    BUG = auto()
    """Only a bug of ours or a wrong setting of the stream explains it."""


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer to one attempt."""

    meaning: Meaning
    sequence: int = 0
    """Stored: of the last message. Refused: the true last sequence of the offender, if told."""
    count: int = 1
    """How many messages were stored."""
    code: int = 0
    text: str = ""


LOST: Final = Answer(Meaning.AGAIN, text="no answer in time, or the connection broke")
"""The answer to an attempt that nobody answered. It may be stored all the same."""
CLOSED: Final = Answer(Meaning.HOPELESS, text="the connection is closed")
"""The answer to an attempt on a connection that will not come back."""
NO_RESPONDERS: Final = Answer(
    Meaning.AGAIN, code=503, text="nobody serves the log: no leader, or no stream"
)

INCOMPLETE: Final = 10176
"""A batch of which not all is there. The leader changed, or it lay idle: again. Or the server
would not take one message, and told nobody: only the last one asks for an answer."""

_WRONG_LAST_SEQUENCE: Final = 10071
_STORE_FAILED: Final = 10077
_MEANINGS: Final[Mapping[int, Meaning]] = {
    _WRONG_LAST_SEQUENCE: Meaning.REFUSED,
    10201: Meaning.REFUSED,  # a batch with a message id that is stored already
    10164: Meaning.AGAIN,  # a write to the same subject is still in flight (replicated)
    10158: Meaning.AGAIN,  # the same message id is still in flight (replicated)
    INCOMPLETE: Meaning.AGAIN,
    10210: Meaning.AGAIN,  # too many batches in flight
    10167: Meaning.AGAIN,  # too much waits in the server
    10008: Meaning.AGAIN,  # no leader
    10002: Meaning.FULL,  # the account's storage is used up
    10023: Meaning.FULL,  # the server's storage is used up
    10047: Meaning.FULL,  # the server's storage is used up
}
_LAST_SEQUENCE: Final = re.compile(r"wrong last sequence: (\d+)")


def read_answer(data: bytes, status: str | None = None) -> Answer:
    """The meaning of a reply: its body, and the status header of a reply without one."""
    if status == "503":
        return NO_RESPONDERS
    try:
        reply = json.loads(data)
        error = reply.get("error")
        if error is None:
            meaning = Meaning.DUPLICATE if reply.get("duplicate") else Meaning.STORED
            return Answer(meaning, int(reply["seq"]), int(reply.get("count", 1)))
        return _read_error(int(error.get("err_code", 0)), int(error["code"]), error["description"])
    except (ValueError, KeyError, AttributeError, TypeError) as error:
        return Answer(Meaning.BUG, text=f"unreadable answer {data!r} ({error!r})")


def _read_error(code: int, status: int, text: str) -> Answer:
    if code == _WRONG_LAST_SEQUENCE:
        told = _LAST_SEQUENCE.fullmatch(text)
        return Answer(Meaning.REFUSED, int(told[1]) if told else 0, code=code, text=text)
    if code == _STORE_FAILED:
        # One code for every failure of the store. A closing store says nothing about what was
        # proposed before; only a full one is a definite no.
        full = text.startswith(("maximum bytes", "maximum messages", "no space"))
        return Answer(Meaning.FULL if full else Meaning.AGAIN, code=code, text=text)
    if code == 0 and status == 503:  # a leader that stepped down says so without a code
        return Answer(Meaning.AGAIN, code=status, text=text)
    return Answer(_MEANINGS.get(code, Meaning.BUG), code=code, text=text)
