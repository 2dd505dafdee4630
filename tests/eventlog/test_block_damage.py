"""A damaged block of the server's own files loses acknowledged facts, and the server says nothing.

It gives the lost numbers out again. The projector and the sealer notice, each by what it remembers.
"""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest

from deploy import sealer
from deploy.seal_folder import SealStore, keep_key
from deploy.sealer import LogLost, Sealer
from eventlog import checkpoint
from eventlog.checkpoint import LogLost as TablesAhead
from eventlog.project import ProjectionRunner
from proof.note import Signer
from tests.eventlog.site import PROVISIONER, Site, awarded, opened, reached, running
from tests.eventlog.tally import TALLY

FACTS = 400
PATIENCE = 30.0


@pytest.fixture(autouse=True)
def quick_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sealer, "LOOK_AGAIN", (0.05,))
    monkeypatch.setattr(checkpoint, "LOOK_AGAIN", (0.05,))


@pytest.fixture
def signer(log_site: Site) -> Signer:
    return keep_key(log_site.folder / "credentials" / "seal.key")


@pytest.fixture
async def folded_and_sealed(log_site: Site, signer: Signer) -> Site:
    """A log that the tables show and a checkpoint covers; then the server is killed."""
    facts = [awarded(f"r{n}", n, report=f"r{n}") for n in range(1, FACTS + 1)]
    last = await log_site.publish_together(facts)
    await fold_and_seal(log_site, signer, last)
    await log_site.server.kill()
    return log_site


async def fold_and_seal(log_site: Site, signer: Signer, last: int) -> None:
    pool = await log_site.pool()
    with SealStore(log_site.folder / "seal", signer) as store:
        working = Sealer(await log_site.whole(), store, seconds=0.05)
        task = asyncio.create_task(working.run())
        async with running(ProjectionRunner(TALLY, await log_site.js(), pool)):
            await reached(pool, TALLY, last)
            async with asyncio.timeout(PATIENCE):
                while working.sealed < last:
                    await asyncio.sleep(0.01)
        task.cancel()
        await asyncio.wait((task,))


def blocks(site: Site) -> list[Path]:
    """The files that hold the messages of the log."""
    found = sorted(site.folder.rglob("streams/LOG/msgs/*.blk"))
    assert found
    return found


def flip_a_bit(block: Path) -> None:
    content = bytearray(block.read_bytes())
    content[len(content) // 2] ^= 1
    block.write_bytes(content)


async def start_again(site: Site) -> int:
    """The last sequence that the server now knows of. It says that all is well."""
    await site.server.start()
    info = await (await site.js(PROVISIONER)).stream_info("LOG")
    return info.state.last_seq


async def refusals(site: Site, signer: Signer) -> tuple[str, str]:
    """What the projector and the sealer say."""
    runner = ProjectionRunner(TALLY, await site.js(), await site.pool())
    with pytest.raises(TablesAhead) as tables:
        await asyncio.wait_for(runner.run(), PATIENCE)
    with SealStore(site.folder / "seal", signer) as store:
        working = Sealer(await site.whole(), store)
        with pytest.raises(LogLost) as sealing:
            await asyncio.wait_for(working.run(), PATIENCE)
    return str(tables.value), str(sealing.value)


async def test_a_block_that_was_cut_is_noticed_before_anything_is_folded_or_signed(
    folded_and_sealed: Site, signer: Signer
) -> None:
    site = folded_and_sealed
    block = blocks(site)[-1]
    with block.open("r+b") as file:
        file.truncate(block.stat().st_size // 2)
    assert await start_again(site) < FACTS
    tables, sealing = await refusals(site, signer)
    assert "the log has lost facts" in tables
    assert "the log has lost what the sealer has read" in sealing


async def test_one_flipped_bit_is_noticed_though_its_numbers_were_given_out_again(
    folded_and_sealed: Site, signer: Signer
) -> None:
    site = folded_and_sealed
    await asyncio.to_thread(flip_a_bit, blocks(site)[-1])
    left = await start_again(site)
    assert left < FACTS
    for number in range(left, FACTS + 50):
        await site.publish(opened(f"new{number}"))
    info = await (await site.js(PROVISIONER)).stream_info("LOG")
    assert info.state.last_seq == FACTS + 50, "the lost numbers were not given out again"
    tables, sealing = await refusals(site, signer)
    assert "the log has another fact there" in tables
    assert f"another message stands at sequence {FACTS}" in sealing


async def test_a_hole_in_the_middle_is_noticed_though_the_newest_facts_are_all_there(
    log_site: Site, signer: Signer
) -> None:
    """The server drops what stands behind the damage in that block, and keeps the later ones."""
    await log_site.publish_together([awarded(f"r{n}", n, report=f"r{n}") for n in range(1, 11)])
    for _ in range(12):
        await log_site.publish_raw("log.case.big", os.urandom(900_000))
    last = await log_site.publish(awarded("r1", 99, report="last"))
    await fold_and_seal(log_site, signer, last)
    await log_site.server.kill()
    first, *later = blocks(log_site)
    assert later
    await asyncio.to_thread(flip_a_bit, first)
    assert await start_again(log_site) == last
    tables, sealing = await refusals(log_site, signer)
    for said in (tables, sealing):
        assert f"facts before its end at {last} are gone" in said
