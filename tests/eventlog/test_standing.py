"""A state kept current in memory: it follows the log whatever breaks in between."""

from __future__ import annotations

import asyncio

import pytest
from nats.js import JetStreamContext

from contracts.envelope import Recorded
from eventlog import standing
from eventlog.standing import Standing
from tests.eventlog.site import PATIENCE, Site, opened

SUBJECTS = ("log.case.>",)


def counted(cases: int, _: Recorded) -> int:
    return cases + 1


async def until(state: Standing[int], value: int) -> None:
    async with asyncio.timeout(PATIENCE):
        while state.value != value:
            await asyncio.sleep(0.01)


async def test_it_knows_what_was_there_and_hears_what_is_added(
    log_site: Site, js: JetStreamContext
) -> None:
    await log_site.publish(opened("c1"), opened("c2"))
    state = Standing(SUBJECTS, 0, counted)
    await state.start(js)
    assert state.value == 2
    await log_site.publish(opened("c3"))
    await until(state, 3)
    await state.stop()


async def test_it_goes_on_after_the_death_of_the_server(
    log_site: Site, js: JetStreamContext
) -> None:
    state = Standing(SUBJECTS, 0, counted)
    await state.start(js)
    await log_site.server.kill()
    await log_site.server.start()
    await log_site.publish(opened("c1"))
    await until(state, 1)
    await state.stop()


async def test_what_breaks_it_is_tried_again(
    log_site: Site, js: JetStreamContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(standing, "PAUSE", 0.01)
    tries = 0

    def at_last(cases: int, fact: Recorded) -> int:
        nonlocal tries
        tries += 1
        if tries < 3:
            raise RuntimeError("not yet")
        return cases + 1

    state = Standing(SUBJECTS, 0, at_last)
    await state.start(js)
    await log_site.publish(opened("c1"))
    await until(state, 1)
    await state.stop()
    assert tries == 3
