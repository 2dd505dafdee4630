"""How long what is kept, and what is found to be older."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from deploy.backup_files import MANIFEST, KeyBackup, key_backups, remember
from deploy.processes import rotate
from deploy.retaining import _forget_keys, cut, old_logs
from deploy.retention import BadDays, Days, variable
from deploy.streams import streams

NOW = datetime(2026, 11, 27, 12, tzinfo=UTC)
DAY = 86_400


def log_file(folder: Path, name: str, text: str, days_ago: float) -> Path:
    file = folder / name
    file.write_text(text)
    at = NOW.timestamp() - days_ago * DAY
    os.utime(file, (at, at))
    return file


def found(folder: Path) -> list[tuple[str, str]]:
    return [(one.kind, one.name) for one in old_logs(folder, Days(), NOW)]


@pytest.mark.parametrize(
    ("set_", "why"),
    [
        ({"key_backups": "30"}, "outlive"),
        ({"promise": "10"}, "outlive"),
        ({"logs": "179"}, "at least 180"),
        ({"parked": "0"}, "at least one day"),
        ({"answers": "many"}, "whole number"),
        ({"answers": "-3"}, "whole number"),
    ],
)
def test_days_that_break_a_promise_or_a_law_are_refused(set_: dict[str, str], why: str) -> None:
    with pytest.raises(BadDays, match=why):
        Days.from_environment({variable(name): text for name, text in set_.items()})


def test_days_can_be_set_one_by_one() -> None:
    days = Days.from_environment({"WAGGLE_DAYS_KEY_BACKUPS": "3", "WAGGLE_DAYS_LOGS": " "})
    assert days == Days(key_backups=3)


def test_streams_that_are_not_for_ever_end_by_their_days() -> None:
    days = Days(answers=7, parked=8, orders=9)
    ages = {stream.name: (stream.max_age or 0) / DAY for stream in streams(days=days)}
    assert ages == {"LOG": 0, "OUTBOX": 0, "INBOX": 0, "ANSWER": 7, "PARK": 9, "WORK": 9}


@pytest.mark.parametrize(("days_ago", "kinds"), [(180, []), (199, []), (201, ["log"])])
def test_a_log_is_kept_for_half_a_year_and_more_and_then_goes(
    tmp_path: Path, days_ago: int, kinds: list[str]
) -> None:
    log_file(tmp_path, "intake.log.20260101T000000000000", "2026-01-01 x\n", days_ago)
    assert [kind for kind, _ in found(tmp_path)] == kinds


@pytest.mark.parametrize(
    ("first", "kinds"),
    [
        ('{"timestamp": "2026-11-20T08:00:00Z"}', []),
        ('{"timestamp": "2026-11-01T08:00:00Z"}', ["log_piece"]),
        ("[812] 2026/11/01 08:00:00.1 [INF] Starting", ["log_piece"]),
        ("2026-11-01 08:00:00.123 UTC [9] LOG: ready", ["log_piece"]),
        ("9999-99-99 no day", []),
        ("", []),
    ],
)
def test_a_log_that_goes_on_for_long_is_cut_so_that_its_old_lines_can_go(
    tmp_path: Path, first: str, kinds: list[str]
) -> None:
    log_file(tmp_path, "router.log", f"{first}\n", 0)
    assert [kind for kind, _ in found(tmp_path)] == kinds


def test_who_writes_a_log_goes_on_behind_the_cut(tmp_path: Path) -> None:
    file = tmp_path / "router.log"
    program = "import sys\nfor line in sys.stdin: print(line, end='', flush=True)"
    with file.open("ab") as out:
        writer = subprocess.Popen(
            [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=out, text=True
        )
    assert writer.stdin is not None

    def written(text: str, in_all: int) -> None:
        assert writer.stdin is not None
        writer.stdin.write(text)
        writer.stdin.flush()
        while file.stat().st_size != in_all:
            pass

    written("before\n", 7)
    aside = cut(file, NOW)
    written("behind\n", 7)
    writer.stdin.close()
    assert writer.wait(timeout=20) == 0
    assert (aside.read_text(), file.read_text()) == ("before\n", "behind\n")
    assert cut(file, NOW) != aside, "a piece of the same day is not written over"


def test_a_log_put_aside_before_a_start_is_never_written_over(tmp_path: Path) -> None:
    for turn in range(2):
        file = log_file(tmp_path, "intake.log", f"{turn}" * 100, turn)
        rotate(file, limit=50)
    assert sorted(file.read_text()[0] for file in tmp_path.iterdir()) == ["0", "1"]


def test_a_backup_of_keys_is_deleted_and_nothing_else_in_its_place_is(tmp_path: Path) -> None:
    keys, other = tmp_path / "keys", tmp_path / "other"
    for folder in (keys, other):
        folder.mkdir()
        (folder / "something").touch()
    (keys / MANIFEST).touch()
    gone = NOW + timedelta(days=1)
    remember(tmp_path, [KeyBackup(folder=one, delete_by=gone) for one in (keys, other)])
    _forget_keys(tmp_path, keys)
    _forget_keys(tmp_path, other)
    assert not keys.exists()
    assert other.exists(), "no backup of keys stood there any more"
    assert key_backups(tmp_path) == []
