"""A report's timeline and a rider's passbook, read from the house and set in both languages."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, tzinfo
from typing import Any, Final

from rich.table import Table
from rich.text import Text

from cli.demo.chinese import in_chinese
from cli.demo.folding import Folded
from cli.demo.names import Names
from cli.wording import Told, personal, sentence

PHOTO: Final = "photo"


def timeline_table(
    facts: Sequence[Told], clock: Mapping[str, datetime], names: Names, zone: tzinfo
) -> Table:
    """The facts of a report and its case; `clock` has the story's time of each command."""
    table = Table.grid(padding=(0, 1, 0, 0))
    table.add_column(justify="right", no_wrap=True, style="dim")
    table.add_column(no_wrap=True)
    table.add_column()
    for entry in facts:
        fact = entry.fact
        at = clock.get(fact.command_id)
        written = [
            (f"（照片 {words}）" if name == PHOTO else f"：“{words}”", "italic")
            for name, words in personal(entry.body)
        ]
        recorded = f"{fact.recorded_at.astimezone(zone):%H:%M:%S.%f}"[:-3]
        because = f" because of {entry.cause}" if entry.cause else ""
        gloss = f"{fact.type} by {fact.actor}{because} at {recorded}: {sentence(entry.body)}"
        sequence = Text(f"#{fact.sequence}")
        table.add_row(sequence, _time(at), Folded(in_chinese(entry.body, names), *written))
        table.add_row("", "", Folded(gloss, style="dim"))
    return table


def _time(at: datetime | None) -> Text:
    """The story's clock; an arrow where the house has acted by itself."""
    return Text("  ↳", "dim") if at is None else Text(f"{at:%H:%M}")


def notices_line(count: int, report_id: str) -> Folded:
    """What the timeline leaves out."""
    return Folded(
        f"骑手和各单位为此收到的 {count} 条通知这里没有列出。"
        f" The {count} notices that told of it are left out here: waggle timeline {report_id}",
        style="dim",
    )


def passbook_table(
    lines: Iterable[Mapping[str, Any]], names: Names, places: Mapping[str, str]
) -> Table:
    """A line for each award, the sum growing; `places` says where each report was made."""
    table = Table(box=None, pad_edge=False, header_style="dim", padding=(0, 2, 0, 0))
    table.add_column("上报\nreport", no_wrap=True)
    table.add_column("积分\npoints", justify="right", no_wrap=True)
    table.add_column("累计\nsum", justify="right", no_wrap=True)
    table.add_column("事由\nfor what")
    total = 0
    for line in lines:
        total += line["points"]
        service, place = names.service(line["service_code"]), places.get(line["report_id"], "")
        what = Folded(service.zh, f"，{place} " if place else " ", (service.en, "dim"))
        table.add_row(line["report_id"], f"+{line['points']}", f"{total}", what)
    return table
