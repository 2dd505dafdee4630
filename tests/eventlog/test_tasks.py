"""A task that is to end does, also where a cancellation gets lost on the way."""

from __future__ import annotations

import asyncio

import pytest

from eventlog.tasks import end, stop


async def deaf(once: asyncio.Event) -> None:
    """Loses the first cancellation, as `asyncio.wait_for` of Python 3.11 may."""
    once.set()
    try:
        await asyncio.Event().wait()
    except asyncio.CancelledError:
        await asyncio.Event().wait()


async def broken() -> None:
    raise LookupError("the map is gone")


async def test_a_task_that_lost_a_cancellation_is_cancelled_again() -> None:
    begun = asyncio.Event()
    task = asyncio.create_task(deaf(begun))
    await begun.wait()
    await end(task)
    assert task.cancelled()


async def test_what_broke_a_task_is_told_when_it_is_stopped() -> None:
    task = asyncio.create_task(broken())
    await asyncio.wait([task])
    with pytest.raises(LookupError, match="the map is gone"):
        await stop(task)


async def test_what_broke_one_of_many_is_theirs() -> None:
    tasks = [asyncio.create_task(broken()), asyncio.create_task(asyncio.sleep(60))]
    await asyncio.sleep(0)
    await end(*tasks)
    assert isinstance(tasks[0].exception(), LookupError)
    assert tasks[1].cancelled()
