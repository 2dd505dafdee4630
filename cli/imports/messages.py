"""A file of citizens' messages: what each row says, or everything that is wrong with it. Pure.

Texts stay as they came, to the byte. The ids of a row follow from the file's source and the
row's own ids, so the same row is the same report whenever it is read.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Final

from pydantic import ValidationError

from contracts.case import RecordHandling
from contracts.envelope import TOKEN
from contracts.report import SubmitReport
from contracts.rulebook import Published, in_force

NEEDED: Final = ("message_id", "user_id", "created_at", "text")
COLUMNS: Final = (*NEEDED, "title", "reply", "replied_at")
FIELDS: Final[Mapping[str, str]] = {
    "report_id": "message_id",
    "case_id": "message_id",
    "rider_id": "user_id",
    "seen_at": "created_at",
    "title": "title",
    "text": "text",
    "result": "reply",
}
"""The column that a field of a command comes from."""
SOURCE: Final = re.compile(r"[A-Za-z0-9-]{1,32}")
"""A source holds no `_`: so the first one in an id parts the source from the row's own id."""
SHOWN: Final = 60
"""Characters of a bad value that are told."""
LONGEST_FIELD: Final = 16 * 1024 * 1024


class BadFile(Exception):
    """The file as a whole cannot be read as messages, and what to do."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong with a row."""

    column: str | None
    """As the file calls it; None where it is the row as a whole."""
    reason: str
    value: str = ""


@dataclass(frozen=True, slots=True)
class Place:
    """Where in the file a row stands."""

    row: int
    """The line on which it begins; the heading stands on line 1."""
    record: int
    """Counts the rows from 1, however many lines each takes."""
    message_id: str


@dataclass(frozen=True, slots=True)
class Message:
    """A row that can be handed in."""

    place: Place
    report: SubmitReport
    handling: RecordHandling | None
    """What the office replied, where it did."""
    handled_at: datetime | None


@dataclass(frozen=True, slots=True)
class BadRow:
    """A row that cannot be handed in, with everything that is wrong."""

    place: Place
    problems: tuple[Problem, ...]


@dataclass(frozen=True, slots=True)
class Reading:
    """How a file is to be read."""

    source: str
    """The namespace of its ids."""
    now: datetime
    rules: Published
    """As published: a row must lie in a time for which there are rules."""
    names: Mapping[str, str]
    """What the file calls each of our columns."""
    zone: tzinfo | None = None
    """That of times without one; None: such a time is wrong."""
    most_bytes: int = 900_000
    """Of one report, as it is sent."""

    def name(self, column: str) -> str:
        """What the file calls one of our columns."""
        return self.names.get(column, column)


def source_of(stem: str) -> str:
    """The source that a file's name gives; empty where it gives none."""
    return re.sub(r"[^A-Za-z0-9]+", "-", stem).strip("-")[:32].strip("-")


def read(lines: Iterable[str], reading: Reading) -> Iterator[Message | BadRow]:
    """Every row of a CSV file. Raises `BadFile` where it has not the columns it needs."""
    csv.field_size_limit(LONGEST_FIELD)
    records = _records(lines)
    heading = next(records, None)
    if heading is None:
        raise BadFile("the file is empty")
    places = _places(heading[1], reading)
    width = len(heading[1])
    for number, (line, cells) in enumerate(records, start=1):
        if isinstance(cells, str):
            yield BadRow(Place(line, number, ""), (Problem(None, f"is no CSV: {cells}"),))
            continue
        values = {column: cells[at] if at < len(cells) else "" for column, at in places.items()}
        place = Place(line, number, values["message_id"])
        if len(cells) != width:
            reason = f"has {len(cells)} fields, the heading has {width}"
            yield BadRow(place, (Problem(None, reason, shortened(",".join(cells))),))
        else:
            yield _row(place, values, reading)


def shortened(value: str) -> str:
    """The beginning of a value, in a form that can be printed anywhere."""
    shown = value if len(value) <= SHOWN else value[:SHOWN] + "…"
    return shown.encode("utf-8", "replace").decode()


def _records(lines: Iterable[str]) -> Iterator[tuple[int, list[str] | str]]:
    """Each record with the line it begins on, or what keeps it from being one."""
    reader = csv.reader(lines, strict=True)
    while True:
        line = reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield line, str(error)
            continue
        if cells:
            yield line, cells


def _places(heading: list[str] | str, reading: Reading) -> dict[str, int]:
    """Where each of our columns stands."""
    if isinstance(heading, str):
        raise BadFile(f"the heading is no CSV: {heading}")
    names = [name.strip() for name in heading]
    there = f"the file has {', '.join(map(shortened, names))}"
    if doubled := sorted({name for name in names if names.count(name) > 1}):
        raise BadFile(f"two columns are called {', '.join(doubled)}; {there}")
    asked = [*NEEDED, *(column for column in COLUMNS if column in reading.names)]
    if missing := sorted({reading.name(c) for c in asked if reading.name(c) not in names}):
        raise BadFile(
            f"no column {', '.join(missing)}; {there}. Name them with --mapping; the file must be "
            "UTF-8, its fields parted by commas."
        )
    found = {column: reading.name(column) for column in COLUMNS}
    return {column: names.index(name) for column, name in found.items() if name in names}


def _row(place: Place, values: Mapping[str, str], reading: Reading) -> Message | BadRow:
    problems = [*_unstorable(values), *_bad_ids(values, reading)]
    created = _moment("created_at", values, reading, problems)
    handled: datetime | None = None
    replied = values.get("replied_at", "")
    if values.get("reply", "").strip():
        handled = _moment("replied_at", values, reading, problems)
    elif replied.strip():
        problems.append(Problem("replied_at", "a time of reply, and no reply", replied))
    if created and handled and handled < created:
        problems.append(Problem("replied_at", f"before {values['created_at']}", replied))
    if problems or created is None:
        return _bad(place, problems, reading)
    return _message(place, values, created, handled, reading)


def _message(
    place: Place,
    values: Mapping[str, str],
    created: datetime,
    handled: datetime | None,
    reading: Reading,
) -> Message | BadRow:
    """The commands of a row in which nothing was found wrong."""
    report_id = f"{reading.source}_{values['message_id']}"
    try:
        report = SubmitReport(
            report_id=report_id,
            rider_id=f"{reading.source}_{values['user_id']}",
            seen_at=created,
            title=values.get("title") or None,
            text=values["text"],
        )
        answer = RecordHandling(case_id=report_id, result=values["reply"]) if handled else None
    except ValidationError as error:
        return _bad(place, _misfits(error, values), reading)
    if (size := len(report.model_dump_json().encode())) > reading.most_bytes:
        reason = f"{size} bytes; at most {reading.most_bytes} can be sent"
        return _bad(place, [Problem("text", reason, values["text"])], reading)
    return Message(place, report, answer, handled)


def _bad(place: Place, problems: Sequence[Problem], reading: Reading) -> BadRow:
    """The row with its problems, in the file's own words."""
    named = (
        Problem(reading.name(p.column) if p.column else None, p.reason, shortened(p.value))
        for p in problems
    )
    return BadRow(place, tuple(named))


def _unstorable(values: Mapping[str, str]) -> Iterator[Problem]:
    """Characters that no system after us could keep."""
    for column, value in values.items():
        if "\0" in value:
            yield Problem(column, f"a NUL character at {value.index(chr(0)) + 1}", value)
        if lone := re.search("[\ud800-\udfff]", value):
            yield Problem(column, f"not UTF-8 at character {lone.start() + 1}", value)


def _bad_ids(values: Mapping[str, str], reading: Reading) -> Iterator[Problem]:
    longest = 64 - len(reading.source) - 1
    for column in ("message_id", "user_id"):
        if not re.fullmatch(TOKEN, f"{reading.source}_{values[column]}") or not values[column]:
            reason = f"no id: 1 to {longest} letters, digits, '_' and '-'"
            yield Problem(column, reason, values[column])


def _moment(
    column: str, values: Mapping[str, str], reading: Reading, problems: list[Problem]
) -> datetime | None:
    """A moment of history: it is past, and rules held at that time. Else one problem more."""
    value = values.get(column, "")
    try:
        moment = datetime.fromisoformat(value.strip())
    except ValueError:
        example = "2019-04-25T09:32:09+08:00"
        problems.append(Problem(column, f"no time in ISO 8601, such as {example}", value))
        return None
    if moment.tzinfo is None and reading.zone is None:
        problems.append(Problem(column, "has no time zone; name it with --time-zone", value))
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=reading.zone)
    if moment > reading.now:
        problems.append(Problem(column, "lies in the future", value))
    elif in_force(reading.rules, moment) is None:
        problems.append(Problem(column, "no rulebook held at that time", value))
    return moment


def _misfits(error: ValidationError, values: Mapping[str, str]) -> list[Problem]:
    """What a command says is wrong with a value, by our column."""
    columns = [(FIELDS.get(str(e["loc"][0]), "message_id"), e["msg"]) for e in error.errors()]
    return [Problem(column, message, values.get(column, "")) for column, message in columns]
