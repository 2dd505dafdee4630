"""The sealer signs what the log holds, and nothing after it has lost something."""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import structlog

from deploy import sealer
from deploy.seal_folder import REFUSED, SealBroken, SealStore, keep_key
from deploy.sealer import LogLost, Sealer, SealerSettings
from eventlog.settings import Misconfigured
from eventlog.whole import read_whole
from proof.audit import Audit, Verdict
from proof.chain import NO_HASH, chain_hash
from proof.files import SealFolder, audit_lines
from proof.merkle import leaf_hash
from proof.note import Signer
from proof.tiles import Tiling
from tests.deploy.folders import empty_house
from tests.eventlog.site import Site, awarded, opened

PATIENCE = 20.0


@pytest.fixture(autouse=True)
def quick_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sealer, "LOOK_AGAIN", (0.05,))


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    """A log without tables."""
    with empty_house() as folder:
        site = await Site.build(folder, "")
        yield site
        await site.close()


@pytest.fixture
def signer(site: Site) -> Signer:
    return keep_key(site.folder / "credentials" / "seal.key")


@asynccontextmanager
async def sealing(
    site: Site, signer: Signer, *, facts: int = 10, seconds: float = 0.05
) -> AsyncIterator[Sealer]:
    """A sealer at work; what stops it is raised."""
    with SealStore(site.folder / "seal", signer) as store:
        working = Sealer(await site.whole(), store, facts=facts, seconds=seconds)
        task = asyncio.create_task(working.run())
        try:
            yield working
        finally:
            task.cancel()
            (result,) = await asyncio.gather(task, return_exceptions=True)
            if isinstance(result, Exception):
                raise result


async def refusal(site: Site, signer: Signer) -> str:
    """What a sealer says that signs nothing."""
    with SealStore(site.folder / "seal", signer) as store:
        working = Sealer(await site.whole(), store)
        with pytest.raises(LogLost) as refused:
            await asyncio.wait_for(working.run(), PATIENCE)
    return str(refused.value)


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not true():
            await asyncio.sleep(0.01)


async def verdict(site: Site) -> Verdict:
    """What an auditor says who reads the whole log."""
    folder = SealFolder(site.folder / "seal")
    checkpoints = folder.checkpoints(folder.key())
    audit = Audit(checkpoints, folder.tiles(max(c.size for c in checkpoints)))
    read = [one.line async for batch in read_whole(await site.whole()) for one in batch]
    return audit_lines(audit, read)


def many(count: int, start: int = 1) -> list[Any]:
    return [awarded(f"r{n % 5}", n, report=f"r{n}") for n in range(start, start + count)]


async def test_everything_is_sealed_after_so_many_facts_or_so_long(
    site: Site, signer: Signer
) -> None:
    await site.publish_together(many(25))
    async with sealing(site, signer, facts=10, seconds=0.2) as working:
        await until(lambda: working.sealed == 25)
        await site.publish_together(many(3, 26))
        await until(lambda: working.sealed == 28)
    sizes = [c.size for c in SealFolder(site.folder / "seal").checkpoints(signer.verifier)]
    assert sizes[:3] == [10, 20, 25]
    found = await verdict(site)
    assert (found.ok, found.facts, found.covered) == (True, 28, 28)


async def test_what_cannot_be_read_as_a_fact_is_sealed_too(site: Site, signer: Signer) -> None:
    await site.publish_raw("log.case.x", b"\xff no fact", {"some": "header"})
    await site.publish_raw("log.case.x", b"")
    async with sealing(site, signer) as working:
        await until(lambda: working.sealed == 2)
        assert working.broken_chains == 0
    assert (await verdict(site)).ok


async def test_a_sealer_that_is_told_to_stop_seals_what_it_has_read(
    site: Site, signer: Signer
) -> None:
    await site.publish_together(many(7))
    async with sealing(site, signer, seconds=3600) as working:
        await until(lambda: working._tiling.size == 7)
        assert working.sealed == 0
    assert (await verdict(site)).covered == 7


async def test_another_sealer_goes_on_where_one_stopped_and_knows_the_chains(
    site: Site, signer: Signer
) -> None:
    await site.publish(*many(12))
    async with sealing(site, signer) as working:
        await until(lambda: working.sealed == 12)
    await site.publish(*many(5, 13))
    async with sealing(site, signer) as working:
        await until(lambda: working.sealed == 17)
        assert working.broken_chains == 0
    assert (await verdict(site)).ok


async def test_a_fact_that_does_not_follow_the_one_before_it_is_said_and_sealed(
    site: Site, signer: Signer
) -> None:
    """Nobody can mend what is stored: it is said, and counted, and stays as it is."""
    await site.publish(awarded("ann", 1), awarded("bob", 1), awarded("ann", 2))
    async with sealing(site, signer) as working:
        await until(lambda: working.sealed == 3)
    subject, headers, body = site.message(awarded("ann", 3))
    headers |= {"ce-prevhash": NO_HASH, "Nats-Expected-Last-Subject-Sequence": "3"}
    headers["ce-hash"] = chain_hash(subject, headers, body)
    await site.send(subject, headers, body)
    with structlog.testing.capture_logs() as said:
        async with sealing(site, signer) as working:
            await until(lambda: working.sealed == 4)
            assert working.broken_chains == 1
    (broken,) = [line for line in said if line["event"] == "chain_broken"]
    assert (broken["log_level"], broken["sequence"]) == ("error", 4)


async def test_two_sealers_never_work_on_one_folder(site: Site, signer: Signer) -> None:
    with (
        SealStore(site.folder / "seal", signer),
        pytest.raises(SealBroken, match="another sealer"),
        SealStore(site.folder / "seal", signer),
    ):
        raise AssertionError("both have it")


async def test_a_log_that_was_made_anew_is_never_signed(site: Site, signer: Signer) -> None:
    await site.publish(*many(8))
    async with sealing(site, signer) as working:
        await until(lambda: working.sealed == 8)
    await site.lose_the_log()
    await site.publish(*(opened(f"c{n}") for n in range(20)))
    assert "another message stands at sequence 8" in await refusal(site, signer)
    assert SealFolder(site.folder / "seal").checkpoints(signer.verifier)[-1].size == 8


async def test_a_loss_of_what_was_read_and_not_yet_signed_is_remembered(
    site: Site, signer: Signer
) -> None:
    """Facts were acknowledged and read; then the log is one without them."""
    facts = many(6)
    await site.publish(*facts[:4])
    with SealStore(site.folder / "seal", signer) as store:
        working = Sealer(await site.whole(), store, seconds=0.5)
        task = asyncio.create_task(working.run())
        await until(lambda: working.sealed == 4)
        await site.publish(*facts[4:])
        await until(lambda: working._tiling.size == 6)
        await site.lose_the_log()
        with pytest.raises(LogLost, match="there is nothing at sequence 6"):
            await asyncio.wait_for(task, PATIENCE)
    assert json.loads((site.folder / "seal" / REFUSED).read_text())["sequence"] == 6
    site.forget_commands()
    await site.publish(*facts[:4], *many(9, 50))
    assert "and still another message stands at sequence 6" in await refusal(site, signer)


def crashing_at(step: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the store die at its n-th word to the disk."""
    left = [step]

    def dying(real: Callable[..., Any]) -> Callable[..., Any]:
        def step_or_die(*arguments: Any, **named: Any) -> Any:
            left[0] -= 1
            if left[0] == 0:
                raise KeyboardInterrupt("killed here")
            return real(*arguments, **named)

        return step_or_die

    monkeypatch.setattr("os.fsync", dying(__import__("os").fsync))
    monkeypatch.setattr(Path, "replace", dying(Path.replace))


def test_a_sealer_killed_at_any_step_goes_on_as_if_it_had_not_been(
    tmp_path: Path, signer_alone: Signer
) -> None:
    hashes = [leaf_hash(str(n).encode()) for n in range(600)]
    step, died = 0, True
    while died:
        step += 1
        folder = tmp_path / str(step)
        with SealStore(folder, signer_alone) as store, pytest.MonkeyPatch.context() as patched:
            tiling = store.open()
            crashing_at(step, patched)
            died = False
            try:
                for size in (200, 300, 520):
                    for hashed in hashes[tiling.size : size]:
                        tiling.append(hashed)
                    store.seal(tiling)
            except KeyboardInterrupt:
                died = True
        with SealStore(folder, signer_alone) as store:
            tiling = store.open()
            signed = store.checkpoint.size if store.checkpoint else 0
            assert tiling.size == signed
            for hashed in hashes[signed:]:
                tiling.append(hashed)
            store.seal(tiling)
        expected = Tiling()
        for hashed in hashes:
            expected.append(hashed)
        found = SealFolder(folder)
        checkpoints = found.checkpoints(signer_alone.verifier)
        assert checkpoints[-1].root == expected.root == found.tiles(600).root()
        for checkpoint in checkpoints:
            assert found.tiles(checkpoint.size).root() == checkpoint.root
    assert step > 12


@pytest.fixture
def signer_alone(tmp_path: Path) -> Signer:
    return keep_key(tmp_path / "keys" / "seal.key", "log.example/x")


def test_a_history_that_was_cut_in_its_last_note_is_mended(
    tmp_path: Path, signer_alone: Signer
) -> None:
    with SealStore(tmp_path / "seal", signer_alone) as store:
        tiling = store.open()
        for number in range(3):
            tiling.append(leaf_hash(bytes([number])))
            store.seal(tiling)
    history = tmp_path / "seal" / "checkpoints"
    whole = history.read_bytes()
    (tmp_path / "seal" / "checkpoint").unlink()
    history.write_bytes(whole + whole[:40])
    with SealStore(tmp_path / "seal", signer_alone) as store:
        assert store.open().size == 3
    assert history.read_bytes() == whole
    assert SealFolder(tmp_path / "seal").checkpoints(signer_alone.verifier)[-1].size == 3


@pytest.mark.parametrize("damage", ["key", "checkpoints"])
def test_a_folder_that_was_changed_is_refused(
    tmp_path: Path, signer_alone: Signer, damage: str
) -> None:
    with SealStore(tmp_path / "seal", signer_alone) as store:
        tiling = store.open()
        for number in range(3):
            tiling.append(leaf_hash(bytes([number])))
        store.seal(tiling)
    file = tmp_path / "seal" / damage
    changed = bytearray(file.read_bytes())
    changed[40] ^= 1
    file.write_bytes(changed)
    with (
        pytest.raises(SealBroken, match="not as it was left"),
        SealStore(tmp_path / "seal", signer_alone) as store,
    ):
        store.open()


@pytest.mark.parametrize("damage", ["gone", "changed", "cut"])
async def test_tiles_that_a_power_cut_has_cost_are_made_again_from_the_log(
    site: Site, signer: Signer, damage: str
) -> None:
    await site.publish_together(many(300))
    async with sealing(site, signer, facts=300) as working:
        await until(lambda: working.sealed == 300)
    tile = site.folder / "seal" / "tile" / "0" / "000"
    content = tile.read_bytes()
    tile.write_bytes({"gone": b"", "changed": bytes(8192), "cut": content[:-1]}[damage])
    await site.publish_together(many(5, 301))
    async with sealing(site, signer) as working:
        await until(lambda: working.sealed == 305)
    assert tile.read_bytes() == content
    assert (await verdict(site)).ok


async def test_neither_tiles_nor_log_that_give_the_root_is_refused(
    site: Site, signer: Signer
) -> None:
    await site.publish_together(many(5))
    async with sealing(site, signer) as working:
        await until(lambda: working.sealed == 5)
    shutil.rmtree(site.folder / "seal" / "tile")
    await site.lose_the_log()
    await site.publish_together(many(8, 50))
    with SealStore(site.folder / "seal", signer) as store:
        working = Sealer(await site.whole(), store)
        with pytest.raises(SealBroken, match="neither the tiles"):
            await asyncio.wait_for(working.run(), PATIENCE)


def test_the_key_is_made_once_and_for_its_owner_only(tmp_path: Path) -> None:
    file = tmp_path / "keys" / "seal.key"
    first = keep_key(file)
    assert keep_key(file) == first
    assert file.stat().st_mode & 0o777 == 0o600
    assert keep_key(tmp_path / "other.key").name != first.name
    assert keep_key(tmp_path / "named.key", "log.city.example/1").name == "log.city.example/1"


def test_the_settings_name_what_is_missing() -> None:
    with pytest.raises(Misconfigured, match="WAGGLE_SEAL_FOLDER"):
        SealerSettings.read({"NATS_URL": "x", "WAGGLE_NKEY_FILE": "y"})
    needed = dict.fromkeys(("NATS_URL", "WAGGLE_NKEY_FILE", "WAGGLE_SEAL_KEY_FILE"), "x")
    read = SealerSettings.read
    assert read(needed | {"WAGGLE_SEAL_FOLDER": "f", "WAGGLE_SEAL_FACTS": "5"}).facts == 5
    for wrong in ({"WAGGLE_SEAL_FACTS": "0"}, {"WAGGLE_SEAL_SECONDS": "soon"}):
        with pytest.raises(Misconfigured):
            read(needed | {"WAGGLE_SEAL_FOLDER": "f"} | wrong)
