"""A storm of redemptions while points, the log's server and the tables' server are killed."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass, field
from random import Random
from typing import Any

import pytest
import uvloop

from cli.ids import new_id
from cli.session import open_session
from contracts import reward as r
from contracts.account import AdjustmentReason, DecideAdjustment, ProposeAdjustment
from contracts.envelope import Command, Outcome, Recorded, Words
from contracts.party import PartyKind, RegisterParty
from contracts.reward import TakeStep, Ticket
from deploy.house import OFFICERS
from eventlog.asking import ask_as
from eventlog.connect import connect_nats
from eventlog.read import read_log
from tests.cli.waggle import Waggle
from tests.faults.faults import kill, one_after_the_other
from tests.journey.house import House, running
from tests.points.store import World, given

KITE, (OFFICER, SECOND) = "platform-kite", OFFICERS
RIDERS = [f"storm-rider-{n:02}" for n in range(12)]
ITEMS = [f"item-storm-{n}" for n in range(4)]
POINTS, PRICE, STOCK = 120, 4, 25
PATIENCE = 90.0

pytestmark = [pytest.mark.faults, pytest.mark.timeout(400)]


@dataclass
class Storm:
    """Parties that ask until they have a definite answer, and what they were told."""

    clients: dict[str, Any]
    told: dict[str, list[Outcome]] = field(default_factory=dict)

    async def ask(self, party: str, command: Command) -> Ticket:
        """The definite answer, asked for twice at once under one id.

        What is refused is not kept: a piece may come back between the two, and then the second is
        accepted. Never are both accepted and say different things.
        """
        command_id = new_id()
        (first, _), (second, _) = await asyncio.gather(
            *(
                ask_as(self.clients[party], party, command, command_id, Ticket, patience=PATIENCE)
                for _ in range(2)
            )
        )
        answers = (first, second)
        assert all(one.outcome in (Outcome.ACCEPTED, Outcome.REFUSED) for one in answers), answers
        accepted = [one for one in answers if one.outcome is Outcome.ACCEPTED]
        assert len({one.sequence for one in accepted}) <= 1, answers
        answer = accepted[0] if accepted else first
        self.told.setdefault(type(command).__name__, []).append(answer.outcome)
        return answer

    async def insist(self, party: str, command: Command) -> Ticket:
        answer = await self.ask(party, command)
        assert answer.outcome is Outcome.ACCEPTED, (command, answer)
        return answer


async def prepared(house: House) -> Storm:
    """Everybody connected, riders with points that two officers gave, and a stocked shelf."""
    clients = {}
    for party in (KITE, OFFICER, SECOND):
        seed = str(house.info.credentials.seed_file(party))
        clients[party] = await connect_nats(house.info.nats_url, identity=party, seed_file=seed)
    storm = Storm(clients)
    terms = r.Terms(name=Words(zh="雨披", en="cape"), kind=r.RewardKind.GOODS, price=PRICE)
    for item in ITEMS:
        await storm.insist(OFFICER, r.OfferItem(reward_id=item, terms=terms, stock=STOCK))
    for rider in RIDERS:
        known = RegisterParty(party_id=rider, kind=PartyKind.RIDER, platform=KITE)
        await storm.insist(KITE, known)
        said = {"rider_id": rider, "adjustment_id": f"start-{rider}"}
        await storm.insist(
            OFFICER,
            ProposeAdjustment(
                points=POINTS, reason=AdjustmentReason.GOODWILL, note="for the storm", **said
            ),
        )
        await storm.insist(SECOND, DecideAdjustment(approve=True, **said))
    return storm


async def rage(storm: Storm, rider: str, dice: Random, until: asyncio.Event) -> None:
    """One rider takes, uses and gives back, as long as the storm lasts."""
    while not until.is_set():
        take = f"take-{new_id()}"
        item = dice.choice(ITEMS)
        ticket = await storm.ask(KITE, r.RedeemItem(reward_id=take, rider_id=rider, item_id=item))
        if ticket.outcome is not Outcome.ACCEPTED:
            await asyncio.sleep(0.05)
            continue
        assert ticket.code is not None
        use = r.UseRedemption(reward_id=take, code=ticket.code)
        cancel = r.CancelRedemption(reward_id=take)
        match dice.randrange(4):
            case 0:
                await storm.insist(OFFICER, use)
            case 1:
                await storm.insist(KITE, cancel)
            case 2:
                used, cancelled = await asyncio.gather(
                    storm.ask(OFFICER, use), storm.ask(KITE, cancel)
                )
                assert {used.outcome, cancelled.outcome} == {Outcome.ACCEPTED, Outcome.REFUSED}
            case _:
                pass  # it stays open


def test_no_point_and_no_piece_is_lost_when_everything_is_killed() -> None:
    with running() as house:
        uvloop.run(_storm(house))
        waggle = Waggle(house.folder)
        assert waggle.json("ledger", "check")["violations"] == []
        assert waggle.json("store", "public", "--check")["differences"] == []


async def _storm(house: House) -> None:
    storm, dice, over = await prepared(house), Random(20261127), asyncio.Event()
    async with asyncio.TaskGroup() as raging:
        for n, rider in enumerate(RIDERS):
            raging.create_task(rage(storm, rider, Random(n), over))
        deaths = [kill("points"), kill("nats"), kill("postgres"), kill("points", "nats")]
        await one_after_the_other(deaths, dice, rest=(1.0, 2.0))(house)
        await asyncio.sleep(1)
        over.set()
    for client in storm.clients.values():
        await client.close()
    await _judge(house, storm)


async def _judge(house: House, storm: Storm) -> None:
    """The log, the tables and what everybody was told say the same."""
    async with open_session(house.folder, quiet=True) as session:
        js = await session.log()
        subjects = ("log.account.>", "log.reward.>")
        facts = [
            entry.body
            async for batch in read_log(js, subjects=subjects)
            for entry in batch
            if isinstance(entry, Recorded)
        ]
        world: World = given(*facts)
        steps = Counter(
            thing.step for name, thing in world.things.items() if name.startswith("take-")
        )
        accepted = {
            name: sum(outcome is Outcome.ACCEPTED for outcome in outcomes)
            for name, outcomes in storm.told.items()
        }
        assert steps[TakeStep.USED] == accepted["UseRedemption"] > 0
        assert steps[TakeStep.CANCELLED] == accepted["CancelRedemption"] > 0
        assert steps.total() == accepted["RedeemItem"]
        for rider in RIDERS:
            account = world.account(rider)
            spent = PRICE * sum(
                thing.step is TakeStep.USED and thing.held.rider_id == rider
                for name, thing in world.things.items()
                if name.startswith("take-")
            )
            assert account.available + account.held == POINTS - spent
        for item in ITEMS:
            shelf = world.thing(item)
            assert list(shelf.faults()) == []
            assert shelf.stock.free + shelf.stock.held + shelf.stock.used == STOCK
