"""Every subscriber of every room is one that loses nothing, or the house does not stand."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, cast

import pytest
from faststream import AckPolicy
from faststream.nats import JStream, NatsBroker, PullSub
from faststream.nats.subscriber.usecases import CoreSubscriber, PushStreamSubscriber

from contracts.envelope import COMMANDS
from deploy.credentials import Credentials
from deploy.streams import REACTIONS, Durable
from eventlog.service import Service
from eventlog.settings import Settings
from eventlog.standing import Standing
from services.intake import app as intake
from services.notify import app as notify
from services.notify.channels import Outbox, Webhook
from services.points import app as points
from services.points.store import Secrets
from services.router import app as router
from tests.house.tree import ROOMS

OWN = (
    "ActivateLot",
    "AwardPoints",
    "DropReport",
    "ExpireLot",
    "ExpireRedemption",
    "GatherReport",
    "OpenCase",
    "RecordDelivery",
    "RecordParking",
    "RingClock",
)
"""Commands that a room gives to itself, because of a fact or of the hour; nobody sends them."""
LEASE: dict[str, Durable] = {str(d.config.durable_name): d for d in REACTIONS}


class Unconnected(Service):
    """A service that can be wired without any server."""

    def __init__(self, room: str, settings: Settings) -> None:
        super().__init__(room, settings)
        self.js = self.nc = self.appender = self.keys = cast(Any, None)

    async def standing(self, subjects: Any, initial: Any, evolve: Any, **_: Any) -> Standing[Any]:
        return Standing(subjects, initial, evolve)


@pytest.fixture(scope="module")
def seed_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    credentials = Credentials(tmp_path_factory.mktemp("guard"))
    credentials.nkey("anybody")
    return credentials.seed_file("anybody")


@pytest.fixture(scope="module")
def rooms(seed_file: Path) -> dict[str, Service]:
    """All four, wired."""
    services = {room: Unconnected(room, _settings(room, seed_file)) for room in ROOMS}

    async def wire() -> None:
        await intake.wire(services["intake"])
        await router.wire(services["router"], cast(Any, None))
        await points.wire(services["points"], Secrets.of(b"a secret"))
        await notify.wire(service := services["notify"], Outbox(service.appender), Webhook())

    asyncio.run(wire())
    return dict(services)


@pytest.mark.parametrize("room", ROOMS)
def test_no_subscriber_of_a_room_is_unsafe(rooms: dict[str, Service], room: str) -> None:
    subscribers = list(rooms[room].broker.subscribers)
    assert subscribers
    assert [what for one in subscribers for what in unsafe(one, room)] == []


def test_every_reaction_of_the_house_is_bound_by_one_subscriber(rooms: dict[str, Service]) -> None:
    bound = [
        subscriber.queue
        for service in rooms.values()
        for subscriber in service.broker.subscribers
        if isinstance(subscriber, PushStreamSubscriber)
    ]
    assert sorted(bound) == sorted(LEASE)


def test_every_command_is_heard_in_its_room(rooms: dict[str, Service]) -> None:
    heard = {
        subscriber.subject.broker_address
        for service in rooms.values()
        for subscriber in service.broker.subscribers
        if isinstance(subscriber, CoreSubscriber)
    }
    sent = {name: kind for name, kind in COMMANDS.items() if name not in OWN}
    assert heard == {f"cmd.*.{kind.room}.{kind.token}" for kind in sent.values()}


@pytest.mark.parametrize("room", ROOMS)
def test_the_broker_of_a_room_acknowledges_nothing_by_itself(
    rooms: dict[str, Service], room: str
) -> None:
    subscriber = rooms[room].broker.subscriber("log.case.>", stream=JStream("LOG", declare=False))
    assert subscriber.ack_policy is AckPolicy.MANUAL


STREAM = JStream("LOG", declare=False)
PLANTED: dict[str, Callable[[NatsBroker], Any]] = {
    "drops what breaks": lambda b: b.subscriber(
        "deliver.points.on-case",
        queue="points-on-case",
        stream=STREAM,
        ack_policy=AckPolicy.REJECT_ON_ERROR,
    ),
    "is answered before it is done": lambda b: b.subscriber(
        "deliver.points.on-case",
        queue="points-on-case",
        stream=STREAM,
        ack_policy=AckPolicy.ACK_FIRST,
    ),
    "changes the stream": lambda b: b.subscriber(
        "deliver.points.on-case", queue="points-on-case", stream=JStream("LOG")
    ),
    "runs many at a time": lambda b: b.subscriber(
        "deliver.points.on-case", queue="points-on-case", stream=STREAM, max_workers=8
    ),
    "is bound to nothing": lambda b: b.subscriber("log.case.>", stream=STREAM),
    "is of another room": lambda b: b.subscriber(
        "deliver.router.on-report", queue="router-on-report", stream=STREAM
    ),
    "is of another stream": lambda b: b.subscriber(
        "deliver.points.on-case", queue="points-on-case", stream=JStream("WORK", declare=False)
    ),
    "pulls in batches": lambda b: b.subscriber(
        "log.case.>", stream=STREAM, durable="points-on-case", pull_sub=PullSub(batch=True)
    ),
    "hears the log without its memory": lambda b: b.subscriber("log.case.>", no_reply=True),
    "is heard by every process": lambda b: b.subscriber("cmd.*.points.x", no_reply=True),
    "answers by itself": lambda b: b.subscriber("cmd.*.points.x", queue="points"),
    "runs many commands at a time": lambda b: b.subscriber(
        "cmd.*.points.x", queue="points", no_reply=True, max_workers=8
    ),
}


@pytest.mark.parametrize("plant", PLANTED.values(), ids=PLANTED.keys())
def test_the_guard_sees_a_subscriber_that(plant: Callable[[NatsBroker], Any]) -> None:
    broker = NatsBroker(logger=None, ack_policy=AckPolicy.MANUAL)
    assert list(unsafe(plant(broker), "points"))


def unsafe(subscriber: Any, room: str) -> Iterator[str]:
    """What is wrong with a subscriber of a room.

    Of no kind but these two is it known what they do when something breaks.
    """
    if type(subscriber) is CoreSubscriber:
        yield from _unsafe_command(subscriber, room)
    elif type(subscriber) is PushStreamSubscriber:
        yield from _unsafe_reaction(subscriber, room)
    else:
        yield f"{type(subscriber).__name__}: neither a plain request nor a bound push consumer"


def _unsafe_command(subscriber: CoreSubscriber, room: str) -> Iterator[str]:
    subject = subscriber.subject.broker_address
    if not subject.startswith(f"cmd.*.{room}."):
        yield f"{subject}: heard without a durable, what comes while we are away is lost"
    if subscriber.queue != room:
        yield f"{subject}: every process of the room would answer"
    if not subscriber._no_reply:
        yield f"{subject}: FastStream would answer before the fact is in the log"


def _unsafe_reaction(subscriber: PushStreamSubscriber, room: str) -> Iterator[str]:
    subject, durable = subscriber.subject.broker_address, LEASE.get(subscriber.queue)
    if subscriber.ack_policy is not AckPolicy.MANUAL:
        yield f"{subject}: acknowledged by {subscriber.ack_policy}, not when it is done"
    if not subscriber.extra_options["manual_ack"]:
        yield f"{subject}: acknowledged by the client as soon as it is there"
    if subscriber.stream.declare:
        yield f"{subject}: would reset the settings of stream {subscriber.stream.name}"
    if durable is None or not subscriber.queue.startswith(f"{room}-"):
        yield f"{subject}: '{subscriber.queue}' is no durable of {room}: one would be created"
        return
    config = durable.config
    bound = (durable.stream, config.deliver_subject, config.deliver_group)
    if bound != (subscriber.stream.name, subject, subscriber.queue):
        yield f"{subject}: not where the durable {subscriber.queue} delivers: {bound}"


def _settings(room: str, seed_file: Path) -> Settings:
    return Settings(
        nats_url="nats://127.0.0.1:1",
        nkey_seed_file=seed_file,
        identity=room,
        database_url="",
        keys_url="",
        master_key_file=seed_file,
    )
