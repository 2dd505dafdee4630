"""Points, log and database killed in the middle of a storm: afterwards the ledger is clean."""

from __future__ import annotations

import asyncio
import random
import signal
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress

import pytest
import uvloop
from nats.aio.client import Client

from contracts import account as a
from contracts import reward as r
from contracts.envelope import Answer, Command, Outcome, Words
from contracts.party import PartyKind, RegisterParty
from deploy.house import OFFICERS
from deploy.ledger_check import Found, check_ledger
from eventlog.asking import ask
from eventlog.connect import connect_nats, connect_postgres
from eventlog.project import position
from eventlog.read import head
from services.points.projection import POINTS, STORE
from tests.journey.house import House, running

KITE = "platform-kite"
FIRST, SECOND = OFFICERS
RIDERS = [f"storm-{n:02}" for n in range(12)]
ITEM = "item-storm"
GIVEN = 40
TERMS = r.Terms(name=Words(zh="伞", en="umbrella"), kind=r.RewardKind.GOODS, price=3)
Said = tuple[str, str, Command]
"""An id, who says it, what."""


class Storm:
    """Everybody who asks, each through a connection that comes back by itself."""

    def __init__(self, parties: dict[str, Client]) -> None:
        self.parties = parties
        self.answers: dict[str, Answer] = {}

    async def say(self, said: Said) -> Answer:
        """Ask until there is a definite answer, however often everything dies."""
        command_id, party, command = said
        async with asyncio.timeout(120):
            while True:
                answer, _ = await ask(self.parties[party], party, command, command_id, patience=20)
                if answer.outcome not in (Outcome.BUSY, Outcome.UNKNOWN):
                    return answer
                await asyncio.sleep(0.2)

    async def all(self, many: Sequence[Said], at_once: int = 16) -> None:
        """Everything, some at a time. What was carried out gets the same answer when repeated; what
        was refused left nothing behind, and is decided anew.
        """
        room = asyncio.Semaphore(at_once)

        async def one(said: Said) -> None:
            async with room:
                answer = await self.say(said)
                first = self.answers.setdefault(said[0], answer)
                assert first == answer or first.outcome is Outcome.REFUSED, said

        await asyncio.gather(*map(one, many))


def gifts() -> list[Said]:
    """Points for everybody that can be spent at once: by two officers."""
    said: list[Said] = []
    for rider in RIDERS:
        proposal = a.ProposeAdjustment(
            rider_id=rider,
            adjustment_id=f"gift-{rider}",
            points=GIVEN,
            reason=a.AdjustmentReason.GOODWILL,
            note="to begin with",
        )
        said.append((f"propose-{rider}", FIRST, proposal))
    return said


def approvals() -> list[Said]:
    return [
        (
            f"approve-{rider}",
            SECOND,
            a.DecideAdjustment(rider_id=rider, adjustment_id=f"gift-{rider}", approve=True),
        )
        for rider in RIDERS
    ]


def weather(dice: random.Random, how_much: int) -> list[Said]:
    """Redemptions, most of them cancelled again, and acts that earn: in any order."""
    said: list[Said] = []
    for n in range(how_much):
        rider = dice.choice(RIDERS)
        if dice.random() < 0.7:
            take = f"take-storm-{n}"
            redeem = r.RedeemItem(reward_id=take, rider_id=rider, item_id=ITEM)
            said.append((f"redeem-{n}", KITE, redeem))
            if dice.random() < 0.6:
                cancel = r.CancelRedemption(reward_id=take)
                said.insert(dice.randint(0, len(said)), (f"cancel-{n}", KITE, cancel))
        else:
            grant = a.GrantPoints(
                rider_id=rider, kind=a.GrantKind.ACT, code="lend-a-hand", occasion=f"act-{n}"
            )
            said.append((f"grant-{n}", FIRST, grant))
    return said


async def killing(house: House, dice: random.Random, rounds: int) -> Counter[str]:
    """Kill -9 of each, again and again; the house starts them anew."""
    killed: Counter[str] = Counter()
    for _ in range(rounds):
        for part in dice.sample(("points", "nats", "postgres"), k=3):
            await asyncio.sleep(dice.uniform(0.2, 0.8))
            with suppress(AssertionError, ProcessLookupError):  # it is just being started
                house.signal(part, signal.SIGKILL)
                killed[part] += 1
    return killed


async def storm(house: House, how_much: int, rounds: int, seed: int) -> None:
    dice = random.Random(seed)
    parties = {}
    for party in (KITE, FIRST, SECOND, "auditor"):
        seed_file = str(house.info.credentials.seed_file(party))
        parties[party] = await connect_nats(
            house.info.nats_url, identity=party, seed_file=seed_file
        )
    sky = Storm(parties)
    known: list[Said] = [
        (
            f"register-{rider}",
            KITE,
            RegisterParty(party_id=rider, kind=PartyKind.RIDER, platform=KITE),
        )
        for rider in RIDERS
    ]
    await sky.all(known)
    await sky.all([("offer", FIRST, r.OfferItem(reward_id=ITEM, terms=TERMS, stock=60))])
    await sky.all(gifts())
    await sky.all(approvals())
    said = weather(dice, how_much)
    _, killed = await asyncio.gather(sky.all(said), killing(house, dice, rounds))
    assert sum(killed.values()) >= 2 * rounds, killed
    await sky.all(said)  # once more, all of it: the same answers
    outcomes = Counter(str(answer.outcome) for answer in sky.answers.values())
    assert outcomes["accepted"] > how_much / 4, outcomes
    found = await checked(house, parties["auditor"])
    assert found.violations == []
    assert found.facts > len(RIDERS)
    for client in parties.values():
        await client.close()


async def checked(house: House, auditor: Client) -> Found:
    """The check, once the tables have all of it."""
    pool = await connect_postgres(house.info.database_url, most=2)
    js = auditor.jetstream(timeout=10)
    try:
        async with asyncio.timeout(90):
            for projection in (POINTS, STORE):
                end = await head(js, projection.subjects)
                while await position(pool, projection.name) < end:
                    await asyncio.sleep(0.1)
        return await check_ledger(js, pool)
    finally:
        await pool.close()


@pytest.mark.timeout(240)
def test_after_a_storm_in_which_everything_was_killed_the_ledger_is_clean() -> None:
    with running() as house:
        uvloop.run(storm(house, how_much=60, rounds=1, seed=7))


@pytest.mark.faults
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_after_long_storms_the_ledger_is_clean(seed: int) -> None:
    with running() as house:
        uvloop.run(storm(house, how_much=600, rounds=8, seed=seed))
