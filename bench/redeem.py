"""Redemptions through the room: everybody at one item, and spread over a thousand."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from datetime import UTC, datetime
from itertools import count
from typing import Final, TypeVar

from nats.aio.client import Client

from bench.figures import Figure, middle
from bench.houses import MeasuredHouse
from contracts.account import PointsAwarded
from contracts.envelope import Answer, Command, Header, Issued, Outcome, Words, command_subject
from contracts.party import PartyKind, RegisterParty
from contracts.reward import OfferItem, RedeemItem, RewardKind, Terms
from eventlog.asking import ask
from eventlog.message import encode

PLATFORM: Final = "platform-kite"
OFFICER: Final = "officer"
OTHERS: Final = ("intake", "router", "notify", "projector")
"""They stand still: each would react to what is measured."""
IN_FLIGHT: Final = 64
RUNS: Final = 3
PRICE: Final = 2
TERMS: Final = Terms(name=Words(zh="量", en="measure"), kind=RewardKind.GOODS, price=PRICE)

T = TypeVar("T")
_numbers = count()


async def measure(
    house: MeasuredHouse, *, items: int, one_item: int, many_items: int
) -> Iterator[Figure]:
    """Redemptions a second, each with its points, its piece and its code durable in one batch."""
    platform, officer = await house.client(PLATFORM), await house.client(OFFICER)
    await ask(
        officer,
        OFFICER,
        RegisterParty(party_id=OFFICER, kind=PartyKind.OFFICER),
        "bench-officer",
    )
    riders = [f"bench-rider-{n}" for n in range(items)]
    for rider in riders:
        known = RegisterParty(party_id=rider, kind=PartyKind.RIDER, platform=PLATFORM)
        await ask(platform, PLATFORM, known, f"bench-{rider}")
    with house.paused(*OTHERS):
        await _give_points(await house.client("points"), riders, 1_000_000)
        shelf = [f"item-bench-{n}" for n in range(items)]
        await _side_by_side(shelf, lambda item: _offer(officer, item))
        hot = [await _redeem(platform, riders, shelf[:1], one_item) for _ in range(RUNS)]
        spread = [await _redeem(platform, riders, shelf, many_items) for _ in range(RUNS)]
    one, many = middle(hot), middle(spread)
    name, unit = "store.redemptions_per_s", "redemptions/s"
    return iter(
        (
            Figure(f"{name}_one_item", one, unit, runs=RUNS),
            Figure(f"{name}_{items}_items", many, unit, f"{name}_one_item", one, RUNS),
        )
    )


async def _give_points(points: Client, riders: Sequence[str], amount: int) -> None:
    """Earned at once, so that nobody has to wait for a case."""
    js = points.jetstream(timeout=10)

    async def one(rider: str) -> None:
        earned = PointsAwarded(
            rider_id=rider,
            platform=PLATFORM,
            report_id=f"r-{rider}",
            case_id=f"r-{rider}",
            service_code="exposed-garbage",
            points=amount,
            rule="bench",
            rulebook="bench",
        )
        issued = Issued(Command(), f"bench-earn-{rider}", "points", datetime.now(UTC))
        (message,) = encode([earned], issued, source="bench", fingerprint="", last_hash={})
        await js.publish(message.subject, message.body, headers=dict(message.headers))

    await _side_by_side(riders, one)


async def _offer(officer: Client, item: str) -> None:
    answer, _ = await ask(
        officer, OFFICER, OfferItem(reward_id=item, terms=TERMS, stock=1_000_000), f"bench.{item}"
    )
    _insist(answer)


async def _redeem(
    platform: Client, riders: Sequence[str], items: Sequence[str], how_many: int
) -> float:
    subject = command_subject(PLATFORM, "points", RedeemItem.token)

    async def one(number: int) -> None:
        item = items[number % len(items)]
        command = RedeemItem(
            reward_id=f"take-bench-{number}", rider_id=riders[number % len(riders)], item_id=item
        )
        reply = await platform.request(
            subject,
            command.model_dump_json().encode(),
            timeout=30,
            headers={Header.ID: f"bench-{number}"},
        )
        _insist(Answer.model_validate_json(reply.data))

    began = time.perf_counter()
    await _side_by_side([next(_numbers) for _ in range(how_many)], one)
    return how_many / (time.perf_counter() - began)


async def _side_by_side(work: Sequence[T], do: Callable[[T], Awaitable[None]]) -> None:
    waiting = iter(work)

    async def worker() -> None:
        for one in waiting:
            await do(one)

    await asyncio.gather(*(worker() for _ in range(IN_FLIGHT)))


def _insist(answer: Answer) -> None:
    if answer.outcome is not Outcome.ACCEPTED:
        raise RuntimeError(answer.model_dump_json())
