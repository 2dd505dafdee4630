"""A municipal handling standard as cities publish it: every row a condition, or a reason why not.

Nothing is guessed. A limit with words behind it, names that cannot be told apart, a missing cell:
the row is reported with its place, its text and the reason. What the table leaves to convention
(in which unit `天` counts, that the first unit named answers for it) is stated in the result. Pure.
"""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from hashlib import sha256
from typing import Final

from contracts.case import UnitKind
from contracts.rulebook import (
    BigClass,
    Catalogue,
    Condition,
    Evidence,
    Limit,
    LimitUnit,
    ReportKind,
    Role,
    Routing,
    Rulebook,
    Service,
    Unit,
)

COLUMNS: Final = (
    "kind",
    "big_code",
    "big_name",
    "small_code",
    "small_name",
    "units",
    "open_condition",
    "close_condition",
    "limit",
)
"""What a standard must have. `authority`, and whatever else it has, is left alone."""
KINDS: Final = {"部件": ReportKind.COMPONENT, "事件": ReportKind.OCCURRENCE}
UNITS: Final[Mapping[str, LimitUnit]] = {
    "紧急工作时": LimitUnit.URGENT_HOUR,
    "工作时": LimitUnit.WORK_HOUR,
    "小时": LimitUnit.WORK_HOUR,
    "工作日": LimitUnit.WORK_DAY,
    "天": LimitUnit.WORK_DAY,
    "紧急工作日": LimitUnit.NATURAL_DAY,
    "自然日": LimitUnit.NATURAL_DAY,
}
"""How the tables of cities write the units of limits; a city may read them otherwise."""
RELATIVE: Final = {
    "各产权单位": "asset-owner",
    "产权单位": "asset-owner",
    "所属街办": "street",
    "所属街道": "street",
    "属地行政执法部门": "local-enforcement",
}
_RELATIVE_START: Final = ("所属", "属地", "各")
_LIMIT: Final = re.compile(r"(\d+)\s*(\D+)")
_JOINED: Final = re.compile(r"[及和与]")
_SIMILAR: Final = 0.75


class NotAStandard(Exception):
    """The file as a whole cannot be read as a standard, and what to do."""


@dataclass(frozen=True, slots=True)
class Rejected:
    """A row that is no condition: where, which cell, what stands there, why."""

    row: int
    """The line on which it begins; the heading stands on line 1."""
    column: str
    text: str
    reason: str
    also: tuple[Rejected, ...] = ()
    """More that is wrong with the same row."""


@dataclass(frozen=True, slots=True)
class Readings:
    """What the table leaves to convention, and how it is read."""

    units: Mapping[str, LimitUnit] = field(default_factory=lambda: dict(UNITS))
    points: int = 1
    """For every condition: standards say nothing about points."""


@dataclass(frozen=True, slots=True)
class Name:
    """A unit or relative role that the table names, and what it is called here."""

    text: str
    ref: str
    relative: bool
    """Follows from place or asset."""
    known: bool
    """The rulebook has it already."""
    rows: int
    similar: tuple[str, ...] = ()
    """Other names of the table that may be the same, written in another way. Not merged."""


@dataclass(frozen=True, slots=True)
class Standard:
    """What a file says."""

    read: int
    catalogue: Catalogue | None
    """None where not one row is a condition."""
    conditions: int
    rejected: tuple[Rejected, ...]
    names: tuple[Name, ...]


@dataclass(frozen=True, slots=True)
class _Row:
    line: int
    kind: ReportKind
    big: str
    big_name: str
    small: str
    small_name: str
    names: tuple[str, ...]
    opens: str
    closes: str
    limit: Limit


def read_standard(
    lines: Iterable[str], rulebook: Rulebook, readings: Readings | None = None
) -> Standard:
    """Every row of the file. Raises `NotAStandard` where it has not the columns it needs.

    `rulebook` gives the names of units and roles that are known; the catalogue is one of it.
    """
    how = readings or Readings()
    rows: list[_Row] = []
    rejected: list[Rejected] = []
    seen: dict[tuple[str, ...], int] = {}
    for line, cells in _records(lines):
        found = _row(line, cells, how) if isinstance(cells, dict) else cells
        if isinstance(found, _Row):
            key = (found.kind, found.big, found.small, found.opens)
            if key in seen:
                reason = f"the same condition stands on line {seen[key]} already"
                found = Rejected(line, "open_condition", found.opens, reason)
            else:
                seen[key] = line
        rows.append(found) if isinstance(found, _Row) else rejected.append(found)
    names = _names(rows, rulebook)
    refs = {name.text: name.ref for name in names}
    catalogue = _catalogue(rows, refs, rulebook, how) if rows else None
    return Standard(len(rows) + len(rejected), catalogue, len(rows), tuple(rejected), names)


def _records(lines: Iterable[str]) -> Iterator[tuple[int, dict[str, str] | Rejected]]:
    reader = csv.reader(lines)
    try:
        heading = [cell.strip() for cell in next(reader)]
    except StopIteration as error:
        raise NotAStandard("the file is empty") from error
    if missing := [column for column in COLUMNS if column not in heading]:
        raise NotAStandard(
            f"there is no column {', '.join(missing)}; the heading has {', '.join(heading)}"
        )
    while True:
        line = reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield line, Rejected(line, "", "", f"is no CSV: {error}")
            continue
        if not cells:
            continue
        if len(cells) != len(heading):
            reason = f"has {len(cells)} cells, the heading has {len(heading)}"
            yield line, Rejected(line, "", ",".join(cells), reason)
        else:
            yield line, dict(zip(heading, cells, strict=True))


def _row(line: int, cells: Mapping[str, str], how: Readings) -> _Row | Rejected:
    wrong: list[Rejected] = []

    def bad(column: str, reason: str) -> None:
        wrong.append(Rejected(line, column, cells[column], reason))

    said = {column: _one_line(cells[column]) for column in COLUMNS}
    limit = _limit(said["limit"], how)
    if isinstance(limit, str) and said["limit"]:
        bad("limit", limit)
    for column in COLUMNS:
        if not said[column]:
            bad(column, "is empty")
    if said["kind"] and said["kind"] not in KINDS:
        bad("kind", f"is none of {', '.join(KINDS)}")
    for column in ("big_code", "small_code"):
        if said[column] and not re.fullmatch(r"[0-9A-Za-z]{1,6}", said[column]):
            bad(column, "is no code: digits or letters, with their leading zeros")
    names = tuple(
        name for name in (_one_line(n) for n in re.split("[、\n]", cells["units"])) if name
    )
    for reason in _unclear(names) if said["units"] else ():
        bad("units", reason)
    if wrong or isinstance(limit, str):
        first, *others = wrong
        return Rejected(line, first.column, first.text, first.reason, tuple(others))
    return _Row(
        line,
        KINDS[said["kind"]],
        said["big_code"],
        said["big_name"],
        said["small_code"],
        said["small_name"],
        tuple(dict.fromkeys(_without_and(name) for name in names)),
        said["open_condition"],
        said["close_condition"],
        limit,
    )


def _one_line(cell: str) -> str:
    """The text of a cell without line breaks in it; Chinese words are not parted by blanks."""
    return re.sub(r"\s*\n\s*", "", cell.strip())


def _without_and(name: str) -> str:
    """`及各产权单位` at the end of a list: the last of the names."""
    return name.removeprefix("及")


def _unclear(names: tuple[str, ...]) -> Iterator[str]:
    """What keeps a cell from being a list of names."""
    if not names:
        yield "names nobody"
    for name in names:
        if joined := _JOINED.search(_without_and(name)):
            yield f"'{joined[0]}' within '{name}': where one unit ends cannot be told"
        elif re.search(r"\s", name):
            yield f"a blank within '{name}': one unit or two cannot be told"


def _limit(text: str, how: Readings) -> Limit | str:
    """The limit, or why it is none."""
    found = _LIMIT.fullmatch(text)
    if found is None:
        return "is no number with a unit"
    amount, unit = int(found[1]), found[2].strip()
    if unit in how.units:
        return Limit(amount=amount, unit=how.units[unit]) if amount else "is no time at all"
    behind = next((u for u in sorted(how.units, key=len, reverse=True) if unit.startswith(u)), None)
    if behind:
        return f"words stand behind the limit: '{unit.removeprefix(behind)}'"
    return f"'{unit}' is none of {', '.join(how.units)}"


def _names(rows: Iterable[_Row], rulebook: Rulebook) -> tuple[Name, ...]:
    """Every name once, with what it is called here."""
    known = {unit.name.zh: unit.code for unit in rulebook.units}
    for role in rulebook.routing.roles:
        known |= dict.fromkeys((role.name.zh, *role.aliases), role.code)
    counts = Counter(name for row in rows for name in row.names)
    return tuple(
        Name(
            text=name,
            ref=known.get(name) or RELATIVE.get(name) or _code(name),
            relative=name in RELATIVE or name.startswith(_RELATIVE_START),
            known=name in known,
            rows=count,
            similar=tuple(
                other
                for other in get_close_matches(name, counts, n=4, cutoff=_SIMILAR)
                if other != name
            ),
        )
        for name, count in counts.most_common()
    )


def _code(name: str) -> str:
    """A code for a name that has none: the same whenever the name comes."""
    kind = "role" if name.startswith(_RELATIVE_START) else "unit"
    return f"{kind}-{sha256(name.encode()).hexdigest()[:8]}"


def _catalogue(
    rows: list[_Row], refs: Mapping[str, str], rulebook: Rulebook, how: Readings
) -> Catalogue:
    small: dict[str, list[_Row]] = {}
    for row in rows:
        small.setdefault(_letter(row) + row.big + row.small, []).append(row)
    big = {_letter(row) + row.big: (row.big_name, row.kind) for row in rows}
    return rulebook.catalogue.model_copy(
        update={
            "version": rulebook.catalogue.version + 1,
            "title": None,
            "big_classes": tuple(
                BigClass.model_validate({"code": code, "name": name, "kind": kind})
                for code, (name, kind) in big.items()
            ),
            "services": tuple(_service(code, its, refs, how) for code, its in small.items()),
        }
    )


def beside(rulebook: Rulebook, found: Standard) -> tuple[Catalogue, Routing]:
    """The standard beside what the rulebook has already, and its names declared.

    Roles that nobody holds yet lead to the triage desk, each time with the reason.
    """
    old, new = rulebook.catalogue, found.catalogue or rulebook.catalogue
    codes = {service.code for service in new.services}
    classes = {big.code for big in new.big_classes}
    catalogue = new.model_copy(
        update={
            "version": old.version + 1,
            "big_classes": (
                *(big for big in old.big_classes if big.code not in classes),
                *new.big_classes,
            ),
            "services": (*(s for s in old.services if s.code not in codes), *new.services),
        }
    )
    unknown = [name for name in found.names if not name.known]
    units = [
        Unit.model_validate({"code": n.ref, "kind": UnitKind.DEPARTMENT, "name": n.text})
        for n in unknown
        if not n.relative
    ]
    roles = [
        Role.model_validate({"code": n.ref, "name": n.text, "holders": ()})
        for n in unknown
        if n.relative
    ]
    routing = rulebook.routing.model_copy(
        update={
            "version": rulebook.routing.version + 1,
            "units": (*rulebook.routing.units, *units),
            "roles": (*rulebook.routing.roles, *roles),
        }
    )
    return catalogue, routing


def _letter(row: _Row) -> str:
    return "C" if row.kind is ReportKind.COMPONENT else "O"


def _service(code: str, rows: list[_Row], refs: Mapping[str, str], how: Readings) -> Service:
    first = rows[0]
    units = [tuple(dict.fromkeys(refs[name] for name in row.names)) for row in rows]
    conditions = []
    for number, (row, (accountable, *supporting)) in enumerate(zip(rows, units, strict=True), 1):
        same = units[number - 1] == units[0]
        conditions.append(
            Condition.model_validate(
                {
                    "code": f"{code}-{number}",
                    "name": row.opens,
                    "opens_when": row.opens,
                    "closes_when": row.closes,
                    "limit": row.limit,
                    "points": how.points,
                    "evidence": (Evidence.NEAR, Evidence.FAR),
                    "accountable": None if same else accountable,
                    "supporting": None if same else supporting,
                    "source": f"line {row.line}",
                }
            )
        )
    return Service.model_validate(
        {
            "code": code,
            "kind": first.kind,
            "big_class": _letter(first) + first.big,
            "small_class": first.small,
            "name": first.small_name,
            "accountable": units[0][0],
            "supporting": units[0][1:],
            "conditions": conditions,
        }
    )
