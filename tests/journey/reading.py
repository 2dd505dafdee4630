"""Reads all that can be known of a quiet house from outside."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from nats.js import JetStreamContext

from contracts.notice import Notice
from deploy.house import AUDITOR
from deploy.projections import PROJECTIONS
from deploy.provision import PROVISIONER
from eventlog.connect import connect_postgres
from eventlog.read import Stored, at
from eventlog.sealing import KeyStore, read_master_key, unseal
from tests.journey.crew import Crew
from tests.journey.driver import Chronicle
from tests.journey.evidence import Entry, Evidence

T = TypeVar("T")
AT_ONCE = 32


async def evidence(crew: Crew, chronicle: Chronicle) -> Evidence:
    """Log, outbox and what was parked, beside what was seen from outside."""
    parked = await _parked(crew)
    planted = chronicle.planted
    stored = await _stored(crew)
    return Evidence(
        history=tuple(chronicle.told()),
        log=tuple(await _opened(crew, [one for one in stored if one.sequence not in planted])),
        outbox=tuple(await _outbox(crew)),
        orders=tuple(chronicle.orders),
        posted=tuple(chronicle.posted),
        hooked=chronicle.hooked,
        poison=tuple(one for one in stored if one.sequence in planted),
        roots=tuple(chronicle.roots),
        parked=tuple(str(one) for one in parked if one.sequence not in planted),
        planted={n: tuple(one.by for one in parked if one.sequence == n) for n in planted},
    )


@dataclass(frozen=True)
class Parked:
    """What a room or a projection could not handle."""

    sequence: int
    by: str
    reason: str

    def __str__(self) -> str:
        return f"{self.by}: sequence {self.sequence}: {self.reason}"


async def _stored(crew: Crew) -> list[Stored]:
    """Every sequence by itself, by the leader: what is missing shows."""
    js = crew.clients[AUDITOR].jetstream(timeout=5)
    last = (await js.stream_info("LOG")).state.last_seq
    return [one for one in await _each(last, lambda n: at(js, n)) if one is not None]


async def _opened(crew: Crew, stored: Sequence[Stored]) -> list[Entry]:
    """What is stored, read, and what is personal opened."""
    facts = [one.fact() for one in stored]
    pool = await connect_postgres(crew.info.keys_url)
    try:
        keys = KeyStore(pool, read_master_key(crew.info.master_key_file))
        opened = await unseal(facts, keys)
    finally:
        await pool.close()
    return [Entry(*known) for known in zip(stored, facts, opened, strict=True)]


async def _outbox(crew: Crew) -> list[Notice]:
    js = crew.clients[AUDITOR].jetstream(timeout=5)
    last = (await js.stream_info("OUTBOX")).state.last_seq

    async def notice(sequence: int) -> Notice:
        return Notice.model_validate_json((await js.get_msg("OUTBOX", sequence)).data or b"")

    return await _each(last, notice)


async def _parked(crew: Crew) -> list[Parked]:
    """What the rooms have parked, and the projections."""
    js = crew.clients[PROVISIONER].jetstream(timeout=5)
    state = (await js.stream_info("PARK")).state
    found = [await _in_park(js, n) for n in range(max(1, state.first_seq), state.last_seq + 1)]
    pool = await connect_postgres(crew.info.database_url)
    try:
        for projection in PROJECTIONS:
            rows = await pool.fetch(f'SELECT sequence, reason FROM "{projection.name}".parked')  # noqa: S608
            found += [Parked(row["sequence"], projection.name, row["reason"]) for row in rows]
    finally:
        await pool.close()
    return found


async def _in_park(js: JetStreamContext, sequence: int) -> Parked:
    message = await js.get_msg("PARK", sequence)
    headers = message.headers or {}
    return Parked(
        int(headers["waggle-parked-sequence"]),
        str(message.subject),
        headers["waggle-parked-reason"],
    )


async def _each(last: int, read: Callable[[int], Awaitable[T]]) -> list[T]:
    turns = asyncio.Semaphore(AT_ONCE)

    async def one(sequence: int) -> T:
        async with turns:
            return await read(sequence)

    return list(await asyncio.gather(*map(one, range(1, last + 1))))
