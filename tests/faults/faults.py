"""What befalls a house: processes killed without warning, or standing still for a while."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Awaitable, Callable, Mapping, Sequence
from random import Random
from time import monotonic

import asyncpg

from deploy import health
from deploy.processes import log_since
from tests.journey.house import SERVICES, House

BACK_WITHIN = 60.0
"""Seconds until a killed part must be back."""
POLL = 0.05

Fault = Callable[[House], Awaitable[None]]


async def killed(house: House, *parts: str) -> None:
    """Kill parts at the same moment, and wait until all are back as other processes."""
    await come_back(house, {part: house.signal(part, signal.SIGKILL) for part in parts})


async def come_back(house: House, before: Mapping[str, int]) -> None:
    """Wait until parts are back as other processes than they were before."""
    deadline = monotonic() + BACK_WITHIN
    for part, pid in before.items():
        while (now := house.pid(part)) in (None, pid) or not await _works(house, part):
            if monotonic() > deadline:
                raise AssertionError(f"{part} ({pid}, now {now}): {await _says(house, part)}")
            await asyncio.sleep(POLL)


async def paused(house: House, seconds: float, *parts: str) -> None:
    """Let parts stand still for so long: alive to the system, dead to the house."""
    pids = {part: house.signal(part, signal.SIGSTOP) for part in parts}
    try:
        await asyncio.sleep(seconds)
    finally:
        for part, pid in pids.items():
            assert house.signal(part, signal.SIGCONT) == pid, f"{part} did not survive its pause"


def one_after_the_other(
    faults: Sequence[Fault], dice: Random, *, rest: tuple[float, float]
) -> Fault:
    """The faults in an order that the dice choose, with a rest of random length before each."""

    async def all_of_them(house: House) -> None:
        for fault in dice.sample(faults, len(faults)):
            await asyncio.sleep(dice.uniform(*rest))
            await fault(house)

    return all_of_them


def kill(*parts: str) -> Fault:
    """The fault that kills these at the same moment."""
    return lambda house: killed(house, *parts)


def pause(seconds: float, *parts: str) -> Fault:
    """The fault that lets these stand still."""
    return lambda house: paused(house, seconds, *parts)


async def _says(house: House, part: str) -> str:
    """What a part that did not come back says of itself."""
    told = await health.get_json(f"{house.info.health[part]}/readyz") if part in SERVICES else None
    log = house.folder / "log" / f"{part}.log"
    return f"not back; it says {told}; the end of its log:\n{log_since(log, 0)}"


async def _works(house: House, part: str) -> bool:
    """Whether a part does its work again."""
    info = house.info
    match part:
        case "nats":
            return await health.is_healthy(f"{info.monitor_url}/healthz")
        case "postgres":
            return await _takes_connections(info.database_url)
        case _:
            return await health.is_healthy(f"{info.health[part]}/readyz")


async def _takes_connections(url: str) -> bool:
    try:
        connection = await asyncpg.connect(url, timeout=5)
    except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError):
        return False
    await connection.close()
    return True
