"""Rows that follow from notify's facts: one for each notice and channel. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from contracts.envelope import Recorded
from contracts.notice import NoticeDelivered, NoticeParked
from eventlog.projection import Projection, Table


@dataclass(frozen=True, slots=True)
class NoticeRow:
    """Who was told what on a channel, or could not be."""

    notice_id: str
    channel: str
    receiver: str
    kind: str
    language: str
    report_id: str
    state: str
    """`delivered` or `parked`."""
    attempts: int
    reason: str | None
    """Why it was parked."""
    happened_at: datetime
    sequence: int


def notice(row: NoticeRow | None, fact: Recorded) -> NoticeRow | None:
    """The last fact counts: what was parked can still be delivered."""
    match fact.body:
        case NoticeDelivered() | NoticeParked() as told:
            return NoticeRow(
                notice_id=told.notice_id,
                channel=told.channel,
                receiver=told.receiver,
                kind=told.kind,
                language=told.language,
                report_id=told.report_id,
                state="parked" if isinstance(told, NoticeParked) else "delivered",
                attempts=told.attempts,
                reason=told.reason if isinstance(told, NoticeParked) else None,
                happened_at=fact.happened_at,
                sequence=fact.sequence,
            )
        case _:
            return row


def _keys(fact: Recorded) -> Iterator[tuple[str, str]]:
    match fact.body:
        case NoticeDelivered() | NoticeParked() as told:
            yield (told.notice_id, told.channel)


NOTIFY: Final = Projection(
    name="notify",
    version=1,
    subjects=("log.notice.>",),
    tables=(
        Table(
            name="notice",
            row=NoticeRow,
            key=("notice_id", "channel"),
            keys=_keys,
            fold=notice,
            stream="notice",
            indexes=("receiver", "report_id"),
        ),
    ),
)
"""What notify shows: projection `notify`, table `notice`."""
