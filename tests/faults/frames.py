"""What passes between a client and a server, cut into whole messages. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Protocol

_LINE: Final = b"\r\n"
_WITH_BODY: Final = frozenset({b"PUB", b"HPUB", b"MSG", b"HMSG"})


@dataclass(frozen=True, slots=True)
class Frame:
    """One message of a protocol, with what it is and what it is about."""

    data: bytes
    kind: str
    """NATS: the verb. PostgreSQL: the letter of the message."""
    about: str = ""
    """NATS: the subject, and behind a blank the reply subject. PostgreSQL: its text."""

    @property
    def subject(self) -> str:
        """The NATS subject."""
        return self.about.partition(" ")[0]

    @property
    def reply(self) -> str:
        """Where a NATS message wants its answer."""
        return self.about.partition(" ")[2]


class Cutter(Protocol):
    """Cuts one direction of one connection."""

    def feed(self, data: bytes) -> Iterator[Frame]:
        """The messages that are whole with this piece."""


class NatsCutter:
    """https://docs.nats.io/reference/reference-protocols/nats-protocol, either direction."""

    def __init__(self) -> None:
        self._left = b""

    def feed(self, data: bytes) -> Iterator[Frame]:
        """The messages that are whole with this piece."""
        self._left += data
        while (end := self._left.find(_LINE)) >= 0:
            words = self._left[:end].split()
            verb = words[0].upper() if words else b""
            length = end + len(_LINE)
            if verb in _WITH_BODY:
                length += int(words[-1]) + len(_LINE)
            if len(self._left) < length:
                return
            frame, self._left = self._left[:length], self._left[length:]
            yield Frame(frame, verb.decode(), _about(verb, words))


def _about(verb: bytes, words: list[bytes]) -> str:
    """PUB subject [reply] n, HPUB subject [reply] h n, MSG subject sid [reply] n, HMSG likewise."""
    sizes = 2 if verb.startswith(b"H") else 1
    named = words[1 : len(words) - sizes]
    if verb in (b"MSG", b"HMSG"):
        named = [*named[:1], *named[2:]]
    return b" ".join(named).decode() if verb in _WITH_BODY else ""


class PostgresCutter:
    """https://www.postgresql.org/docs/18/protocol-message-formats.html, one direction."""

    def __init__(self, *, from_client: bool) -> None:
        self._left = b""
        self._greeting = from_client

    def feed(self, data: bytes) -> Iterator[Frame]:
        """The messages that are whole with this piece; the first of a client has no letter."""
        self._left += data
        while True:
            letter = 0 if self._greeting else 1
            if len(self._left) < letter + 4:
                return
            length = letter + int.from_bytes(self._left[letter : letter + 4])
            if len(self._left) < length:
                return
            frame, self._left = self._left[:length], self._left[length:]
            self._greeting = False
            text = frame[letter + 4 :].replace(b"\0", b" ").decode(errors="replace").strip()
            yield Frame(frame, frame[:letter].decode(), text)
