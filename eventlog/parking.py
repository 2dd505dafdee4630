"""Facts that a projection could not take in: kept with the reason, their stream id waiting.

A stream id with a parked fact is blocked: its later facts are parked behind it, so nothing is
ever folded out of order. All others go on.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import structlog
from nats.js import JetStreamContext

from eventlog.read import Entry, at
from eventlog.tables import Connection

log = structlog.get_logger()

PARK: Final = "PARK"


@dataclass(frozen=True, slots=True)
class Parked:
    """One fact that waits."""

    sequence: int
    subject: str
    reason: str

    @classmethod
    def because(cls, sequence: int, subject: str, reason: str) -> Parked:
        """With the reason in a form that can be stored whatever it quotes."""
        return cls(
            sequence, subject, reason.encode("utf-8", "replace").decode().replace("\0", "\ufffd")
        )


class Waiting:
    """Who waits while a batch is folded: the stream ids of `before`, and those that join them."""

    def __init__(self, before: dict[str, int]) -> None:
        self.parked: list[Parked] = []
        """What was put aside in this batch."""
        self._since = dict(before)

    def park(self, entry: Entry, reason: str) -> None:
        """Put an entry aside: whatever follows on its subject waits behind it."""
        self.parked.append(Parked.because(entry.sequence, entry.subject, reason))
        since = self._since.get(entry.subject, entry.sequence)
        self._since[entry.subject] = min(since, entry.sequence)

    def parks(self, entry: Entry) -> bool:
        """Whether the entry has to wait; if so it is put aside."""
        since = self._since.get(entry.subject, entry.sequence)
        if since < entry.sequence:
            self.park(entry, f"waits behind sequence {since}")
        return since < entry.sequence


async def blocked(connection: Connection, schema: str) -> dict[str, int]:
    """The subjects that wait, each with the sequence it waits at."""
    rows = await connection.fetch(
        f'SELECT subject, min(sequence) FROM "{schema}".parked GROUP BY subject'
    )
    return dict(map(tuple, rows))


async def park(connection: Connection, schema: str, parked: Iterable[Parked]) -> None:
    """Keep them, in the transaction that moves the checkpoint past them."""
    await connection.executemany(
        f'INSERT INTO "{schema}".parked (sequence, subject, reason) VALUES ($1, $2, $3)',
        [(one.sequence, one.subject, one.reason) for one in parked],
    )


async def sequences(connection: Connection, schema: str, subject: str) -> list[int]:
    """The sequences parked of one subject, in order."""
    rows = await connection.fetch(
        f'SELECT sequence FROM "{schema}".parked WHERE subject = $1 ORDER BY sequence', subject
    )
    return [row[0] for row in rows]


async def release(connection: Connection, schema: str, subject: str) -> None:
    """The subject waits no longer."""
    await connection.execute(f'DELETE FROM "{schema}".parked WHERE subject = $1', subject)


async def announce(
    js: JetStreamContext, connection: Connection, schema: str, projection: str
) -> None:
    """Publish what was parked and not yet told, so that all that waits is found in one place.

    The table is what counts; a crash in between publishes again, which the stream notices.
    """
    rows = await connection.fetch(
        f'SELECT sequence, subject, reason FROM "{schema}".parked '
        "WHERE NOT announced ORDER BY sequence"
    )
    for sequence, subject, reason in rows:
        log.error(
            "parked", projection=projection, subject=subject, sequence=sequence, reason=reason
        )
        stored = await at(js, sequence)
        kept = stored.headers if stored else {}
        headers = {
            **{name: value for name, value in kept.items() if not name.lower().startswith("nats-")},
            "Nats-Msg-Id": f"{projection}:{sequence}",
            "waggle-parked-sequence": str(sequence),
            "waggle-parked-subject": subject,
            "waggle-parked-reason": " ".join(reason.split())[:1000],
        }
        data = stored.data if stored else b""
        await js.publish(f"parked.{projection}", data, stream=PARK, headers=headers)
        await connection.execute(
            f'UPDATE "{schema}".parked SET announced = true WHERE sequence = $1', sequence
        )
