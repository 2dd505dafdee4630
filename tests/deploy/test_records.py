"""What an earlier run left is found by what it carries, and nothing else is touched."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import psutil

from deploy import records
from deploy.records import Record

SLEEPER = (sys.executable, "-S", "-c", "import time; time.sleep(60)")
DEAF = (
    sys.executable,
    "-S",
    "-c",
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print(1, flush=True);"
    "time.sleep(60)",
)


@contextmanager
def process(record: Record, argv: tuple[str, ...] = SLEEPER) -> Iterator[psutil.Process]:
    """A process that carries a record's token, and is buried whatever becomes of it."""
    env = {**os.environ, records.MARK: record.token}
    popen = subprocess.Popen(argv, env=env, stdout=subprocess.PIPE)
    if argv is DEAF:
        assert popen.stdout is not None
        popen.stdout.read(1)
    try:
        yield psutil.Process(popen.pid)
    finally:
        popen.kill()
        popen.communicate()


def test_a_leftover_is_stopped_and_forgotten(house: Path) -> None:
    record = Record.new("router")
    with process(record) as left:
        records.write(house, replace(record, pid=left.pid))
        assert records.stop_leftovers(house) == ("router",)
        assert records.ended(left)
    assert records.read_all(house) == ()


def test_one_that_does_not_listen_is_killed(house: Path) -> None:
    record = Record.new("router")
    with process(record, DEAF) as left:
        records.write(house, replace(record, pid=left.pid))
        assert records.stop_leftover(house, "router", grace=0.1)
        assert records.ended(left)


def test_a_process_id_that_is_now_anothers_is_left_alone(house: Path) -> None:
    with process(Record.new("router")) as stranger:
        records.write(house, replace(Record.new("router"), pid=stranger.pid))
        assert records.stop_leftovers(house) == ()
        assert not records.ended(stranger)
    assert records.read_all(house) == ()


def test_a_crash_between_starting_and_noting_the_id_loses_nothing(house: Path) -> None:
    record = Record.new("router")
    records.write(house, record)
    with process(record) as left:
        assert records.stop_leftovers(house) == ("router",)
        assert records.ended(left)


def test_a_start_that_never_happened_is_forgotten(house: Path) -> None:
    records.write(house, Record.new("router"))
    assert records.stop_leftovers(house) == ()
    assert records.read_all(house) == ()


def test_the_house_next_door_is_left_alone(house: Path) -> None:
    ours, theirs = Record.new("router"), Record.new("router")
    with process(ours) as left, process(theirs) as neighbour:
        records.write(house / "ours", replace(ours, pid=left.pid))
        records.write(house / "theirs", replace(theirs, pid=neighbour.pid))
        records.stop_leftovers(house / "ours")
        assert records.ended(left)
        assert not records.ended(neighbour)


def test_the_last_started_is_stopped_first(house: Path) -> None:
    for name in ("nats", "intake", "gateway"):
        records.write(house, Record.new(name))
    assert [record.name for record in records.read_all(house)] == ["gateway", "intake", "nats"]


def test_a_record_that_was_cut_off_is_no_record(house: Path) -> None:
    for number, text in enumerate(("", "{", "[]", '{"name": "x"}')):
        (house / f"{number}.json").write_text(text)
    assert records.read_all(house) == ()


def test_forgetting_an_old_record_leaves_the_new_one(house: Path) -> None:
    old, new = Record.new("router"), Record.new("router")
    records.write(house, new)
    records.forget(house, old)
    assert records.read(house, "router") == new
