"""What is no fact, what is no command, and what was said before, said again."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from random import Random

import nats.errors
from nats.aio.client import Client

from contracts.envelope import Answer, Header, Outcome
from eventlog.message import NO_HASH
from tests.faults.deliveries import OnTheWire
from tests.faults.fault import Fault
from tests.faults.frames import Frame
from tests.faults.stand import Stand, on_its_own
from tests.faults.wire import Link, Rule
from tests.journey.crew import connected
from tests.journey.playing import BOOK

MUCH = 900_000
DEEP = 20_000


@dataclass(frozen=True)
class Poison:
    """Something that a room with a defect might write."""

    what: str
    room: str
    subject: str
    kind: str
    data: bytes
    version: str = "1"
    headers: bool = True

    def header(self) -> dict[str, str] | None:
        """Its headers, as a fact has them."""
        if not self.headers:
            return None
        return {
            Header.ID: f"poison-{self.what}",
            Header.TYPE: f"waggle.{self.kind}",
            Header.SOURCE: f"/waggle/{self.room}",
            Header.TIME: "2026-05-03T14:05:00+00:00",
            Header.VERSION: self.version,
            Header.COMMAND: f"poison-{self.what}",
            Header.ACTOR: self.room,
            Header.CORRELATION: f"poison-{self.what}",
            Header.PREVIOUS: NO_HASH,
            Header.HASH: "f" * 64,
        }


def poisons() -> Iterator[Poison]:
    """One of every kind."""
    accepted, closed, award = "report.ReportAccepted", "case.CaseClosed", "account.PointsAwarded"
    yield Poison("type", "intake", "log.report.p-type", "report.ReportDoubted", b"{}")
    yield Poison("version", "intake", "log.report.p-version", accepted, b"{}", version="99")
    yield Poison("number", "intake", "log.report.p-number", accepted, b"{}", version="two")
    yield Poison("shape", "router", "log.case.p-shape", closed, b'{"case_id":["p-shape"]}')
    yield Poison("bytes", "router", "log.case.p-bytes", closed, b"\xff\xfe\x00{}")
    yield Poison("deep", "points", "log.account.p-deep", award, b"[" * DEEP + b"]" * DEEP)
    yield Poison("nan", "points", "log.account.p-nan", award, b'{"rider_id":"p-nan","points":NaN}')
    yield Poison("much", "intake", "log.report.p-much", accepted, b'"' + b"x" * MUCH + b'"')
    yield Poison("bare", "router", "log.case.p-bare", closed, b"{}", headers=False)
    elsewhere = {
        "case_id": "another",
        "report_id": "another",
        "rider_id": "ann",
        "platform": "platform-kite",
        "outcome": "fixed",
        "closed_at": "2026-05-03T14:05:00+00:00",
    }
    data = json.dumps(elsewhere).encode()
    yield Poison("elsewhere", "router", "log.case.p-elsewhere", closed, data)


class PoisonInTheLog(Fault):
    """Each kind is parked with its reason by all who hear it; nobody's neighbour waits."""

    number = "F18"
    stand = staticmethod(on_its_own)

    async def act(self, stand: Stand, dice: Random) -> None:
        for poison in dice.sample(list(poisons()), len(list(poisons()))):
            async with connected(stand.house.info, poison.room) as nc:
                js = nc.jetstream(timeout=10)
                stored = await js.publish(
                    poison.subject, poison.data, stream="LOG", headers=poison.header()
                )
                self.planted.add(stored.seq)
                self.effects["planted"] += 1
        await self._forge(stand)

    async def _forge(self, stand: Stand) -> None:
        """Who writes another room's stream is not heard at all."""
        async with connected(stand.house.info, "intake") as nc:
            js = nc.jetstream(timeout=1)
            try:
                await js.publish("log.account.p-forged", b"{}", stream="LOG")
            except nats.errors.Error:
                self.effects["forged and refused"] = 1


class NonsenseAtTheDoor(Fault):
    """Commands that are none: refused with what is wrong, or not even heard."""

    number = "F18"
    stand = staticmethod(on_its_own)

    async def act(self, stand: Stand, dice: Random) -> None:
        platform = BOOK.platforms[0].code
        own = f"cmd.{platform}.intake.submit_report"
        nonsense = {
            "text": b"no json",
            "bytes": b"\xff\xfe\x00{}",
            "deep": b"[" * DEEP + b"]" * DEEP,
            "nan": b'{"report_id":"n","seen_at":NaN}',
            "shape": b'{"report_id":"n","rider_id":7,"seen_at":"yesterday"}',
            "unknown field": b'{"report_id":"n","rider_id":"r","points":1000}',
            "much": b'{"report_id":"' + b"x" * MUCH + b'"}',
            "id": b'{"report_id":"log.>","rider_id":"r","seen_at":"2026-05-03T14:05:00Z"}',
        }
        async with connected(stand.house.info, platform) as nc:
            for data in nonsense.values():
                answer = await _said(nc, own, data)
                assert answer is not None
                assert answer.outcome is Outcome.INVALID, answer
                assert answer.reasons
                self.effects["refused"] += 1
            others = f"cmd.{BOOK.platforms[-1].code}.intake.submit_report"
            for subject in (others, "log.report.forged", "$JS.API.STREAM.DELETE.LOG"):
                assert await _said(nc, subject, b"{}") is None
                self.effects["not heard"] += 1


class RequestsReplayed(OnTheWire):
    """What a party has sent is sent again by somebody who has listened: by its own connection,
    and by another's, where it is not heard.
    """

    number = "F19"

    def rule(self, dice: Random) -> Rule:
        def again(frame: Frame, link: Link, up: bool) -> Iterable[Frame]:
            if up and frame.subject.startswith(f"cmd.{link.owner}."):
                asyncio.get_running_loop().call_later(0.5, link.up, frame.data)
                self.effects["sent again"] += 1
                for other in self._strangers(link)[:1]:
                    other.up(frame.data)
            elif not up and frame.kind == "-ERR" and b"Permissions Violation" in frame.data:
                self.effects["not heard"] += 1
            elif not up and Header.KNOWN.encode() in frame.data:
                self.effects["known"] += 1
            self._links.add(link)
            return (frame,)

        self.effects.update({"sent again": 0, "not heard": 0, "known": 0})
        return again

    def __init__(self) -> None:
        super().__init__()
        self._links: set[Link] = set()

    def _strangers(self, link: Link) -> list[Link]:
        units = {unit.code for unit in BOOK.units}
        return [one for one in self._links if one.owner in units - {link.owner}]


async def _said(nc: Client, subject: str, data: bytes) -> Answer | None:
    """The answer, if anybody gives one."""
    try:
        reply = await nc.request(subject, data, timeout=1.5, headers={Header.ID: "nonsense"})
    except (nats.errors.Error, TimeoutError):
        return None
    return Answer.model_validate_json(reply.data)
