"""Who sends what, where and when: the reports of the day before anything comes of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, timezone

from cli.story import authored
from cli.story.authored import At, Hours, Kind, Reports, Rider, Telling
from cli.story.dice import Dice
from cli.story.holders import handler
from contracts.rulebook import Rulebook

REPORTS = 200
CHINA_TIME = timezone(timedelta(hours=8))
BREATH = timedelta(minutes=20)
"""A rider sends nothing for this long after a report: nobody is in two places at once."""
AT_LEAST = 3
"""Reports of every kind of hazard."""
RUSH = dict(zip(range(6, 22), (3, 8, 8, 5, 4, 7, 8, 5, 4, 4, 5, 8, 9, 8, 6, 5), strict=True))
"""How busy each hour is: riders report when they ride."""


@dataclass(frozen=True, slots=True)
class Spot:
    """A named point, and the code of the area it lies in; None outside every street."""

    area: str | None
    name: str
    at: At


@dataclass(frozen=True, slots=True)
class Card:
    """One thing to report, at one spot."""

    name: str
    """Of the sentence, for the dice."""
    service: str | None
    """What the rider chooses; None or unknown where nothing fits."""
    kind: str
    """What it really is, in the words of the rulebook."""
    to: str
    """The department that really has to handle it."""
    spot: Spot
    text: str
    """Empty where the rider wrote nothing."""
    hours: Hours = authored.WHOLE_DAY
    done: str | None = None
    """The department's own result, where no general one would be true."""


@dataclass(frozen=True, slots=True)
class Sent:
    """A card in a rider's hand, sent."""

    card: Card
    report_id: str
    rider: Rider
    sent_at: datetime
    at: At
    """Where the rider stood: some steps from the place."""


def send(book: Rulebook, dice: Dice, on: date) -> list[Sent]:
    """The whole day in time order."""
    timed = sorted(
        ((_moment(card, dice, on), card) for card in _cards(book, dice)),
        key=lambda pair: (pair[0], pair[1].name),
    )
    last_sent: dict[str, datetime] = {}
    day = []
    for number, (sent_at, card) in enumerate(timed, start=1):
        report_id = f"demo-{number:04}"
        free = [
            rider
            for rider in authored.riders()
            if rider.id not in last_sent or sent_at - last_sent[rider.id] >= BREATH
        ]
        rider = dice.pick(f"rider/{number}", free)
        last_sent[rider.id] = sent_at
        day.append(Sent(card, report_id, rider, sent_at, _some_steps_from(card, dice)))
    return day


def _cards(book: Rulebook, dice: Dice) -> Iterator[Card]:
    """Every card once; no two of the same kind at the same spot."""
    written = authored.reports()
    spots = _Spots(dice)
    special = [*_strays(written, spots), *_beyond(written), *_silent(written, spots, book)]
    yield from special
    for name, service, told in _chosen(written.told, dice, REPORTS - len(special)):
        spot = spots.take(name, service, told.kinds)
        text = told.say.format(place=spot.name)
        to = handler(book, service, spot.area)
        yield Card(name, service, service, to, spot, text, told.hours)


def _strays(written: Reports, spots: _Spots) -> Iterator[Card]:
    for n, stray in enumerate(written.strays):
        name = f"stray/{n}"
        spot = spots.take(name, stray.kind, stray.kinds)
        text = stray.say.format(place=spot.name)
        yield Card(name, stray.service, stray.kind, stray.to, spot, text, stray.hours, stray.done)


def _beyond(written: Reports) -> Iterator[Card]:
    for n, far in enumerate(written.beyond):
        spot = Spot(None, far.place, far.at)
        yield Card(
            f"beyond/{n}", far.service, far.service, far.to, spot, far.say, far.hours, far.done
        )


def _silent(written: Reports, spots: _Spots, book: Rulebook) -> Iterator[Card]:
    for n, silent in enumerate(written.silent):
        name, service = f"silent/{n}", silent.service
        spot = spots.take(name, service, silent.kinds)
        yield Card(name, service, service, handler(book, service, spot.area), spot, text="")


def _chosen(
    told: dict[str, tuple[Telling, ...]], dice: Dice, count: int
) -> list[tuple[str, str, Telling]]:
    """`count` different sentences, some of every kind."""
    first: list[tuple[str, str, Telling]] = []
    rest: list[tuple[str, str, Telling]] = []
    for service, tellings in told.items():
        named = [(f"{service}/{n}", service, telling) for n, telling in enumerate(tellings)]
        mixed = dice.shuffled(f"choose/{service}", named)
        first += mixed[:AT_LEAST]
        rest += mixed[AT_LEAST:]
    return (first + dice.shuffled("choose", rest))[:count]


class _Spots:
    """Gives each place once to each kind of hazard."""

    def __init__(self, dice: Dice) -> None:
        self._dice = dice
        self._taken: set[tuple[str, str]] = set()

    def take(self, name: str, hazard: str, kinds: Sequence[Kind]) -> Spot:
        """A fitting place that has no such hazard yet."""
        free = [
            Spot(area, place.name, place.at)
            for area, there in authored.places().items()
            for place in there
            if place.kind in kinds and (hazard, place.name) not in self._taken
        ]
        spot = self._dice.pick(f"place/{name}", free)
        self._taken.add((hazard, spot.name))
        return spot


def _moment(card: Card, dice: Dice, on: date) -> datetime:
    """Within the hours of the card, more often when many are on the road."""
    first, last = (round(hour * 3600) for hour in card.hours)
    minutes = [second for second in range(first, last, 60) for _ in range(RUSH[second // 3600])]
    second = dice.pick(f"minute/{card.name}", minutes) + dice.between(f"second/{card.name}", 0, 59)
    return datetime.combine(on, time(), CHINA_TIME) + timedelta(seconds=second)


def _some_steps_from(card: Card, dice: Dice) -> At:
    """Up to some 25 m away in each direction."""
    lng, lat = card.spot.at
    east = dice.between(f"east/{card.name}", -25, 25) * 1e-5
    north = dice.between(f"north/{card.name}", -22, 22) * 1e-5
    return round(lng + east, 5), round(lat + north, 5)
