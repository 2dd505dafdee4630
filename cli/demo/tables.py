"""The tables at the end of the day, in both languages."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from cli.demo.checks import Check
from cli.demo.folding import Folded
from cli.demo.totals import OPEN, Totals
from contracts.notice import Channel
from contracts.report import RefusalCode
from contracts.rulebook import Unit
from eventlog.rebuild import Rebuilt

SHOWN_WRONG: Final = 5
"""Differences shown of a check; `--json` has them all."""
DIGEST: Final = 16
"""Characters of a digest that are shown; the comparison is of all."""

STEPS: Final[Mapping[str, str]] = {
    "dispatched": "待接单 dispatched",
    "handling": "处置中 handling",
    "resolved": "待核查 resolved",
    "closed": "已结案 closed",
}
OUTCOMES: Final[Mapping[str, str]] = {
    "fixed": "已解决 fixed",
    "answered": "已答复 answered",
    "unfounded": "无需处置 unfounded",
    OPEN: "未结 open",
}
CHANNELS: Final[Mapping[str, str]] = {
    Channel.OUTBOX: "发件箱 outbox",
    Channel.WEBHOOK: "平台接口 webhook",
}
DEEDS: Final[Mapping[str, str]] = {
    "工单": "orders",
    "派出": "handed on",
    "退回": "given back",
    "处置": "results",
    "核查": "checked",
    "返工": "reworks",
    "结案": "closed",
    "积分": "points earned",
}
"""The columns of a unit's figures."""
REFUSALS: Final[Mapping[str, str]] = {
    RefusalCode.NO_CONTENT: "无内容 no content",
    RefusalCode.TEXT_TOO_LONG: "文字过长 text too long",
    RefusalCode.NO_POSITION: "无位置 no position",
    RefusalCode.FROM_THE_FUTURE: "时间在未来 from the future",
    RefusalCode.TOO_OLD: "时间过早 too old",
}


def totals_table(totals: Totals, posted: int) -> Table:
    """The whole day, a line for each kind of thing."""
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True)
    table.add_column(justify="right", no_wrap=True)
    table.add_column()
    for zh, en, count, detail in _lines(totals, posted):
        table.add_row(Text.assemble((zh, "bold"), f" {en}"), count, Folded(detail))
    return table


def _lines(totals: Totals, posted: int) -> Iterator[tuple[str, str, str, str]]:
    refused = {REFUSALS.get(why, why): n for why, n in totals.refused.items()}
    steps = {STEPS.get(step, step): n for step, n in totals.steps.items()}
    ends = {OUTCOMES.get(outcome, outcome): n for outcome, n in totals.outcomes.items()}
    channels = {CHANNELS.get(channel, channel): n for channel, n in totals.notices.items()}
    refusals, told = totals.reports - totals.accepted, sum(totals.notices.values())
    awards = f"{totals.awards} 次 awards · {totals.riders} 人 riders"
    yield "上报", "reports", f"{totals.reports:,}", ""
    yield "受理", "accepted", f"{totals.accepted:,}", ""
    yield "不受理", "refused", f"{refusals:,}", _listed(refused)
    yield "案件", "cases", f"{totals.cases:,}", _listed(ends)
    yield "", "", "", _listed(steps)
    yield "退回", "returns", f"{totals.returns:,}", ""
    yield "返工", "reworks", f"{totals.reworks:,}", ""
    yield "积分", "points", f"{totals.points:,}", awards
    yield "通知", "notices", f"{told:,}", f"{_listed(channels)}（验签 verified {posted:,}）"
    yield "事实", "facts", f"{totals.facts:,}", "都在一条日志里 all in one log"


def _listed(counts: Mapping[str, int]) -> str:
    return " · ".join(f"{what} {n:,}" for what, n in counts.items())


def units_table(totals: Totals, units: Iterable[Unit]) -> Group:
    """What each unit did."""
    table = _table()
    table.add_column("单位")
    for zh in DEEDS:
        table.add_column(zh, justify="right", no_wrap=True)
    for unit in units:
        did = totals.units[unit.code]
        figures = (
            did.orders,
            did.dispatched,
            did.returned,
            did.resolved,
            did.verified,
            did.reworks,
            did.closed,
            did.points,
        )
        if any(figures):
            name = Group(Folded(unit.name.zh), Folded(unit.name.en, style="dim"))
            table.add_row(name, *(f"{n:,}" if n else "·" for n in figures))
    legend = " · ".join(f"{zh} {en}" for zh, en in DEEDS.items())
    return Group(table, Folded(legend, style="dim"))


def checks_table(checks: Sequence[Check]) -> RenderableType:
    """Every check, and what is wrong where one does not hold."""
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True)
    table.add_column(justify="right", no_wrap=True)
    table.add_column()
    for check in checks:
        mark = Text("✔", style="green") if check.holds else Text("✘", style="bold red")
        words = Folded(f"{check.words.zh} ", (check.words.en, "dim"))
        table.add_row(mark, f"{check.count:,}", words)
    wrong = [Folded(line, style="red") for check in checks for line in _some(check)]
    return Group(table, *wrong)


def _some(check: Check) -> Iterator[str]:
    for line in check.wrong[:SHOWN_WRONG]:
        yield f"  {check.name}: {line}"
    if (more := len(check.wrong) - SHOWN_WRONG) > 0:
        yield f"  {check.name}: … and {more} more (--json lists them all)"


def rebuild_table(rebuilt: Iterable[Rebuilt]) -> Table:
    """The live tables and the rebuilt ones, digest beside digest."""
    table = _table()
    table.add_column("数据\nprojection", no_wrap=True)
    table.add_column("", no_wrap=True)
    table.add_column("事实\nfacts", justify="right", no_wrap=True)
    table.add_column("行\nrows", justify="right", no_wrap=True)
    for heading in ("原表\nlive, SHA-256", "重建\nrebuilt, SHA-256"):
        table.add_column(heading, overflow="ellipsis", min_width=8)
    for one in rebuilt:
        verdict = Text("一致 EQUAL", "green") if one.equal else Text("不同 DIFFERS", "bold red")
        digests = ((digest or "")[:DIGEST] for digest in (one.digest_live, one.digest_rebuilt))
        table.add_row(one.name, verdict, f"{one.facts:,}", f"{one.rows:,}", *digests)
    return table


def _table() -> Table:
    return Table(box=None, pad_edge=False, header_style="dim", padding=(0, 1, 0, 0))
