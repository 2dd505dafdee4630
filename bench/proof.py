"""Proving: `make bench ARGS=proof`.

    proof.verify_files_per_s    a whole log from its lines, against tiles and every checkpoint
    proof.verify_log_per_s      the same while it is read from the server, chains too
    proof.inclusion_per_s       proofs of inclusion made from tiles
    proof.receipts_per_s        receipts checked
    proof.seal_cpu              what the sealer does for a fact, beside what an append costs
    proof.seal_lag              from the answer to the thousandth fact to the checkpoint on disk
    proof.append_cost           appends while the sealer works, beside those while it stands still

Rates are by processor time of one process, so that a busy machine changes them little; the last two
are by the clock, run about.
"""

from __future__ import annotations

import asyncio
import os
import random
import signal
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import psutil

from bench import raw
from bench.figures import Figure, middle
from contracts.envelope import Header
from deploy.credentials import Credentials
from deploy.nats_server import NatsServer
from deploy.permissions import Kind, Party
from deploy.provision import PROVISIONER, provision_streams
from deploy.seal_folder import SealStore, keep_key
from deploy.sealer import FACTS, NAME
from eventlog.append import Appender, Decision
from eventlog.connect import connect_nats
from eventlog.message import Message
from eventlog.whole import WholeClient, read_whole
from proof.audit import Audit
from proof.checkpoint import opened
from proof.files import LATEST, SealFolder, audit_lines, lines_of
from proof.merkle import inclusion_proof, leaf_hash
from proof.note import Note
from proof.receipt import check_receipt, receipt

FACTS_IN_ALL: Final = 50_000
RUNS: Final = 5
PROOFS: Final = 2_000
RECEIPTS: Final = 500
GATHERED: Final = 5_000
PATIENCE: Final = 60.0
_AIM: Final = "100000"


async def measure(*, facts: int) -> list[Figure]:
    """All figures, on a log of so many facts and more."""
    async with _place() as place:
        cpu = psutil.Process(place.server_pid)
        server, own = _spent(cpu), time.process_time()
        await place.append(facts)
        append_cpu = (_spent(cpu) - server + time.process_time() - own) / facts * 1e6
        figures = await _offline(place, append_cpu)
        figures += await _beside_appends(place, facts // 5)
    return figures


@dataclass
class _Place:
    """A log on a server of its own, and a folder for what proves it."""

    folder: Path
    url: str
    keys: Credentials
    server_pid: int
    appender: Appender
    written: int = 0

    async def append(self, how_many: int) -> float:
        """Append so many facts as bulk requests do; the seconds that it took."""
        messages = raw.facts(how_many)
        began = time.perf_counter()
        for start in range(0, how_many, GATHERED):
            some = messages[start : start + GATHERED]
            await asyncio.gather(*(self.appender.submit(_decision(one)) for one in some))
        self.written += how_many
        return time.perf_counter() - began

    async def audit(self, audit: Audit) -> None:
        """Read the whole log from the server into an audit."""
        seed = str(self.keys.seed_file(NAME))
        nc = await connect_nats(self.url, identity=NAME, seed_file=seed, kind=WholeClient)
        async for batch in read_whole(nc.jetstream(timeout=30)):
            for one in batch:
                audit.add(one.line)
        await nc.close()

    async def lines(self) -> list[bytes]:
        """The whole log as lines."""
        seed = str(self.keys.seed_file(NAME))
        nc = await connect_nats(self.url, identity=NAME, seed_file=seed, kind=WholeClient)
        js = nc.jetstream(timeout=30)
        read = [one.line async for batch in read_whole(js) for one in batch]
        await nc.close()
        return read


async def _offline(place: _Place, append_cpu: float) -> list[Figure]:
    """What needs no second process."""
    log = place.folder / "log.jsonl"
    lines = await place.lines()
    log.write_bytes(b"".join(line + b"\n" for line in lines))
    seal_cpu = _seal(place.folder / "offline", lines)
    folder = SealFolder(place.folder / "offline")
    key = folder.key()
    checkpoints = folder.checkpoints(key)
    facts, tiles = len(lines), folder.tiles(len(lines))

    def verify() -> None:
        if not audit_lines(Audit(checkpoints, folder.tiles(facts)), lines_of(log)).ok:
            raise AssertionError("the log does not verify")

    from_files = [facts / _cpu(verify) for _ in range(RUNS)]
    from_server = []
    for _ in range(RUNS):
        audit, began = Audit(checkpoints, folder.tiles(facts)), time.process_time()
        await place.audit(audit)
        if not audit.finish().ok:
            raise AssertionError("the log does not verify")
        from_server.append(facts / (time.process_time() - began))
    dice = random.Random(1)
    chosen = [dice.randrange(facts) for _ in range(PROOFS)]
    proofs = [
        PROOFS / _cpu(lambda: [inclusion_proof(i, facts, tiles.subtree) for i in chosen])
        for _ in range(RUNS)
    ]
    note = folder.latest()
    receipts = [receipt([lines[i]], key, note, tiles.subtree) for i in chosen[:RECEIPTS]]
    checked = [
        RECEIPTS / _cpu(lambda: [check_receipt(one, key) for one in receipts]) for _ in range(RUNS)
    ]
    appending = ("append.groups_cpu_with_server", append_cpu)
    return [
        Figure("proof.verify_files_per_s", middle(from_files), "facts/s", runs=RUNS, aim=_AIM),
        Figure("proof.verify_log_per_s", middle(from_server), "facts/s", runs=RUNS, aim=_AIM),
        Figure("proof.inclusion_per_s", middle(proofs), "proofs/s", runs=RUNS),
        Figure("proof.receipts_per_s", middle(checked), "receipts/s", runs=RUNS),
        Figure("proof.hash_and_sign_cpu", seal_cpu, "us/fact", *appending),
    ]


def _seal(folder: Path, lines: Sequence[bytes]) -> float:
    """Seal these lines as the sealer does; microseconds of processor time for each."""
    signer = keep_key(folder.parent / "offline.key")
    with SealStore(folder, signer) as store:
        tiling = store.open()
        began = time.process_time()
        for start in range(0, len(lines), FACTS):
            for line in lines[start : start + FACTS]:
                tiling.append(leaf_hash(line))
            store.seal(tiling)
        return (time.process_time() - began) / len(lines) * 1e6


async def _beside_appends(place: _Place, facts: int) -> list[Figure]:
    """What only shows while the sealer is a process beside those that write."""
    async with _sealer(place) as process:
        sealer, server = psutil.Process(process.pid), psutil.Process(place.server_pid)
        await _covered(place)
        lags = []
        for _ in range(RUNS):
            await place.append(FACTS)
            began = time.perf_counter()
            await _covered(place)
            lags.append(1000 * (time.perf_counter() - began))
        working, standing = list[float](), list[float]()
        before = _spent(sealer), _spent(server), time.process_time()
        for _ in range(RUNS):
            working.append(facts / await place.append(facts))
            await _covered(place)
        spent = _spent(sealer) - before[0]
        others = _spent(server) - before[1] + time.process_time() - before[2]
        for _ in range(RUNS):
            with _still(process.pid):
                standing.append(facts / await place.append(facts))
            await _covered(place)
            working.append(facts / await place.append(facts))
            await _covered(place)
        working = working[RUNS:]
    share = 100 * (1 - middle(working) / middle(standing))
    all_facts = RUNS * facts * 1e-6
    appending = ("append.groups_cpu_with_server", others / all_facts)
    beside = ("append.groups_while_the_sealer_stands_still", middle(standing), RUNS)
    return [
        Figure("proof.seal_lag", middle(lags), "ms", runs=RUNS),
        Figure("proof.seal_cpu", spent / all_facts, "us/fact", *appending, RUNS),
        Figure("proof.appends_while_sealing", middle(working), "facts/s", *beside),
        Figure("proof.append_cost", share, "%", runs=RUNS, aim="under 5"),
    ]


async def _covered(place: _Place) -> None:
    """Until a checkpoint on disk covers what was written, but for less than a thousand facts."""
    file = place.folder / "seal" / LATEST
    async with asyncio.timeout(PATIENCE):
        while not file.is_file() or _size(file) <= place.written - FACTS:
            await asyncio.sleep(0.001)


def _size(file: Path) -> int:
    note = Note.parse(file.read_bytes())
    return opened(note, SealFolder(file.parent).key()).size


@contextmanager
def _still(pid: int) -> Iterator[None]:
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


@asynccontextmanager
async def _sealer(place: _Place) -> AsyncIterator[asyncio.subprocess.Process]:
    settings = {
        "NATS_URL": place.url,
        "WAGGLE_NKEY_FILE": str(place.keys.seed_file(NAME)),
        "WAGGLE_SEAL_FOLDER": str(place.folder / "seal"),
        "WAGGLE_SEAL_KEY_FILE": str(place.folder / "seal.key"),
    }
    with (place.folder / "sealer.log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "deploy.sealer", env={**os.environ, **settings}, stdout=log
        )
    try:
        yield process
    finally:
        process.terminate()
        await process.wait()


@asynccontextmanager
async def _place() -> AsyncIterator[_Place]:
    """An empty log, and the connection of who writes it."""
    with tempfile.TemporaryDirectory(prefix="waggle-bench-") as name:
        folder = Path(name)
        keys = Credentials(folder)
        users = keys.users(
            (
                Party(PROVISIONER, Kind.PROVISIONER),
                Party(raw.WRITER, Kind.SERVICE),
                Party(NAME, Kind.SEALER),
            )
        )
        async with NatsServer(folder, users) as server:
            seeds = {party: str(keys.seed_file(party)) for party in (PROVISIONER, raw.WRITER)}
            provisioner = await connect_nats(
                server.url, identity=PROVISIONER, seed_file=seeds[PROVISIONER]
            )
            await provision_streams(provisioner.jetstream(timeout=30))
            await provisioner.close()
            writer = await connect_nats(
                server.url, identity=raw.WRITER, seed_file=seeds[raw.WRITER]
            )
            appender = await Appender.open(writer)
            yield _Place(folder, server.url, keys, server.pid or 0, appender)
            await appender.close()
            await writer.close()


def _decision(message: Message) -> Decision:
    return Decision(message.headers[Header.COMMAND], (message,), {message.subject: 0})


def _cpu(work: Callable[[], object]) -> float:
    """Seconds of this process's processor time."""
    began = time.process_time()
    work()
    return time.process_time() - began


def _spent(process: psutil.Process) -> float:
    """Seconds of processor time that a process has used so far."""
    times = process.cpu_times()
    return float(times.user + times.system)
