"""An entry of the log as text: one line that is at once its export and its leaf. Pure.

    {"sequence":1,"recorded_at":"2026-05-03T06:05:00.000000001Z","subject":"log.case.c1",
     "headers":[["ce-id","case.c1.k.0"],...],"body":"{...}"}          (on one line, no spaces)

The leaf of an entry is the bytes of this line, without its line feed. So a file of such lines
needs no interpretation to be verified: hash the lines, in order. The line holds everything that
the server keeps of a message: its sequence, the time of recording in nanoseconds, the subject, the
headers in stored order with repeated names, the body byte by byte. Only what tells the server how
to store it stands in no line (`Nats-Expected-...`, `Nats-Batch-...`): a mirror does not keep it.

Members stand in this order, with no space between tokens; strings are escaped as RFC 8785 says. A
body that is not UTF-8 is `body_base64` instead; a header block that is not written as the usual
`Name: value` lines is `headers_base64`, the block as it is. So two messages that differ in any
other stored byte never give the same line.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from json.encoder import encode_basestring as quoted
from typing import Any, Final

NO_HEADERS: Final = b""
"""The header block of a message that was published without any."""

_NANOS: Final = 1_000_000_000
_TIME: Final = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)\.(\d{9})Z")
_FIRST: Final = b"NATS/1.0\r\n"
_LAST: Final = b"\r\n\r\n"
_SHORTEST: Final = len(_FIRST + _LAST)
_CRLF: Final = "\r\n"
_FOR_THE_SERVER: Final = re.compile(
    rb"(?<=\n)(?:Nats-Expected-|Nats-Batch-(?:Id|Sequence|Commit):).*?\r\n", re.DOTALL
)
_NOT_KEPT: Final = (
    "Nats-Expected-",
    "Nats-Batch-Id:",
    "Nats-Batch-Sequence:",
    "Nats-Batch-Commit:",
)
_MEMBERS: Final = ("sequence", "recorded_at", "subject", "headers", "body")


class Malformed(Exception):
    """A text is not what it should be: what is wrong with it."""


@dataclass(frozen=True, slots=True)
class LogEntry:
    """A message of the log, with all that its leaf covers."""

    sequence: int
    recorded_nanos: int
    """Nanoseconds since 1970, by the server's clock."""
    subject: str
    header_block: bytes
    """As `kept`: `NATS/1.0`, the lines and the empty one; `NO_HEADERS` without any."""
    body: bytes

    @property
    def headers(self) -> list[tuple[str, str]]:
        """Names and values in stored order; of a block that is no text, nothing."""
        return _pairs(self.header_block) or []

    @property
    def recorded_at(self) -> str:
        """RFC 3339 in UTC, with all nine digits."""
        return rfc3339(self.recorded_nanos)


def line_of(entry: LogEntry) -> bytes:
    """The canonical line of an entry, without the line feed: what is exported, and the leaf."""
    return leaf(entry.sequence, entry.recorded_nanos, entry.subject, entry.header_block, entry.body)


def leaf(
    sequence: int, recorded_nanos: int, subject: str, header_block: bytes, body: bytes
) -> bytes:
    """As `line_of`, for whoever has the parts at hand and many of them."""
    try:
        content = f'"body":{quoted(body.decode())}'
    except UnicodeDecodeError:
        content = f'"body_base64":"{base64.b64encode(body).decode()}"'
    return (
        f'{{"sequence":{sequence},"recorded_at":"{rfc3339(recorded_nanos)}",'
        f'"subject":{quoted(subject)},{_headers(header_block)},{content}}}'
    ).encode()


def entry_of(line: bytes) -> LogEntry:
    """Read a line. Raises `Malformed` for one that is not exactly what `line_of` writes."""
    try:
        document = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise Malformed(f"not JSON: {error}") from error
    try:
        entry = _from_document(document)
        again = line_of(entry)
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
        raise Malformed(f"not an entry: {type(error).__name__}: {error}") from error
    if again != line:
        raise Malformed("not written in the canonical way; a tool may have changed the spacing")
    return entry


def kept(block: bytes) -> bytes:
    """What every copy of the log holds of a stored header block."""
    if b"\nNats-Expected-" in block or b"\nNats-Batch-" in block:
        block = _FOR_THE_SERVER.sub(b"", block)
    return block if len(block) > _SHORTEST else NO_HEADERS


def begins(sequence: int) -> bytes:
    """How the line of this sequence begins."""
    return b'{"sequence":%d,' % sequence


def rfc3339(nanos: int) -> str:
    """A moment in UTC with nine digits."""
    seconds, rest = divmod(nanos, _NANOS)
    return f"{_second(seconds)}.{rest:09d}Z"


def nanos_of(moment: str) -> int:
    """Nanoseconds since 1970 of what `rfc3339` writes. Raises `Malformed`."""
    if not (found := _TIME.fullmatch(moment)):
        raise Malformed(f"not a moment in UTC with nine digits: {moment!r}")
    second = datetime.fromisoformat(f"{found[1]}+00:00")
    return int(second.timestamp()) * _NANOS + int(found[2])


def header_block(pairs: Iterable[Sequence[str]]) -> bytes:
    """The block that these names and values are stored as; `NO_HEADERS` for none."""
    lines = "".join(f"{name}: {value}\r\n" for name, value in pairs)
    return _FIRST + lines.encode() + b"\r\n" if lines else NO_HEADERS


def _headers(block: bytes) -> str:
    if shown := _plain_headers(block):
        return shown
    if (pairs := _pairs(block := kept(block))) is None:
        return f'"headers_base64":"{base64.b64encode(block).decode()}"'
    shown = ",".join([f"[{quoted(name)},{quoted(value)}]" for name, value in pairs])
    return f'"headers":[{shown}]'


def _plain_headers(block: bytes) -> str | None:
    """What `_headers` gives, where nothing in the block needs escaping: nearly always, and fast."""
    if not (block.startswith(_FIRST) and block.endswith(_LAST)):
        return None
    try:
        text = block[len(_FIRST) : -len(_LAST)].decode()
    except UnicodeDecodeError:
        return None
    lines = text.split(_CRLF)
    # An escape makes a text longer, and each end of a line by two.
    if len(quoted(text)) - 2 != len(text) + 2 * (len(lines) - 1):
        return None
    lines = [line for line in lines if not line.startswith(_NOT_KEPT)]
    shown = '"],["'.join([line.replace(": ", '","', 1) for line in lines])
    return f'"headers":[["{shown}"]]' if lines and shown.count('","') == len(lines) else None


def _pairs(block: bytes) -> list[tuple[str, str]] | None:
    """Names and values; None where they would not give the same block again."""
    if not block:
        return []
    try:
        lines = block.decode().split(_CRLF)
    except UnicodeDecodeError:
        return None
    if lines[0] != "NATS/1.0" or lines[-2:] != ["", ""] or len(lines) == 3:
        return None
    pairs = []
    for line in lines[1:-2]:
        name, colon, value = line.partition(": ")
        if not colon:
            return None
        pairs.append((name, value))
    return pairs


@lru_cache(maxsize=4096)
def _second(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")


def _from_document(document: dict[str, Any]) -> LogEntry:
    if unknown := set(document) - {*_MEMBERS, "body_base64", "headers_base64"}:
        raise Malformed(f"unknown members {sorted(unknown)}")
    if "body_base64" in document:
        body = _bytes(document["body_base64"])
    else:
        body = document["body"].encode()
    if "headers_base64" in document:
        block = _bytes(document["headers_base64"])
    else:
        block = header_block(document["headers"])
    return LogEntry(
        document["sequence"], nanos_of(document["recorded_at"]), document["subject"], block, body
    )


def _bytes(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise Malformed(f"not base64: {error}") from error
