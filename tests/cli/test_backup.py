"""A house saved while it runs, restored elsewhere, and compared; and what cannot be restored."""

from __future__ import annotations

import asyncio
import json
import shutil
import signal
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from cli.session import open_session
from contracts.envelope import ERASED
from contracts.report import ReportAccepted
from deploy.backup_files import SEAL, SUMS, key_backups
from deploy.projections import PROJECTIONS
from deploy.restore import DRAFT
from deploy.retention import BadDays, Days
from eventlog import checkpoint
from eventlog.checkpoint import LogLost
from eventlog.project import ProjectionRunner
from eventlog.read import read_log, read_stream
from eventlog.sealing import unseal
from proof.files import LATEST
from tests.cli.test_verbs import step_of, submitted, until
from tests.cli.waggle import Waggle
from tests.deploy.folders import empty_house
from tests.houses import PATIENCE, WAGGLE
from tests.journey.house import House

TEXT = "桃园路口垃圾外溢，\n\t污水流到非機動車道"
FORGOTTEN = "rider-forgotten-later"


@dataclass(frozen=True)
class Saved:
    """Two backups of one house, the second after more had happened, and both restored."""

    place: Path
    case: str
    """Of the first backup; in the second it has gone on."""
    later: str
    """Only in the second."""
    first: dict[str, object]

    def backup(self, which: str) -> Path:
        return self.place / f"backup-{which}"

    def house(self, which: str) -> Path:
        return self.place / f"house-{which}"


@pytest.fixture(scope="module")
def saved(waggle: Waggle) -> Iterator[Saved]:
    with empty_house() as place:
        case = submitted(waggle, FORGOTTEN)
        submitted(waggle, "rider-saved")
        first = waggle.json("backup", str(place / "backup-a"))
        waggle.json("dispatch", case, "sanitation")
        waggle.json("accept", case)
        later = submitted(waggle, "rider-saved")
        waggle.json("erase", "rider", FORGOTTEN, "--reason", "asked")
        step_of(waggle, case, "handling")
        waggle.json("backup", str(place / "backup-b"))
        for which in "ab":
            restored = waggle.json(
                "restore", str(place / f"backup-{which}"), "--data", str(place / f"house-{which}")
            )
            assert restored["log_sequence"] > 0
        yield Saved(place, case, later, first)


async def log_of(folder: Path, last: int) -> list[tuple[object, ...]]:
    """Every fact up to `last`: where it stands, when it was recorded, what it is."""
    async with open_session(folder, quiet=True, services=False) as session:
        return [
            (one.sequence, one.recorded_at, one.subject, one.hash)
            async for batch in read_log(await session.log(), up_to=last)
            for one in batch
        ]


async def words_of(folder: Path, case: str) -> object:
    """What the rider has said, as far as it can be read in that house."""
    async with open_session(folder, quiet=True, services=False) as session:
        facts = [one async for one in read_stream(await session.log(), "report", case)]
        (said, *_) = await unseal(facts, await session.keys())
        assert isinstance(said, ReportAccepted)
        return said.text


def test_a_backup_names_what_it_holds_and_its_sums_can_be_checked(saved: Saved) -> None:
    folder, keys = saved.backup("a"), Path(str(saved.first["key_backup"]))
    for place in (folder, keys):
        subprocess.run(["sha256sum", "--check", "--quiet", SUMS], cwd=place, check=True)
    manifest = json.loads((folder / "manifest.json").read_text())
    names = [part["config"]["name"] for part in manifest["streams"]]
    assert names[:2] == ["INBOX", "LOG"], "what leaves the inbox must be in the log"
    assert {"OUTBOX", "WORK", "ANSWER", "PARK"} <= set(names)


def test_keys_lie_apart_for_their_owner_only_and_have_a_last_day(
    saved: Saved, living_house: Path
) -> None:
    keys = Path(str(saved.first["key_backup"]))
    assert not keys.is_relative_to(saved.backup("a"))
    assert not list(saved.backup("a").rglob("*.key"))
    assert keys.stat().st_mode & 0o077 == 0
    assert all(file.stat().st_mode & 0o077 == 0 for file in keys.rglob("*"))
    told = json.loads((keys / "manifest.json").read_text())
    made, gone = (datetime.fromisoformat(told[name]) for name in ("made_at", "delete_by"))
    assert gone - made == timedelta(days=Days().key_backups)
    assert keys in [one.folder for one in key_backups(living_house)]


def test_keys_never_live_longer_than_the_promise() -> None:
    with pytest.raises(BadDays, match="outlive"):
        Days(promise=30, key_backups=30)


def test_a_longer_life_for_keys_is_refused_before_anything_is_saved(
    waggle: Waggle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WAGGLE_DAYS_KEY_BACKUPS", "31")
    said = waggle("backup", str(tmp_path / "b"))
    assert said.code == 2
    assert "WAGGLE_DAYS_KEY_BACKUPS" in said.err
    assert not (tmp_path / "b").exists()


def test_a_restored_log_is_the_same_message_by_message(saved: Saved, living_house: Path) -> None:
    last = int(str(saved.first["log_sequence"]))
    restored = asyncio.run(log_of(saved.house("a"), 2 * last))
    assert len(restored) == last
    assert restored == asyncio.run(log_of(living_house, last))


def test_a_restored_house_opens_what_was_sealed_and_nothing_of_who_is_erased(saved: Saved) -> None:
    assert asyncio.run(words_of(saved.house("a"), saved.case)) == TEXT
    assert asyncio.run(words_of(saved.house("b"), saved.case)) == ERASED
    assert asyncio.run(words_of(saved.house("b"), saved.later)) == TEXT


def test_nothing_is_written_over(saved: Saved, waggle: Waggle) -> None:
    (saved.place / "taken").mkdir()
    (saved.place / "taken" / "something").touch()
    taken = str(saved.place / "taken")
    for words in (("backup", taken), ("restore", str(saved.backup("a")), "--data", taken)):
        said = waggle(*words)
        assert said.code == 2
        assert "not empty" in said.err
    assert [file.name for file in Path(taken).iterdir()] == ["something"]


def flipped(folder: Path) -> str:
    file = folder / "streams" / "LOG.snapshot"
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 1
    file.write_bytes(data)
    return "LOG.snapshot is damaged"


def cut(folder: Path) -> str:
    file = folder / "streams" / "OUTBOX.snapshot"
    file.write_bytes(file.read_bytes()[:-1])
    return "OUTBOX.snapshot is damaged"


def removed(folder: Path) -> str:
    (folder / "streams" / "WORK.snapshot").unlink()
    return "WORK.snapshot is missing"


def unfinished(folder: Path) -> str:
    (folder / SUMS).unlink()
    return "never finished"


def another_manifest(folder: Path) -> str:
    file = folder / "manifest.json"
    file.write_text(file.read_text().replace('"log_sequence": ', '"log_sequence": 1'))
    return "manifest.json is damaged"


def added(folder: Path) -> str:
    (folder / "streams" / "MORE.snapshot").write_bytes(b"x")
    return "does not belong"


@pytest.mark.parametrize("spoil", [flipped, cut, removed, unfinished, another_manifest, added])
def test_a_damaged_or_incomplete_backup_is_refused_with_file_and_reason(
    saved: Saved, waggle: Waggle, spoil: Callable[[Path], str]
) -> None:
    folder = saved.place / f"spoiled-{spoil.__name__}"
    shutil.copytree(saved.backup("a"), folder)
    reason = spoil(folder)
    keys = str(saved.first["key_backup"])
    to = saved.place / "never"
    said = waggle("restore", str(folder), "--keys", keys, "--data", str(to))
    assert said.code == 2
    assert reason in said.err
    assert str(folder) in said.err
    assert not to.exists()
    assert not list(saved.place.glob("never*"))


def test_a_restore_that_is_interrupted_leaves_nothing(saved: Saved) -> None:
    to = saved.place / "interrupted"
    draft = to.with_name(f"{to.name}{DRAFT}")
    words = ("restore", str(saved.backup("a")), "--data", str(to))
    restoring = subprocess.Popen([*WAGGLE, *words], stdout=subprocess.DEVNULL)
    until(lambda: (draft / "run" / "nats.json").exists() or None)
    restoring.send_signal(signal.SIGINT)
    assert restoring.wait(timeout=PATIENCE) == 130
    assert not to.exists()
    assert not draft.exists()


def test_keys_older_than_the_log_are_refused(saved: Saved, waggle: Waggle) -> None:
    keys = str(saved.first["key_backup"])
    to = str(saved.place / "never")
    said = waggle("restore", str(saved.backup("b")), "--keys", keys, "--data", to)
    assert said.code == 2
    assert "would be lost" in said.err


def mixed(saved: Saved, name: str, *, tables: str, log: str) -> Path:
    """A house whose PostgreSQL is of one backup and whose streams are of another."""
    folder = saved.place / name
    subprocess.run(["cp", "-a", str(saved.house(tables)), str(folder)], check=True)
    shutil.rmtree(folder / "nats")
    subprocess.run(["cp", "-a", str(saved.house(log) / "nats"), str(folder)], check=True)
    return folder


def test_a_postgresql_older_than_the_log_catches_up_and_gives_up_the_keys_of_the_erased(
    saved: Saved,
) -> None:
    house = House.start(mixed(saved, "older-tables", tables="a", log="b"))
    try:
        waggle = Waggle(house.folder)
        until(lambda: waggle.json("status")["caught_up"] or None)
        step_of(waggle, saved.case, "handling")
        step_of(waggle, saved.later, "dispatched")
        assert waggle("rebuild", "--check").code == 0
        said = asyncio.run(words_of(house.folder, saved.case))
        assert said == ERASED, "the key came back with the older key store"
        server = json.loads((house.folder / "nats" / "nats.conf").read_text())
        assert server["jetstream"]["sync_interval"] == "always", "that of the restore has stayed"
    finally:
        house.stop()


def test_a_log_older_than_postgresql_is_noticed_and_a_rebuild_mends_it(
    saved: Saved, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checkpoint, "LOOK_AGAIN", (0.05,))
    folder = mixed(saved, "older-log", tables="b", log="a")

    async def followed() -> list[str]:
        async with open_session(folder, quiet=True, services=False) as session:
            log, tables = await session.log(), await session.owned_tables()
            refused = []
            for projection in PROJECTIONS:
                try:
                    async with asyncio.timeout(2):
                        await ProjectionRunner(projection, log, tables).run()
                except LogLost as lost:
                    refused.append(str(lost))
                except TimeoutError:
                    continue  # nothing had come for this one in between
            return refused

    refused = asyncio.run(followed())
    assert refused
    for reason in refused:
        assert "the log has lost facts" in reason
        assert "waggle rebuild" in reason
    waggle = Waggle(folder)
    assert waggle("rebuild").code == 0
    assert waggle("rebuild", "--check").code == 0


def test_a_drill_restores_the_running_house_and_finds_everything_equal(
    waggle: Waggle, living_house: Path
) -> None:
    until(lambda: (living_house / SEAL / LATEST).is_file() or None)
    told = waggle.json("drill")
    assert told["ok"] is True
    assert told["facts"] == told["log_sequence"] > 0
    assert told["checkpoints"] > 0
    assert 0 < told["covered"] <= told["facts"]
    assert [one["equal"] for one in told["projections"]] == [True] * len(PROJECTIONS)
    assert set(told["seconds"]) == {"backup", "restore", "verify", "compare"}
