"""A report's timeline as one HTML page: no other file is needed, and it can be printed. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from html import escape
from typing import Final

from cli.demo.chinese import in_chinese
from cli.demo.names import Names
from cli.printing import moment
from cli.wording import Told, personal, sentence
from contracts.envelope import Fact, Sealed
from contracts.notice import NoticeDelivered, NoticeParked

_STYLE: Final = """
:root { color-scheme: light dark; --line: #8886; --quiet: #777; }
body { font: 15px/1.5 system-ui, "Noto Sans CJK SC", "Microsoft YaHei", sans-serif;
  margin: 2rem auto; max-width: 70rem; padding: 0 1rem; }
h1 { font-size: 1.4rem; margin: 0; overflow-wrap: anywhere; }
header p { color: var(--quiet); margin: .2rem 0 1.5rem; }
table { border-collapse: collapse; width: 100%; }
th { text-align: left; font-weight: 600; border-bottom: 2px solid var(--line); }
th, td { padding: .35rem .7rem .35rem 0; vertical-align: top; }
td { border-bottom: 1px solid var(--line); overflow-wrap: break-word; }
td.what { overflow-wrap: anywhere; }
td.number { text-align: right; font-variant-numeric: tabular-nums; }
td.time { white-space: nowrap; font-variant-numeric: tabular-nums; }
small, code { color: var(--quiet); font-size: .8rem; }
code { display: block; }
blockquote { margin: .3rem 0 0; padding-left: .7rem; border-left: 3px solid var(--line);
  white-space: pre-wrap; }
tr:target td { background: #fd06; }
a { color: inherit; }
@media print {
  @page { size: A4 landscape; margin: 12mm; }
  body { font-size: 9pt; margin: 0; max-width: none; padding: 0; color: #000; background: #fff; }
  thead { display: table-header-group; }
  tr { break-inside: avoid; }
  a { text-decoration: none; }
}
"""

_LABELS: Final[Mapping[str, Mapping[str, str]]] = {
    "en": {
        "title": "Report {id}",
        "about": "{n} facts, up to sequence {last} of the log. Times are those of {zone}.",
        "sequence": "No.",
        "happened": "Happened",
        "recorded": "Recorded",
        "actor": "By",
        "what": "What",
        "cause": "Because of",
        "rules": "Rules",
        "seen": "seen at {at} by the reporter's clock",
    },
    "zh": {
        "title": "上报 {id}",
        "about": "共 {n} 条事实，截至日志序号 {last}。时间按 {zone}。",
        "sequence": "序号",
        "happened": "发生时间",
        "recorded": "入账时间",
        "actor": "操作方",
        "what": "事项",
        "cause": "起因",
        "rules": "规则版本",
        "seen": "上报人手机时间 {at}",
    },
}
_SEALED: Final = {"en": "(sealed)", "zh": "（已加密）"}
_FIELDS: Final = {
    "title": "标题",
    "text": "描述",
    "photo": "照片",
    "note": "说明",
    "result": "处置结果",
    "reason": "理由",
}


@dataclass(frozen=True, slots=True)
class Setting:
    """For whom the page is: the language, what things are called, the time zone."""

    language: str
    names: Names
    zone: tzinfo


def page(report_id: str, facts: Sequence[Told], setting: Setting) -> str:
    """The whole page. What comes from the log is escaped, whatever it is."""
    say = _LABELS[setting.language]
    title = escape(say["title"].format(id=report_id))
    last = facts[-1].fact.sequence if facts else 0
    about = escape(say["about"].format(n=len(facts), last=last, zone=setting.zone))
    columns = ("sequence", "happened", "recorded", "actor", "what", "cause", "rules")
    heads = "".join(f"<th>{escape(say[column])}</th>" for column in columns)
    shown = {told.fact.sequence for told in facts}
    rows = "\n".join(_row(told, setting, shown) for told in facts)
    lang = "zh-CN" if setting.language == "zh" else "en"
    return (
        f'<!doctype html>\n<html lang="{lang}">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{title}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n"
        f"<header><h1>{title}</h1><p>{about}</p></header>\n"
        f"<table>\n<thead><tr>{heads}</tr></thead>\n<tbody>\n{rows}\n</tbody>\n</table>\n"
        "</body>\n</html>\n"
    )


def rules_of(fact: Fact) -> str | None:
    """The version of the rules that a fact was decided by, where it says so."""
    return getattr(fact, "rulebook", None)


def _row(told: Told, setting: Setting, shown: set[int]) -> str:
    fact = told.fact
    cells = (
        ("number", escape(str(fact.sequence))),
        ("time", _time(fact.happened_at, setting.zone)),
        ("time", _time(fact.recorded_at, setting.zone)),
        ("", escape(fact.actor)),
        ("what", "".join(_what(told, setting))),
        ("", _cause(told.cause, shown)),
        ("", escape(rules_of(told.body) or "")),
    )
    inside = "".join(f'<td class="{kind}">{cell}</td>' for kind, cell in cells)
    return f'<tr id="f{fact.sequence}">{inside}</tr>'


def _time(at: datetime, zone: tzinfo) -> str:
    thousandths = f"{at.astimezone(zone):%f}"[:3]
    whole = escape(moment(at, zone)).replace(" ", "<br>")
    return f'<time datetime="{escape(at.isoformat())}">{whole}<small>.{thousandths}</small></time>'


def _what(told: Told, setting: Setting) -> Iterator[str]:
    """What a fact says; what somebody wrote; its type and its hash, to find it in the log by."""
    fact, say = told.fact, _LABELS[setting.language]
    yield escape(_sentence(told.body, setting))
    if seen := getattr(told.body, "seen_at", None):
        at = say["seen"].format(at=moment(seen, setting.zone))
        yield f"<br><small>{escape(at)}</small>"
    for name, words in personal(told.body):
        sealed = isinstance(getattr(told.body, name), Sealed)
        label = _FIELDS.get(name, name) if setting.language == "zh" else name
        text = _SEALED[setting.language] if sealed else words
        yield f"<blockquote><small>{escape(label)}</small>\n{escape(text)}</blockquote>"
    yield f"<code>{escape(fact.type)} {escape(fact.hash[:16])}</code>"


def _sentence(fact: Fact, setting: Setting) -> str:
    if setting.language == "en":
        return sentence(fact)
    match fact:
        case NoticeDelivered(receiver=receiver, channel=channel):
            return f"已通知 {receiver}（{channel}）"
        case NoticeParked(receiver=receiver, channel=channel):
            return f"未能通知 {receiver}（{channel}）"
        case _:
            return in_chinese(fact, setting.names)


def _cause(cause: str | None, shown: set[int]) -> str:
    """A link, where the page has the fact that it leads to."""
    if cause is None:
        return ""
    number = cause.removeprefix("#")
    if number.isdecimal() and int(number) in shown:
        return f'<a href="#f{number}">{escape(cause)}</a>'
    return escape(cause)
