"""Was it us? Reading what the log really holds after an answer that leaves it open.

After a refusal the last message of a subject is not enough: somebody may have written after us.
So the leader is asked for each fact after the expected place, until one carries our command id.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from nats.aio.client import Client
from nats.js import JetStreamContext
from nats.js.api import RawStreamMsg
from nats.js.errors import NotFoundError

from contracts.envelope import Header
from eventlog.message import LOG

_MOST_SUBJECTS: Final = 1000
"""How many subjects the server looks up in one request (its own limit is 1024)."""


@dataclass(frozen=True, slots=True)
class Stored:
    """The facts of one command as the log holds them, in order."""

    sequences: tuple[int, ...]
    hashes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Strangers:
    """No fact of the command is there: where each subject that moved on ends now."""

    actual: Mapping[str, int]


class NotOurs(Exception):
    """The server calls a message a duplicate of one that is not from this command."""


class Resolver:
    """Reads by the leader, for doubts. Raises what nats-py raises when there is no answer."""

    def __init__(self, nc: Client, timeout: float, stream: str = LOG) -> None:
        self._stream = stream
        self._nc = nc
        self._js: JetStreamContext = nc.jetstream(timeout=timeout)
        self._timeout = timeout

    async def find(self, command_id: str, expected: Mapping[str, int]) -> Stored | Strangers:
        """The facts of `command_id` on any of the subjects, after the places expected there."""
        actual: dict[str, int] = {}
        for subject, after in expected.items():
            at = after
            while (found := await self._next(subject, at)) is not None:
                message, at = found
                if (message.headers or {}).get(Header.COMMAND) == command_id:
                    return await self._decision(command_id, message, at)
                actual[subject] = at
        return Strangers(actual)

    async def at(self, command_id: str, subject: str, sequence: int) -> Stored:
        """The facts of `command_id`, one of which the server says is at `sequence`.

        Raises `NotOurs` when it is another's.
        """
        message = await self._get(sequence)
        if message is None:
            raise NotOurs(f"there is no sequence {sequence}, where {command_id} should be")
        owner = (message.headers or {}).get(Header.COMMAND)
        if owner != command_id or message.subject != subject:
            there = f"{message.subject} by {owner}"
            raise NotOurs(f"sequence {sequence} is {there}, not {subject} by {command_id}")
        return await self._decision(command_id, message, sequence)

    async def _decision(self, command_id: str, message: RawStreamMsg, sequence: int) -> Stored:
        """All facts of the decision that `message` belongs to: they lie side by side."""
        first = sequence - _index(message)
        sequences: list[int] = []
        hashes: list[str] = []
        one: RawStreamMsg | None
        while True:
            place = first + len(sequences)
            one = message if place == sequence else await self._get(place)
            if one is None or not _belongs(one, command_id, len(sequences)):
                break
            sequences.append(place)
            hashes.append((one.headers or {}).get(Header.HASH, ""))
        if not sequences:
            raise NotOurs(f"the decision at sequence {sequence} by {command_id} has no beginning")
        return Stored(tuple(sequences), tuple(hashes))

    async def _next(self, subject: str, after: int) -> tuple[RawStreamMsg, int] | None:
        try:
            message = await self._js.get_msg(
                self._stream, seq=after + 1, subject=subject, next=True
            )
        except NotFoundError:
            return None
        return message, int(message.seq or 0)

    async def _get(self, sequence: int) -> RawStreamMsg | None:
        try:
            return await self._js.get_msg(self._stream, seq=sequence)
        except NotFoundError:
            return None

    async def last(self, subjects: Sequence[str]) -> dict[str, int]:
        """The last sequence of each subject that has one, in one request.

        A direct read: right on one node, perhaps behind on a replicated stream. Good enough to
        tell suspects from bystanders, not to decide.
        """
        inbox = await self._nc.subscribe(self._nc.new_inbox())
        ends: dict[str, int] = {}
        try:
            for start in range(0, len(subjects), _MOST_SUBJECTS):
                asked = json.dumps({"multi_last": list(subjects[start : start + _MOST_SUBJECTS])})
                await self._nc.publish(
                    f"$JS.API.DIRECT.GET.{self._stream}", asked.encode(), reply=inbox.subject
                )
                while True:
                    headers = (await inbox.next_msg(self._timeout)).headers or {}
                    if "Nats-Subject" not in headers:
                        break
                    ends[headers["Nats-Subject"]] = int(headers["Nats-Sequence"])
        finally:
            if not self._nc.is_closed:
                await inbox.unsubscribe()
        return ends


def _index(message: RawStreamMsg) -> int:
    """Which fact of its decision a message is: the end of its fact id."""
    return int((message.headers or {}).get(Header.ID, "").rpartition(".")[2])


def _belongs(message: RawStreamMsg, command_id: str, index: int) -> bool:
    owner = (message.headers or {}).get(Header.COMMAND)
    return owner == command_id and _index(message) == index
