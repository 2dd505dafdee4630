"""The ledger worked out anew from the log, and judged: what `waggle ledger check` compares. Pure.

An audit hears facts in the order of the log, keeps what it must, and says at the first fact that
breaks an invariant which one, and what. In the end it knows every row that the tables must have.
`AUDITS` is the list of them; one for other streams is added there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from contracts import account as a
from contracts.envelope import Recorded
from eventlog.projection import Folding, Projection
from services.points.account import NO_ACCOUNT, Account, evolve
from services.points.invariants import Broken, Step, broken, unsound
from services.points.postings import Transfer
from services.points.projection import POINTS, STORE
from services.points.tables.ledger import lot_row

Expected = Mapping[tuple[Any, ...], tuple[Any, ...]]
"""What rows must say, by their keys: of the columns that an audit answers for."""


@dataclass(frozen=True, slots=True)
class Violation:
    """An invariant that does not hold, and the first fact at which it does not."""

    invariant: str
    subject: str
    """The stream id, or the row."""
    sequence: int
    """Of the fact; 0 where a row has none behind it."""
    detail: str


@dataclass(frozen=True, slots=True)
class Sheet:
    """What a table must say: these columns of these keys, no row more and none less."""

    table: str
    key: tuple[str, ...]
    columns: tuple[str, ...]
    rows: Expected
    by: Callable[[tuple[Any, ...]], int]
    """The last fact behind a row; 0 where there is none."""


class Audit(Protocol):
    """Judges the facts of some subjects."""

    projection: Projection
    """Whose tables it answers for; its checkpoint is how far the log is read."""

    def take(self, fact: Recorded) -> Iterator[Violation]:
        """One more fact of the log."""

    def settled(self) -> Iterator[Violation]:
        """What does not hold at the end."""

    def sheets(self) -> Iterator[Sheet]:
        """What the tables must say."""

    @property
    def accounts(self) -> int:
        """How many accounts there are."""


PASSBOOK: Final = ("pending", "available", "held", "debt", "version")
ENTRY: Final = ("source", "target", "points", "entry", "pending", "available", "held", "debt")
LOT: Final = ("points", "free", "held", "spent", "expired", "repaid", "taken", "pending", "due_at")


@dataclass(slots=True)
class LedgerAudit:
    """Riders' accounts."""

    projection: Projection = POINTS
    riders: dict[str, Account] = field(default_factory=dict)
    sides: dict[str, tuple[int, int]] = field(default_factory=dict)
    """Debits and credits of every account of the chart."""
    entries: dict[tuple[Any, ...], tuple[Any, ...]] = field(default_factory=dict)
    last: dict[str, int] = field(default_factory=dict)
    """The last fact of each rider, and of each account of the chart."""

    def take(self, fact: Recorded) -> Iterator[Violation]:
        """Fold the fact, and judge the step."""
        body = fact.body
        if body.stream != "account":
            return
        rider = body.stream_id
        before = self.riders.get(rider, NO_ACCOUNT)
        after = evolve(before, body)
        self.riders[rider] = after
        self.last[rider] = fact.sequence
        step = Step.of(before, body, after, fact.happened_at)
        for name, detail in broken(step):
            yield Violation(name, fact.subject, fact.sequence, detail)
        if isinstance(body, a.Entry):
            self._enter(fact, rider, body, step.moves)

    def _enter(
        self, fact: Recorded, rider: str, body: a.Entry, moves: tuple[Transfer, ...]
    ) -> None:
        stands = body.after
        pockets = (
            (stands.pending, stands.available, stands.held, stands.debt)
            if stands
            else (None, None, None, None)
        )
        kind = type(body).__name__
        for leg, moved in enumerate(moves):
            line = (moved.source, moved.target, moved.points, kind, *pockets)
            self.entries[rider, fact.sequence, leg] = line
            taken, came = self.sides.get(moved.source, (0, 0))
            self.sides[moved.source] = (taken + moved.points, came)
            taken, came = self.sides.get(moved.target, (0, 0))
            self.sides[moved.target] = (taken, came + moved.points)
            self.last[moved.source] = self.last[moved.target] = fact.sequence

    def settled(self) -> Iterator[Violation]:
        """Every account at rest, and all of them together."""
        for rider, account in self.riders.items():
            yield from self._named(f"log.account.{rider}", rider, unsound(account))
        if whole := sum(came - taken for taken, came in self.sides.values()):
            yield Violation("L1", "all accounts", max(self.last.values()), f"sum to {whole}")

    def _named(self, subject: str, rider: str, found: Iterator[Broken]) -> Iterator[Violation]:
        for name, detail in found:
            yield Violation(name, subject, self.last[rider], detail)

    def sheets(self) -> Iterator[Sheet]:
        """Passbooks, entries, lots, and the chart of accounts."""
        entered = {r: account for r, account in self.riders.items() if account.version}
        yield Sheet(
            "passbook",
            ("rider_id",),
            PASSBOOK,
            {(r,): (x.pending, x.available, x.held, x.debt, x.version) for r, x in entered.items()},
            lambda key: self.last.get(key[0], 0),
        )
        yield Sheet(
            "entry", ("rider_id", "sequence", "leg"), ENTRY, self.entries, lambda key: key[1]
        )
        rows = [
            lot_row(rider, lot)
            for rider, account in entered.items()
            for lot in account.lots.values()
        ]
        yield Sheet(
            "lot",
            ("rider_id", "lot"),
            LOT,
            {(row.rider_id, row.lot): tuple(getattr(row, name) for name in LOT) for row in rows},
            lambda key: self.last.get(key[0], 0),
        )
        yield Sheet(
            "balance",
            ("account",),
            ("debits", "credits"),
            {(name,): sides for name, sides in self.sides.items()},
            lambda key: self.last.get(key[0], 0),
        )

    @property
    def accounts(self) -> int:
        """Of the chart, riders' pockets and all others."""
        return len(self.sides)


@dataclass(slots=True)
class StoreAudit:
    """Everything that the store shows, stock, quotas and budgets among it, folded once more."""

    projection: Projection = STORE
    folding: Folding = field(default_factory=lambda: Folding(STORE))
    last: dict[tuple[Any, ...], int] = field(default_factory=dict)

    def take(self, fact: Recorded) -> Iterator[Violation]:
        """Fold the fact into the rows that it touches."""
        touched = self.folding.touched(fact)
        for table, keys in self.folding.missing(touched):
            self.folding.know(table, keys, ())
        self.folding.fold(fact, touched)
        for table, key in touched:
            self.last[table, *key] = fact.sequence
        yield from ()

    def settled(self) -> Iterator[Violation]:
        """Each asset sums to nothing, and only its source may be below (L1, L3)."""
        for asset in self.folding.rows()["asset"]:
            pockets = (asset.free, asset.held, asset.used)
            if asset.source + sum(pockets):
                yield Violation("L1", asset.asset, asset.sequence, f"does not sum to 0: {asset}")
            if min(pockets) < 0:
                yield Violation("L3", asset.asset, asset.sequence, f"is below nothing: {asset}")

    def sheets(self) -> Iterator[Sheet]:
        """Every table of the store, every column."""
        rows = self.folding.rows()
        for place, table in enumerate(STORE.tables):
            columns = tuple(column.name for column in table.columns)
            key_of = table.key_of()
            yield Sheet(
                table.name,
                table.key,
                columns,
                {key_of(r): tuple(getattr(r, c) for c in columns) for r in rows[table.name]},
                lambda key, place=place: self.last.get((place, *key), 0),  # type: ignore[misc]
            )

    @property
    def accounts(self) -> int:
        """One for each pocket of an asset."""
        return 4 * len(self.folding.rows()["asset"])


AUDITS: Final[tuple[Callable[[], Audit], ...]] = (LedgerAudit, StoreAudit)
"""Everything that is audited."""
