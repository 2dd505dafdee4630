"""All that can be known of a house from outside, as the oracle judges it. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from contracts.case import WorkOrder
from contracts.envelope import Fact, Recorded
from contracts.notice import Notice
from contracts.rulebook import NONE_PUBLISHED, Published, gathered
from eventlog.message import chain_hash
from eventlog.read import Stored
from tests.journey.history import Operation
from tests.journey.proving import Root


@dataclass(frozen=True)
class Entry:
    """One fact: as it is stored, as it is read, and with what is personal opened."""

    stored: Stored
    fact: Recorded
    opened: Fact

    @property
    def is_intact(self) -> bool:
        """Whether what is stored gives the hash that it claims."""
        stored = self.stored
        return chain_hash(stored.subject, stored.headers, stored.data) == self.fact.hash

    @property
    def index(self) -> int:
        """Its place among the facts of its decision."""
        return int(self.fact.fact_id.rpartition(".")[2])


@dataclass(frozen=True)
class Evidence:
    """History, log, and what reached others."""

    history: tuple[Operation, ...]
    log: tuple[Entry, ...]
    outbox: tuple[Notice, ...]
    """As the stream OUTBOX has them, in order."""
    orders: tuple[WorkOrder, ...]
    """As the units received them, as often as they did."""
    posted: tuple[str, ...]
    """The ids of the notices that came by webhook, as often as they did."""
    hooked: str
    """The platform whose riders are told by webhook too."""
    parked: tuple[str, ...] = ()
    """Why something could not be handled; empty when all is well."""
    poison: tuple[Stored, ...] = ()
    """What is no fact, as it is stored."""
    roots: tuple[Root, ...] = ()
    """The roots that somebody has kept elsewhere while the log grew."""
    planted: Mapping[int, tuple[str, ...]] = field(default_factory=dict)
    """The sequences at which a fault has put what is no fact, and who has parked it."""

    @cached_property
    def streams(self) -> Mapping[str, Sequence[Entry]]:
        """The facts of each stream id, by subject, in order."""
        found: defaultdict[str, list[Entry]] = defaultdict(list)
        for entry in self.log:
            found[entry.fact.subject].append(entry)
        return found

    @cached_property
    def decisions(self) -> Mapping[tuple[str, str], Sequence[Entry]]:
        """The facts of each decision, by subject and command id."""
        found: defaultdict[tuple[str, str], list[Entry]] = defaultdict(list)
        for entry in self.log:
            found[entry.fact.subject, entry.fact.command_id].append(entry)
        return found

    @cached_property
    def sent(self) -> Mapping[str, Operation]:
        """What was sent under an id and may stand in the log: told so, or never told."""
        return {op.command_id: op for op in self.history if not op.declined}

    @cached_property
    def rulebooks(self) -> Published:
        """Every rule document that was published, in order."""
        published = NONE_PUBLISHED
        for entry in self.log:
            published = gathered(published, entry.fact)
        return published

    def facts(self, *kinds: type[Fact]) -> list[Entry]:
        """The facts of these kinds, in order."""
        return [entry for entry in self.log if isinstance(entry.fact.body, kinds)]
