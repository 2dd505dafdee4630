"""Every stream and every consumer, declared once. Pure: `deploy.provision` brings them about."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from nats.js.api import (
    AckPolicy,
    ConsumerConfig,
    DeliverPolicy,
    DiscardPolicy,
    RetentionPolicy,
    StorageType,
    StoreCompression,
    StreamConfig,
)

from deploy.retention import Days

GIB: Final = 1024**3
DAYS: Final = Days()
DAY: Final = 86_400.0
DEDUPE_SECONDS: Final = 600.0


def streams(
    *, replicas: int = 1, log_bytes: int = 64 * GIB, days: Days = DAYS
) -> tuple[StreamConfig, ...]:
    """The streams of the house.

    LOG is the truth, OUTBOX what was told: nothing in them is ever deleted, aged, rolled up or
    counted; `discard=new` with `max_bytes` turns a full disk into a clean refusal. The others can
    be derived from the log, or end when they were handled, or by their `days`.
    """
    return (
        _everlasting("LOG", "log.>", replicas, log_bytes),
        _everlasting("OUTBOX", "notice.outbox.>", replicas, 8 * GIB),
        _passing("WORK", "work.>", replicas, RetentionPolicy.WORK_QUEUE, days=days.orders),
        _passing("INBOX", "inbox.*", replicas, RetentionPolicy.WORK_QUEUE),
        _passing("ANSWER", "answer.*", replicas, RetentionPolicy.LIMITS, days=days.answers),
        # A day more than retention takes to overwrite what is in clear there.
        _passing("PARK", "parked.>", replicas, RetentionPolicy.LIMITS, days=days.parked + 1),
    )


def _everlasting(name: str, subject: str, replicas: int, most_bytes: int) -> StreamConfig:
    return StreamConfig(
        name=name,
        subjects=[subject],
        storage=StorageType.FILE,
        retention=RetentionPolicy.LIMITS,
        discard=DiscardPolicy.NEW,
        deny_delete=True,
        deny_purge=True,
        allow_direct=True,
        allow_atomic=True,
        # Not S2: a damaged bit in a compressed block makes the server delete the whole stream.
        compression=StoreCompression.NONE,
        duplicate_window=DEDUPE_SECONDS,
        max_bytes=most_bytes,
        num_replicas=replicas,
    )


def _passing(
    name: str, subject: str, replicas: int, retention: RetentionPolicy, *, days: float = 0
) -> StreamConfig:
    return StreamConfig(
        name=name,
        subjects=[subject],
        storage=StorageType.FILE,
        retention=retention,
        discard=DiscardPolicy.OLD if name == "ANSWER" else DiscardPolicy.NEW,
        max_age=days * DAY,
        allow_direct=True,
        duplicate_window=DEDUPE_SECONDS,
        max_bytes=8 * GIB,
        num_replicas=replicas,
    )


@dataclass(frozen=True, slots=True)
class Durable:
    """A durable consumer of a stream."""

    stream: str
    config: ConsumerConfig


ACK_WAIT: Final = 10.0
"""Seconds until an unanswered delivery is made again; deliveries are safe to receive twice."""
IN_FLIGHT: Final = 256
"""Unanswered deliveries at a time: the back-pressure of a reaction."""
POST_ACK_WAIT: Final = 120.0
POSTS_IN_FLIGHT: Final = 2_000
"""For webhooks: a post may take ten seconds, and all that wait for a later try count as in flight.
With 256 posts at a time the last of these is answered well before it would be delivered again."""


def reaction(
    room: str,
    name: str,
    stream: str,
    *subjects: str,
    ack_wait: float = ACK_WAIT,
    in_flight: int = IN_FLIGHT,
) -> Durable:
    """A push consumer that a room's processes share: `<room>-<name>`, on `deliver.<room>.<name>`.

    `max_deliver` is endless on purpose: the room itself parks what it cannot handle, with the
    reason, so a message never ends without a trace.
    """
    durable = f"{room}-{name}"
    return Durable(
        stream,
        ConsumerConfig(
            name=durable,
            durable_name=durable,
            deliver_subject=f"deliver.{room}.{name}",
            deliver_group=durable,
            deliver_policy=DeliverPolicy.ALL,
            ack_policy=AckPolicy.EXPLICIT,
            ack_wait=ack_wait,
            max_deliver=-1,
            max_ack_pending=in_flight,
            filter_subjects=list(subjects) if len(subjects) > 1 else None,
            filter_subject=subjects[0] if len(subjects) == 1 else None,
        ),
    )


REACTIONS: Final = (
    reaction("router", "on-report", "LOG", "log.report.>"),
    reaction("router", "work-orders", "LOG", "log.case.>"),
    reaction("router", "gathering", "LOG", "log.case.>"),
    reaction("points", "on-case", "LOG", "log.case.>"),
    reaction(
        "notify", "outbox", "LOG", "log.report.>", "log.case.>", "log.account.>", "log.reward.>"
    ),
    reaction(
        "notify",
        "webhook",
        "LOG",
        "log.report.>",
        "log.case.>",
        "log.account.>",
        "log.reward.>",
        ack_wait=POST_ACK_WAIT,
        in_flight=POSTS_IN_FLIGHT,
    ),
    reaction("intake", "inbox", "INBOX", "inbox.*"),
)
"""The reactions of the rooms, each its own durable."""


def work_queue(unit: str) -> Durable:
    """The pull consumer that a unit's workers share."""
    return Durable(
        "WORK",
        ConsumerConfig(
            name=unit,
            durable_name=unit,
            ack_policy=AckPolicy.EXPLICIT,
            ack_wait=60,
            max_deliver=-1,
            max_ack_pending=1000,
            filter_subject=f"work.{unit}",
        ),
    )


def answers(platform: str) -> Durable:
    """The pull consumer on which a platform reads the answers to what it dropped in its inbox."""
    return Durable(
        "ANSWER",
        ConsumerConfig(
            name=platform,
            durable_name=platform,
            ack_policy=AckPolicy.EXPLICIT,
            ack_wait=60,
            max_deliver=-1,
            max_ack_pending=1000,
            filter_subject=f"answer.{platform}",
        ),
    )


def durables(units: Iterable[str], platforms: Iterable[str]) -> tuple[Durable, ...]:
    """Every consumer of the house, for these units and platforms."""
    return (*REACTIONS, *map(work_queue, units), *map(answers, platforms))
