"""Killed at one exact moment: before a fact is stored, behind it, and behind its answer.

The wire sees the moment and kills the process; the process itself knows of no fault.
"""

from __future__ import annotations

import signal
from collections.abc import Iterable
from random import Random

from tests.faults.deliveries import ACKS, FACTS
from tests.faults.fault import Fault
from tests.faults.faults import come_back
from tests.faults.frames import Frame
from tests.faults.stand import TABLES, Stand
from tests.faults.wire import Link, Wire


class KilledAt(Fault):
    """A process of the house is killed (`kill -9`) as it is about to do, or to hear, something."""

    number = "F1"
    part = ""
    owner = ""
    """Whose connection shows the moment."""
    goes_on = False
    """Whether what showed the moment still arrives."""
    times = 2

    def wire(self, stand: Stand) -> Wire:
        """Where the moment shows."""
        assert stand.to_nats is not None
        return stand.to_nats

    def is_it(self, frame: Frame, up: bool) -> bool:
        """Whether this is the moment."""
        raise NotImplementedError

    async def act(self, stand: Stand, dice: Random) -> None:
        for _ in range(self.times):
            before = self.effects["killed"]
            with self.wire(stand).under(lambda frame, link, up: self._look(stand, frame, link, up)):
                await self.until("killed", before + 1)
            await come_back(stand.house, {self.part: self._pid})

    _pid = 0

    def _look(self, stand: Stand, frame: Frame, link: Link, up: bool) -> Iterable[Frame]:
        if link.owner != self.owner or not self.is_it(frame, up):
            return (frame,)
        pid = stand.house.pid(self.part)
        if pid is None or pid == self._pid:
            return (frame,)  # it is dead already
        self._pid = stand.house.signal(self.part, signal.SIGKILL)
        self.effects["killed"] += 1
        if self.goes_on:
            return (frame,)
        link.mute = True
        return ()


class RoomKilledBeforeItsFactIsStored(KilledAt):
    """Points is about to publish an award."""

    part = owner = "points"

    def is_it(self, frame: Frame, up: bool) -> bool:
        return up and frame.subject.startswith(f"{FACTS}account.")


class RoomKilledBeforeItHearsThatItsFactIsStored(KilledAt):
    """The award is in the log, and points is not told so."""

    part = owner = "points"

    def is_it(self, frame: Frame, up: bool) -> bool:
        return not up and b'"stream":"LOG"' in frame.data and b'"seq":' in frame.data


class RoomKilledBeforeItsAnswer(KilledAt):
    """All is done but the acknowledgement of the fact that it reacted to."""

    part = owner = "router"

    def is_it(self, frame: Frame, up: bool) -> bool:
        return up and frame.subject.startswith(f"{ACKS}LOG.router-")


class RoomKilledBehindItsAnswer(RoomKilledBeforeItsAnswer):
    """The acknowledgement was its last word."""

    goes_on = True


class ProjectorKilledBeforeItsCommit(KilledAt):
    """The rows are written, and the COMMIT never arrives."""

    part, owner = "projector", TABLES

    def wire(self, stand: Stand) -> Wire:
        assert stand.to_postgres is not None
        return stand.to_postgres

    def is_it(self, frame: Frame, up: bool) -> bool:
        return up and frame.kind == "Q" and frame.about.startswith("COMMIT")


class ProjectorKilledBehindItsCommit(ProjectorKilledBeforeItsCommit):
    """The rows are committed, and the projector is not told so."""

    def is_it(self, frame: Frame, up: bool) -> bool:
        return not up and frame.kind == "C" and frame.about.startswith("COMMIT")
