"""What stands before and after the day, in both languages."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from rich.console import Group
from rich.text import Text

from cli.demo.folding import Folded, Glossed
from cli.story.story import Story
from contracts.case import UnitKind
from contracts.rulebook import Rulebook
from deploy.house import HouseInfo

LEGEND: Final = (
    *("上报 ", ("reported  ", "dim"), "不受理 ", ("refused  ", "dim")),
    *("接单 ", ("taken on, and why by them  ", "dim"), "派遣 ", ("handed on  ", "dim")),
    *("退回 ", ("given back  ", "dim"), "处置 ", ("the result  ", "dim")),
    *("返工 ", ("not done, do it again  ", "dim"), "结案 ", ("verified and closed  ", "dim")),
    *("积分 ", ("points  ", "dim"), "通知 ", ("notices", "dim")),
)
"""The words of the lines and counters."""
PARTS: Final = {
    "start": "启动 start",
    "day": "一天 the day",
    "settling": "收尾 settling",
    "telling": "报表 tables",
    "rebuild": "重建 rebuild",
    "checks": "核对 checks",
}
SHORT: Final = 0.05
"""Seconds that are not worth telling."""


def ready(info: HouseInfo, seconds: float) -> Text:
    """The house is up."""
    text = Text("ready", style="bold green")
    text.append(
        f"  {info.nats_url}  data {info.folder}  ({seconds:.1f} s)", style="not bold default"
    )
    return text


def opening(story: Story, book: Rulebook) -> Group:
    """Who plays, and how to read the lines."""
    kinds = Counter(unit.kind for unit in book.units)
    streets, departments = kinds[UnitKind.STREET], kinds[UnitKind.DEPARTMENT]
    riders, reports, services = len(story.riders), len(story.reports), len(book.services)
    return Group(
        "",
        Folded((f"蜂溪区的一天 {story.on:%Y-%m-%d}", "bold"), "  A day in a made-up district"),
        Folded(
            f"{riders} 位骑手上报 {reports} 件隐患，{streets} 个街道、{departments} 个部门处置"
            f" {services} 类问题，城市管理监督中心核查，通过后结案、发积分。",
        ),
        Folded(
            f"{riders} riders report {reports} hazards, {streets} street offices and {departments} "
            f"departments handle {services} kinds of them, the supervision centre verifies, and "
            "what is closed earns points. Every act is a command through NATS from the party that "
            "acts, with its own credentials; units take their orders from their own queues.",
            style="dim",
        ),
        "",
        Folded(*LEGEND),
        "",
    )


def verdict(*, is_well: bool, seconds: Mapping[str, float]) -> Group:
    """Whether all is as it must be, and how long it took."""
    parts = " · ".join(
        f"{PARTS[name]} {took:.1f} s" for name, took in seconds.items() if took >= SHORT
    )
    said = (
        Folded(("✔ 全部与故事一致  ", "bold green"), "Everything is as the story says.")
        if is_well
        else Folded(("✘ 与故事有出入  ", "bold red"), "Not everything is as the story says.")
    )
    return Group(said, Folded(f"{sum(seconds.values()):.1f} s：{parts}", style="dim"))


def closing(eventful: str, rider: str, kept: Path | None) -> Group:
    """What to try next."""
    folder = kept or "demo-house"
    commands = [
        (f"waggle timeline {eventful} --data {folder}", "任一上报的全过程", "any report's way"),
        (f"waggle passbook {rider} --data {folder}", "任一骑手的存折", "any passbook"),
        (f"waggle status --data {folder}", "案件进度", "where cases stand"),
        (f"waggle log tail --data {folder}", "日志本身", "the log itself"),
        (f"waggle up --data {folder}", "让它一直开着", "keep it running"),
    ]
    if kept is None:
        again = (f"waggle demo --data {folder}", "再演一遍并留下", "again, and keep it")
        commands.insert(0, again)
    widest = max(len(command) for command, _, _ in commands)
    lines = [
        Glossed(Folded(command.ljust(widest)), Folded(f"{zh} {en}", style="dim"))
        for command, zh, en in commands
    ]
    return Group(*lines, Folded("README.md  docs/architecture.md", style="dim"))
