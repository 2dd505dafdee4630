"""Who answers for something: a unit, or a relative role resolved by place and asset. Pure.

"The street it lies in", "the local enforcement unit", "the owner of the asset": which unit that
is follows from where it is and whose it is, never from the kind of thing alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from contracts.envelope import Words
from contracts.rulebook import Holder, Role, Unit


@dataclass(frozen=True, slots=True)
class Where:
    """What a role is resolved by."""

    areas: tuple[str, ...] = ()
    """From the smallest to the largest."""
    asset: str | None = None
    service: str | None = None


@dataclass(frozen=True, slots=True)
class Resolution:
    """Which unit it is, and by which way."""

    unit: Unit | None
    asked: tuple[Role, ...] = ()
    """The roles that were asked, in order; the last one gave the unit, if there is one."""

    @property
    def fell_through(self) -> tuple[Role, ...]:
        """The roles that nobody holds here."""
        return self.asked if self.unit is None else self.asked[:-1]


class Holders:
    """Who holds one role; looked up, not searched, however many grid cells there are."""

    def __init__(self, role: Role) -> None:
        self.role = role
        self._by_asset = [h for h in role.holders if h.asset]
        self._by_place = {(h.area, h.service): h.unit for h in role.holders if not h.asset}

    def find(self, where: Where) -> str | None:
        """The holder that says most: longest asset id, then smallest area, then the service."""
        if where.asset and (unit := self._owner(where.asset, where)):
            return unit
        for area in (*where.areas, None):
            for service in (where.service, None) if where.service else (None,):
                if unit := self._by_place.get((area, service)):
                    return unit
        return None

    def _owner(self, asset: str, where: Where) -> str | None:
        fitting = (h for h in self._by_asset if _fits(h, asset, where))
        best = max(fitting, key=lambda h: _says(h, where), default=None)
        return best.unit if best else None


def _fits(holder: Holder, asset: str, where: Where) -> bool:
    return (
        asset.startswith(holder.asset or "")
        and holder.area in (None, *where.areas)
        and holder.service in (None, where.service)
    )


def _says(holder: Holder, where: Where) -> tuple[int, int, bool]:
    nearness = -where.areas.index(holder.area) if holder.area else -len(where.areas)
    return len(holder.asset or ""), nearness, holder.service is not None


class Responsibility:
    """The units and roles of a routing document."""

    def __init__(self, units: Iterable[Unit], roles: Iterable[Role]) -> None:
        self.units: Mapping[str, Unit] = {unit.code: unit for unit in units}
        self.roles: Mapping[str, Holders] = {role.code: Holders(role) for role in roles}

    def resolve(self, ref: str, where: Where) -> Resolution:
        """The unit that `ref` means there; no unit where nobody holds the role."""
        asked: list[Role] = []
        at: str | None = ref
        while at is not None and at not in self.units:
            holders = self.roles.get(at)
            if holders is None or any(role is holders.role for role in asked):
                return Resolution(None, tuple(asked))
            asked.append(holders.role)
            if found := holders.find(where):
                return Resolution(self.units.get(found), tuple(asked))
            at = holders.role.otherwise
        return Resolution(self.units[at] if at else None, tuple(asked))

    def name_of(self, ref: str) -> Words:
        """The name of a unit or role; its code where the rulebook does not know it."""
        if unit := self.units.get(ref):
            return unit.name
        holders = self.roles.get(ref)
        return holders.role.name if holders else Words(zh=ref, en=ref)
