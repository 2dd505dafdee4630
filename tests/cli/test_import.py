"""History through a house that runs: every row accounted for, as it came, nothing twice."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any

import pytest

from cli.ids import new_id
from tests.cli.waggle import Waggle

HEADING = ("message_id", "user_id", "title", "created_at", "text", "reply", "replied_at")
TEXTS = (
    "\t\t第一行\r\n\t\t第二行\n尾",
    "\u3000\u3000全角空格　與不換行\u00a0空格",
    '他說："路燈不亮"，已三天 ',
    "臺北市信義區忠孝東路五段３號，𠮷野家門口",
)
CREATED, REPLIED = "2019-04-25T09:32:09+08:00", "2019-05-10T14:56:53+08:00"
Row = tuple[str, ...]


@pytest.fixture
def source() -> str:
    """A namespace that no other test uses."""
    return f"t{new_id()}"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "messages.csv"


def write(file: Path, *rows: Row, heading: Row = HEADING) -> Path:
    text = io.StringIO()
    csv.writer(text).writerows([heading, *rows])
    file.write_bytes(b"\xef\xbb\xbf" + text.getvalue().encode())
    return file


def good(number: int, *, replied: bool = True) -> Row:
    text = TEXTS[number % len(TEXTS)]
    said = (f"m{number}", f"u{number % 3}", f"标题 {number}", CREATED, f"{number}{text}")
    return (*said, f"答复{text}{number}", REPLIED) if replied else (*said, "", "")


def brought_in(waggle: Waggle, file: Path, source: str, *more: str) -> dict[str, Any]:
    said = waggle("import", "messages", str(file), "--source", source, "--json", *more)
    assert said.code in (0, 1), said.err
    document: dict[str, Any] = said.document
    assert document["read"] == document["accepted"] + document["refused"] + document["known"]
    assert said.code == (1 if document["refused"] else 0)
    assert len(document["rows"]) == document["refused"]
    return document


def counts(document: dict[str, Any]) -> dict[str, int]:
    return {name: document[name] for name in ("read", "accepted", "refused", "known", "closed")}


def test_every_row_is_a_report_with_its_case_at_its_own_time(
    waggle: Waggle, file: Path, source: str
) -> None:
    rows = [good(n, replied=n != 2) for n in range(7)]
    document = brought_in(waggle, write(file, *rows), source)
    assert counts(document) == {"read": 7, "accepted": 7, "refused": 0, "known": 0, "closed": 6}
    for number in (1, 2):
        facts = waggle.json("timeline", f"{source}_m{number}")["facts"]
        assert facts[0]["body"]["text"] == rows[number][4]
        assert facts[0]["body"]["title"] == rows[number][2]
        assert facts[0]["body"]["seen_at"] == facts[0]["body"]["seen_at"] == CREATED
        assert {f["history"] for f in facts} == {True}
        opened = ["ReportAccepted", "CaseOpened", "CaseDispatched"]
        handled = ["WorkResolved", "CaseClosed"] if number == 1 else []
        assert [f["type"] for f in facts] == opened + handled
    (*_, resolved, _) = waggle.json("timeline", f"{source}_m1")["facts"]
    assert resolved["body"]["result"] == rows[1][5]
    assert resolved["happened_at"] == "2019-05-10T06:56:53+00:00"


def test_run_again_it_adds_no_fact(waggle: Waggle, file: Path, source: str) -> None:
    write(file, *(good(n, replied=n % 2 == 0) for n in range(250)))
    first = brought_in(waggle, file, source)
    assert counts(first)["accepted"] == 250
    before = waggle.json("log", "count", "--by", "actor")["counts"]
    again = brought_in(waggle, file, source)
    assert counts(again) == {"read": 250, "accepted": 0, "refused": 0, "known": 250, "closed": 125}
    after = waggle.json("log", "count", "--by", "actor")["counts"]
    assert (after["archive"], after["router"]) == (before["archive"], before["router"])


def test_a_reply_that_came_later_is_added(waggle: Waggle, file: Path, source: str) -> None:
    brought_in(waggle, write(file, good(1, replied=False), good(2)), source)
    document = brought_in(waggle, write(file, good(1), good(2)), source)
    assert counts(document) == {"read": 2, "accepted": 1, "refused": 0, "known": 1, "closed": 2}


def test_every_bad_row_is_told_and_spoils_no_other(waggle: Waggle, file: Path, source: str) -> None:
    write(
        file,
        good(1),
        ("m 2", "u1", "", CREATED, "空格", "", ""),
        ("m3", "u1", "", "2019-04-25", "沒有時區", "", ""),
        ("m4", "u1", "", CREATED, " \t\n", "", ""),
        ("m5", "u1", "", CREATED, "太長" * 2001, "", ""),
        ("m6", "u1", "", CREATED, "答復早於來信", "早了", "2018-05-10T14:56:53+08:00"),
        good(1),
        (*good(1)[:4], "另一番話", "", ""),
        (*good(1)[:5], "另一個答復", REPLIED),
        good(9),
    )
    document = brought_in(waggle, file, source)
    assert counts(document) == {"read": 10, "accepted": 2, "refused": 7, "known": 1, "closed": 4}
    told = {
        row["record"]: (row["column"], row["reason"].partition(":")[0]) for row in document["rows"]
    }
    assert told == {
        2: ("message_id", "no id"),
        3: ("created_at", "has no time zone; name it with --time-zone"),
        4: ("text", "no_content"),
        5: ("text", "text_too_long"),
        6: ("replied_at", "before 2019-04-25T09"),
        8: ("message_id", "command_id_reused"),
        9: ("reply", "command_id_reused"),
    }
    lines = {row["record"]: row["row"] for row in document["rows"]}
    assert lines[2] == 2 + len(good(1)[4].splitlines()) + len(good(1)[5].splitlines()) - 1
    assert brought_in(waggle, file, source)["accepted"] == 0


def test_columns_and_zone_can_be_named(
    waggle: Waggle, file: Path, source: str, tmp_path: Path
) -> None:
    mapping = tmp_path / "columns.yaml"
    mapping.write_text("message_id: 编号\nuser_id: 网名\ncreated_at: 时间\ntext: 内容\n", "utf-8")
    write(
        file, ("7", "u1", "2019-04-25 09:32", "路灯不亮"), heading=("编号", "网名", "时间", "内容")
    )
    zone = ("--time-zone", "Asia/Shanghai")
    document = brought_in(waggle, file, source, "--mapping", str(mapping), *zone)
    assert document["accepted"] == 1
    (accepted, *_) = waggle.json("timeline", f"{source}_7")["facts"]
    assert accepted["happened_at"] == "2019-04-25T01:32:00+00:00"


def test_what_is_not_to_be_read_at_all_ends_with_2(
    waggle: Waggle, file: Path, tmp_path: Path
) -> None:
    write(file, good(1), heading=tuple("abcdefg"))
    assert (
        "no column created_at, message_id, text, user_id"
        in waggle("import", "messages", str(file)).err
    )
    unnamed = write(tmp_path / "留言.csv", good(1))
    bad_mapping = tmp_path / "bad.yaml"
    bad_mapping.write_text("- text\n")
    for words in (
        (str(file),),
        (str(unnamed),),
        (str(tmp_path / "nothing.csv"),),
        (str(unnamed), "--source", "a_b"),
        (str(unnamed), "--source", "ok", "--time-zone", "Asia/Nowhere"),
        (str(unnamed), "--source", "ok", "--mapping", str(bad_mapping)),
    ):
        assert waggle("import", "messages", *words).code == 2, words
