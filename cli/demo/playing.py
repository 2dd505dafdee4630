"""Plays the scenes: every act is a command, sent by the party that acts, with its own credentials.

Scenes run side by side as far as the story allows: those of one report one after the other, and
never more than a few dozen at a time, so that the whole day moves on together.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from nats.aio.client import Client

from cli.demo.desks import Desk
from cli.demo.scenes import Played, Scene
from cli.demo.witness import Witness
from cli.running import Failure
from cli.story.story import Step, Story
from contracts.case import AcceptWork, CaseFile, ReadCase, VerifyWork
from contracts.envelope import Answer, Outcome
from contracts.party import PartyKind, RegisterParty
from eventlog.asking import NoAnswer, ask, ask_for

AT_ONCE: Final = 64
"""Scenes under way at a time."""


@dataclass(frozen=True, slots=True)
class Cast:
    """Everybody who acts, each with a connection of their own."""

    platforms: Mapping[str, Client]
    desks: Mapping[str, Desk]
    witness: Witness


Tell = Callable[[Played], None]


async def introduce(story: Story, cast: Cast, hooked: str, url: str, secret: str) -> int:
    """Make the riders known, each by their platform, and one platform's address for notices.

    Gives the sequence of the last registration in the log.
    """
    introductions: list[tuple[str, RegisterParty]] = [
        (
            hooked,
            RegisterParty(
                party_id=hooked, kind=PartyKind.PLATFORM, webhook=url, webhook_secret=secret
            ),
        )
    ]
    for rider in story.riders:
        known = RegisterParty(
            party_id=rider.id,
            kind=PartyKind.RIDER,
            language=rider.language,
            platform=rider.platform,
            name=rider.name,
        )
        introductions.append((rider.platform, known))
    answers = await asyncio.gather(
        *(_insist(cast.platforms[actor], actor, known) for actor, known in introductions)
    )
    return max(answer.sequence or 0 for answer in answers)


async def _insist(nc: Client, actor: str, command: RegisterParty) -> Answer:
    answer, _ = await ask(nc, actor, command, f"demo-register-{command.party_id}")
    if answer.outcome is not Outcome.ACCEPTED:
        raise Failure(f"registering {command.party_id}: {_in_short(answer)}")
    return answer


async def play(scenes: Sequence[Scene], cast: Cast, tell: Tell, pace: float | None) -> list[Played]:
    """Play the day and tell every scene in the order of the story's clock.

    `pace` is minutes of the story in a second of ours; None is as fast as the house can.
    """
    turns = asyncio.Semaphore(AT_ONCE)
    begun: asyncio.Queue[asyncio.Task[Played] | None] = asyncio.Queue()
    played: list[Played] = []

    async def told_in_order() -> None:
        while (task := await begun.get()) is not None:
            played.append(await task)
            tell(played[-1])

    async with asyncio.TaskGroup() as group:
        group.create_task(told_in_order())
        last: dict[str, asyncio.Task[Played]] = {}
        started = asyncio.get_running_loop().time()
        for scene in scenes:
            if pace:
                minutes = (scene.at - scenes[0].at).total_seconds() / 60
                await _sleep_until(started + minutes / pace)
            await turns.acquire()
            report_id = scene.report.report_id
            task = group.create_task(_perform(scene, last.get(report_id), cast))
            task.add_done_callback(lambda _: turns.release())
            last[report_id] = task
            begun.put_nowait(task)
        begun.put_nowait(None)
    return played


async def _sleep_until(moment: float) -> None:
    await asyncio.sleep(max(0.0, moment - asyncio.get_running_loop().time()))


async def _perform(scene: Scene, before: asyncio.Task[Played] | None, cast: Cast) -> Played:
    if before is not None and (await before).trouble:
        return Played(scene, trouble="what had to come first did not happen")
    if scene.step is None:
        return await _report(scene, cast)
    return await _act(scene, scene.step, cast)


async def _report(scene: Scene, cast: Cast) -> Played:
    """The rider reports; where the phone has lost the answer, the same goes out once more."""
    report, platform = scene.report.submit, scene.report.rider.platform
    nc = cast.platforms[platform]
    tries = (ask(nc, platform, report, scene.command_id) for _ in range(1 + scene.twice))
    answers = await asyncio.gather(*tries)
    first, *again = sorted(answers, key=lambda answered: answered[1])
    repeated = next((answer for answer, known in again if known), None)
    return Played(scene, first[0], repeated=repeated)


async def _act(scene: Scene, step: Step, cast: Cast) -> Played:
    """A unit acts: on its order, where it has one, which then leaves its queue."""
    desk = cast.desks[step.by]
    try:
        order = await desk.order(scene.report.report_id) if scene.on_order else None
    except TimeoutError:
        return Played(scene, trouble=f"no order about it came to {step.by}")
    answer, _ = await ask(desk.nc, step.by, step.command, scene.command_id)
    if answer.outcome is not Outcome.ACCEPTED:
        return Played(scene, answer, trouble=_in_short(answer), order=order)
    if order:
        await desk.finish(order)
    file, award = None, None
    match step.command:
        case AcceptWork(case_id=case_id):
            file = await _read(desk, case_id)
        case VerifyWork(case_id=case_id, passed=True):
            award = await cast.witness.award(case_id)
    return Played(scene, answer, order=order, file=file, award=award)


async def _read(desk: Desk, case_id: str) -> CaseFile | None:
    """What the rider wrote: sealed in the log, opened for the unit that holds the case."""
    try:
        reply = await ask_for(desk.nc, desk.unit, ReadCase(case_id=case_id), CaseFile)
    except NoAnswer:
        return None
    return reply if isinstance(reply, CaseFile) else None


def _in_short(answer: Answer) -> str:
    reasons = "; ".join(f"{r.code}: {r.detail}" if r.detail else r.code for r in answer.reasons)
    return f"{answer.outcome}: {reasons}" if reasons else str(answer.outcome)
