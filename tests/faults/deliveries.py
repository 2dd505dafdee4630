"""Faults on the way between the log and a reaction: doubled, late, out of order, unanswered."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Iterable
from random import Random

from deploy.house import ROOMS
from deploy.provision import PROVISIONER
from deploy.streams import DEDUPE_SECONDS, streams
from eventlog.message import LOG
from tests.faults.fault import Fault
from tests.faults.frames import Frame
from tests.faults.stand import Stand
from tests.faults.wire import Link, Rule
from tests.journey.crew import connected

SECONDS = 2.5
"""How long such a fault lasts."""
WINDOW = 0.2
"""Seconds that the server remembers what was published, where a fault makes it forget."""
ACKS = "$JS.ACK."
FACTS = "log."


def is_delivery(frame: Frame, link: Link) -> bool:
    """Whether a room is given a fact that it must answer."""
    return link.owner in ROOMS and frame.reply.startswith(ACKS)


class OnTheWire(Fault):
    """A rule that holds for a while."""

    async def act(self, stand: Stand, dice: Random) -> None:
        assert stand.to_nats is not None
        with stand.to_nats.under(self.rule(dice)):
            await asyncio.sleep(SECONDS)

    def rule(self, dice: Random) -> Rule:
        """What happens to what passes."""
        raise NotImplementedError


class EveryDeliveryTwice(OnTheWire):
    """Each fact is delivered twice, one right behind the other."""

    number = "F12"

    def rule(self, dice: Random) -> Rule:
        def twice(frame: Frame, link: Link, up: bool) -> Iterable[Frame]:
            if up or not is_delivery(frame, link):
                return (frame,)
            self.effects["doubled"] += 1
            return (frame, frame)

        self.effects["doubled"] = 0
        return twice


class EveryPublishTwice(OnTheWire):
    """Each fact is published twice, byte for byte: the second must count for nothing."""

    number = "F12"

    def rule(self, dice: Random) -> Rule:
        def twice(frame: Frame, link: Link, up: bool) -> Iterable[Frame]:
            if not up or not _is_one_fact(frame):
                return (frame,)
            self.effects["published twice"] += 1
            return (frame, frame)

        self.effects["published twice"] = 0
        return twice


class PublishedAgainWhenForgotten(OnTheWire):
    """Each fact is published again when the server no longer remembers that it has it."""

    number = "F12"

    async def arrange(self, stand: Stand) -> None:
        await _remember(stand, WINDOW)

    async def heal(self, stand: Stand) -> None:
        await asyncio.sleep(2 * WINDOW)
        await _remember(stand, DEDUPE_SECONDS)

    def rule(self, dice: Random) -> Rule:
        def again(frame: Frame, link: Link, up: bool) -> Iterable[Frame]:
            if up and _is_one_fact(frame):
                self.effects["published when forgotten"] += 1
                asyncio.get_running_loop().call_later(2 * WINDOW, link.up, frame.data)
            return (frame,)

        self.effects["published when forgotten"] = 0
        return again


class OutOfOrder(OnTheWire):
    """One delivery in three is held back behind the next ones; an old one comes once more."""

    number = "F13"

    def rule(self, dice: Random) -> Rule:
        held: defaultdict[Link, list[Frame]] = defaultdict(list)
        seen: defaultdict[Link, list[Frame]] = defaultdict(list)

        def shuffle(frame: Frame, link: Link, up: bool) -> Iterable[Frame]:
            if up or not is_delivery(frame, link):
                return (frame,)
            seen[link].append(frame)
            if dice.random() < 1 / 3 and len(held[link]) < 5:
                held[link].append(frame)
                return ()
            late, held[link] = held[link], []
            dice.shuffle(late)
            self.effects["held back"] += len(late)
            old = [dice.choice(seen[link])] if dice.random() < 0.2 else []
            self.effects["come again"] += len(old)
            return (frame, *late, *old)

        self.effects.update({"held back": 0, "come again": 0})
        return shuffle


class AcknowledgementsLost(OnTheWire):
    """What a room has done and answered, it is given again: the answer never arrived."""

    number = "F14"

    def rule(self, dice: Random) -> Rule:
        lost: set[str] = set()

        def lose(frame: Frame, link: Link, up: bool) -> Iterable[Frame]:
            if up and link.owner in ROOMS and frame.subject.startswith(ACKS):
                if _acknowledged(frame.subject) not in lost and dice.random() < 0.5:
                    lost.add(_acknowledged(frame.subject))
                    self.effects["lost"] += 1
                    return ()
            elif not up and is_delivery(frame, link) and _acknowledged(frame.reply) in lost:
                self.effects["delivered again"] += 1
            return (frame,)

        self.effects.update({"lost": 0, "delivered again": 0})
        return lose

    async def act(self, stand: Stand, dice: Random) -> None:
        assert stand.to_nats is not None
        with stand.to_nats.under(self.rule(dice)):
            await self.until("delivered again", 3)


def _acknowledged(subject: str) -> str:
    """Which delivery of which durable: its stream, its name, and the sequence in the stream."""
    words = subject.removeprefix(ACKS).split(".")
    return ".".join((words[0], words[1], words[3]))


def _is_one_fact(frame: Frame) -> bool:
    """Whether a fact is published by itself, rather than in a batch."""
    return frame.subject.startswith(FACTS) and b"Nats-Batch-Id" not in frame.data


async def _remember(stand: Stand, seconds: float) -> None:
    """Let the server remember for so long what was published."""
    declared = next(stream for stream in streams() if stream.name == LOG)
    async with connected(stand.house.info, PROVISIONER) as nc:
        wanted = declared.evolve(duplicate_window=seconds)
        there = await nc.jetstream(timeout=5).update_stream(wanted)
        assert there.config.duplicate_window == seconds
