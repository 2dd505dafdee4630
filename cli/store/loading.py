"""A file of stations, sponsors, wishes and items, put into the store; the one of Fengxi, too."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

import typer
import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from cli.printing import in_words
from cli.session import Session
from contracts.envelope import Answer, Command, Outcome, PartyId, RiderId, log_subject
from contracts.party import PartyKind, RegisterParty
from contracts.reward import (
    Budget,
    FundSponsor,
    ItemId,
    ListWish,
    OfferItem,
    OpenStation,
    Place,
    RewardKind,
    SponsorId,
    StationId,
    StoreRefusal,
    SuggestWish,
    SupportWish,
    Terms,
    WishId,
)
from contracts.rulebook.parts import Named
from deploy.house import OFFICER
from eventlog.asking import ask
from eventlog.read import head
from eventlog.receiving import problems

BUILT_IN: Final = "shelf.yaml"


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class StationPart(_Part):
    """A station by its id."""

    id: StationId
    place: Place


class SponsorPart(_Part):
    """A sponsor by its id, with the points it answers for."""

    id: SponsorId
    name: Named
    points: Budget


class ItemPart(_Part):
    """An item by its id."""

    id: ItemId
    terms: Terms
    stock: int | None = Field(default=None, ge=0)
    wish: WishId | None = None


class WishPart(_Part):
    """A wish by its id; listed where it has a name."""

    id: WishId
    rider: RiderId
    platform: PartyId
    kind: RewardKind
    text: str
    name: Named | None = None
    supporters: tuple[RiderId, ...] = ()
    """Riders of the same platform."""


class ShelfFile(_Part):
    """What a file may hold, in the order in which it is put into the store."""

    stations: tuple[StationPart, ...] = ()
    sponsors: tuple[SponsorPart, ...] = ()
    wishes: tuple[WishPart, ...] = ()
    items: tuple[ItemPart, ...] = ()

    def commands(self) -> Iterator[tuple[str, Command, str]]:
        """Who gives which command, under which id: the same at every loading."""
        for station in self.stations:
            opening = OpenStation(reward_id=station.id, place=station.place)
            yield OFFICER, opening, f"load.{station.id}"
        for sponsor in self.sponsors:
            fund = FundSponsor(reward_id=sponsor.id, points=sponsor.points, name=sponsor.name)
            yield OFFICER, fund, f"load.{sponsor.id}"
        for wish in self.wishes:
            yield from _wish(wish)
        for item in self.items:
            offer = OfferItem(reward_id=item.id, terms=item.terms, stock=item.stock, wish=item.wish)
            yield OFFICER, offer, f"load.{item.id}"

    def riders(self) -> dict[str, str]:
        """The riders who have wishes, or support one, and the platforms that speak for them."""
        return {
            rider: wish.platform for wish in self.wishes for rider in (wish.rider, *wish.supporters)
        }


def _wish(wish: WishPart) -> Iterator[tuple[str, Command, str]]:
    said = SuggestWish(reward_id=wish.id, rider_id=wish.rider, kind=wish.kind, text=wish.text)
    yield wish.platform, said, f"load.{wish.id}"
    if wish.name is not None:
        yield OFFICER, ListWish(reward_id=wish.id, name=wish.name), f"load.list.{wish.id}"
        for rider in wish.supporters:
            support = SupportWish(reward_id=wish.id, rider_id=rider)
            yield wish.platform, support, f"load.{wish.id}.{rider}"


@dataclass(slots=True)
class Loaded:
    """What became of a file."""

    new: int = 0
    known: int = 0
    refused: list[dict[str, Any]] = field(default_factory=list)


def read_shelf(file: Path | None) -> ShelfFile:
    """The file, or the built-in one. What is wrong is said in words, place by place."""
    place = files(__package__) / BUILT_IN if file is None else file
    try:
        return ShelfFile.model_validate(yaml.safe_load(place.read_text("utf-8")))
    except ValidationError as error:
        told = "\n".join(f"  {in_words(reason)}" for reason in problems(error))
        raise typer.BadParameter(f"{place}:\n{told}") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise typer.BadParameter(f"{place}: {error}") from error


async def load(session: Session, shelf: ShelfFile) -> Loaded:
    """Put everything of a file into the store. Loaded again it changes nothing.

    What is there under the same id on other terms stays as it is, and counts as known: the store
    of a running district is changed by its officers, not by a file.
    """
    loaded = Loaded()
    for rider, platform in shelf.riders().items():
        await _introduce(session, rider, platform)
    for party, command, command_id in shelf.commands():
        answer, known = await ask(await session.nats(party), party, command, command_id)
        if answer.outcome is Outcome.ACCEPTED:
            loaded.known += known
            loaded.new += not known
        elif {reason.code for reason in answer.reasons} <= _THERE:
            loaded.known += 1
        else:
            loaded.refused.append(_told(command_id, answer))
    return loaded


_THERE: Final = {StoreRefusal.EXISTS_ALREADY, StoreRefusal.NOT_NOW, "command_id_reused"}


async def _introduce(session: Session, rider: str, platform: str) -> None:
    """A rider whom nobody has registered yet is registered by the platform."""
    if await head(await session.log(), (log_subject("party", rider),)):
        return
    known = RegisterParty(party_id=rider, kind=PartyKind.RIDER, platform=platform)
    await ask(await session.nats(platform), platform, known, f"load.{rider}")


def _told(command_id: str, answer: Answer) -> dict[str, Any]:
    return {
        "command_id": command_id,
        "outcome": answer.outcome,
        "reasons": [reason.model_dump() for reason in answer.reasons],
    }
