"""Rows of a file of messages: what is good stays as it came, what is bad is told, all of it."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cli.imports.messages import BadFile, BadRow, Message, Reading, read, source_of
from contracts.rulebook import Published
from tests.district import BOOK

CHINA = timezone(timedelta(hours=8))
RULES = Published(BOOK.documents)
READING = Reading("mail", datetime(2026, 11, 22, tzinfo=CHINA), RULES, names={})
HEADING = "message_id,user_id,title,created_at,text,reply,replied_at\r\n"
CREATED, REPLIED = "2019-04-25T09:32:09+08:00", "2019-05-10T14:56:53+08:00"


def lines(text: str) -> Iterator[str]:
    return iter(io.StringIO(text, newline=""))


def rows(body: str, reading: Reading = READING) -> list[Message | BadRow]:
    return list(read(lines(HEADING + body), reading))


def only(body: str, reading: Reading = READING) -> Message | BadRow:
    (row,) = rows(body, reading)
    return row


def problems(body: str, reading: Reading = READING) -> list[tuple[str | None, str]]:
    row = only(body, reading)
    assert isinstance(row, BadRow), row
    return [(p.column, p.reason) for p in row.problems]


def good(body: str, reading: Reading = READING) -> Message:
    row = only(body, reading)
    assert isinstance(row, Message), row
    return row


def row(
    message_id: str = "17",
    user_id: str = "u1",
    created: str = CREATED,
    text: str = "路灯不亮",
    reply: str = "",
    replied: str = "",
) -> str:
    out = io.StringIO()
    csv.writer(out).writerow([message_id, user_id, "标题", created, text, reply, replied])
    return out.getvalue()


def test_a_row_is_a_report_at_its_own_time_with_its_handling() -> None:
    message = good(row(reply="已修复。", replied=REPLIED))
    assert message.report.report_id == "mail_17"
    assert message.report.rider_id == "mail_u1"
    assert message.report.seen_at.isoformat() == CREATED
    assert message.report.title == "标题"
    assert message.handling is not None
    assert message.handling.case_id == "mail_17"
    assert message.handling.result == "已修复。"
    assert message.handled_at == datetime.fromisoformat(REPLIED)


def test_a_row_without_reply_is_a_report_alone() -> None:
    assert good(row()).handling is None


@pytest.mark.parametrize(
    "text",
    [
        "\t\t第一行\r\n\t\t第二行\n\r尾",
        "\u3000\u3000全角空格　與不換行\u00a0空格\u200b零寬",
        " 前後有空白 ",
        '他說："路燈不亮"，已三天',
        "臺北市信義區忠孝東路五段３號",
        "\ufeff𠮷野家門口的井蓋\U0001f6b4",
    ],
)
def test_texts_stay_as_they_came(text: str) -> None:
    message = good(row(text=text, reply=text, replied=REPLIED))
    assert message.report.text == text
    assert message.handling is not None
    assert message.handling.result == text


TEXTS = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=60
)


@given(st.lists(TEXTS, min_size=1, max_size=6))
def test_any_texts_come_through_whole_and_each_row_knows_its_line(texts: list[str]) -> None:
    written = [row(str(number), text=text) for number, text in enumerate(texts)]
    found = rows("".join(written))
    assert [m.report.text for m in found if isinstance(m, Message)] == texts
    line = 2
    for message, body in zip(found, written, strict=True):
        assert message.place.row == line
        line += len(list(lines(body)))


def test_a_row_says_on_which_line_it_begins() -> None:
    first, second = rows(row("1", text="一\n二\n三") + "\r\n" + row("2"))
    assert (first.place.row, first.place.record) == (2, 1)
    assert (second.place.row, second.place.record) == (6, 2)


@pytest.mark.parametrize(
    ("body", "column", "reason"),
    [
        (row(message_id="１７"), "message_id", "no id"),
        (row(message_id="a b"), "message_id", "no id"),
        (row(message_id=""), "message_id", "no id"),
        (row(message_id="x" * 60), "message_id", "no id: 1 to 59 letters"),
        (row(user_id="张三"), "user_id", "no id"),
        (row(created="25 April"), "created_at", "no time in ISO 8601"),
        (row(created=""), "created_at", "no time in ISO 8601"),
        (row(created="2019-04-25T09:32:09"), "created_at", "has no time zone"),
        (row(created="2030-01-01T00:00:00Z"), "created_at", "lies in the future"),
        (row(created="1999-12-31T00:00:00Z"), "created_at", "no rulebook held"),
        (row(text="前\0后"), "text", "a NUL character at 2"),
        (row(text="前\udc80"), "text", "not UTF-8 at character 2"),
        (row(text="长" * 400_000), "text", "1200"),
        (row(reply="好", replied=""), "replied_at", "no time in ISO 8601"),
        (row(reply="", replied=REPLIED), "replied_at", "a time of reply, and no reply"),
        (row(reply="好", replied="2019-04-25T01:32:08Z"), "replied_at", f"before {CREATED}"),
        (row(reply="好" * 20_001, replied=REPLIED), "reply", "String should have at most 20000"),
        ("1,u1,t\r\n", None, "has 3 fields, the heading has 7"),
        (f'1,u1,t,{CREATED},"text"y,,\r\n', None, "is no CSV"),
        (f'1,u1,t,{CREATED},"never closed,,\r\n', None, "is no CSV: unexpected end of data"),
    ],
)
def test_what_is_wrong_is_told_with_its_column(body: str, column: str | None, reason: str) -> None:
    ((told_column, told),) = problems(body)
    assert told_column == column
    assert told.startswith(reason)


def test_everything_that_is_wrong_with_a_row_is_told_at_once() -> None:
    told = problems(row(message_id="?", user_id="", created="soon", text="\0"))
    assert [column for column, _ in told] == ["text", "message_id", "user_id", "created_at"]


def test_a_bad_row_spoils_no_other() -> None:
    found = rows(row("1") + row("?") + "1,2\r\n" + row("3"))
    assert [type(r) for r in found] == [Message, BadRow, BadRow, Message]


def test_a_bad_value_is_told_short_and_printable() -> None:
    bad = only(row(message_id="\udc80" * 100))
    assert isinstance(bad, BadRow)
    assert all(len(p.value) == 61 and p.value.encode() for p in bad.problems)


def test_a_time_without_zone_is_of_the_zone_that_was_named() -> None:
    message = good(
        row(created="2019-04-25 09:32:09"), replace(READING, zone=ZoneInfo("Asia/Shanghai"))
    )
    assert message.report.seen_at == datetime.fromisoformat(CREATED)


def test_columns_may_have_other_names() -> None:
    names = {"message_id": "编号", "user_id": "网名", "created_at": "时间", "text": "内容"}
    text = f"时间,内容,网名,编号,别的\r\n{CREATED},路灯不亮,u1,17,x\r\n"
    (message,) = read(lines(text), replace(READING, names=names))
    assert isinstance(message, Message)
    assert message.report.report_id == "mail_17"
    (bad,) = read(lines(text.replace("17", "十七")), replace(READING, names=names))
    assert isinstance(bad, BadRow)
    assert bad.problems[0].column == "编号"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "the file is empty"),
        ("a,b\r\n", "no column created_at, message_id, text, user_id; the file has a, b"),
        ("text,text\r\n", "two columns are called text"),
        ('"a\r\n', "the heading is no CSV"),
    ],
)
def test_a_file_without_its_columns_is_refused_as_a_whole(text: str, reason: str) -> None:
    with pytest.raises(BadFile, match=reason):
        list(read(lines(text), READING))


def test_a_mapped_column_that_is_not_there_is_missed() -> None:
    with pytest.raises(BadFile, match="no column 答复"):
        list(read(lines(HEADING), replace(READING, names={"reply": "答复"})))


@pytest.mark.parametrize(
    ("stem", "source"),
    [
        ("messages", "messages"),
        ("citizen_messages (2019)", "citizen-messages-2019"),
        ("留言2019", "2019"),
        ("留言", ""),
        ("x" * 40, "x" * 32),
    ],
)
def test_a_source_is_made_from_the_name_of_the_file(stem: str, source: str) -> None:
    assert source_of(stem) == source
