"""The sealer: signs, every minute or thousand facts, that the log is what it was and has grown.

It reads the log in order, hashes every entry into a Merkle tree, and publishes checkpoints and
tiles as static files (docs/proof.md). Before it signs it asks the server whether the log still
holds what it has read. If not, it signs nothing more, keeps what it saw, and says so until the log
holds it again: a signature must never cover a loss.
"""

from __future__ import annotations

import asyncio
import math
import os
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import nats.errors
import structlog
import uvloop
from nats.js import JetStreamContext
from nats.js.errors import APIError

from deploy.projector import told_to_stop
from deploy.seal_desk import SealDesk
from deploy.seal_folder import SealBroken, SealStore, TilesLost, keep_key
from eventlog.checkpoint import holes
from eventlog.connect import connect_nats
from eventlog.health import Health, nats_healthz
from eventlog.logs import set_up_logs
from eventlog.message import LOG, NO_HASH
from eventlog.ordered import OrderedReader
from eventlog.settings import Misconfigured
from eventlog.tasks import end
from eventlog.whole import (
    Whole,
    WholeClient,
    read_whole,
    settled,
    whole_at,
    whole_reader,
)
from proof.chain import HASH, PREVIOUS, Chains
from proof.merkle import leaf_hash
from proof.tiles import Tiling

log = structlog.get_logger()

NAME: Final = "sealer"
FACTS: Final = 1000
SECONDS: Final = 60.0
HEADS: Final = 200_000
"""Stream ids whose last hash is kept in memory; the others are looked up."""
LOOK_AGAIN: Final = (0.3, 0.7, 1.5)
"""Seconds between looks at a log that seems to have lost something."""
GATHER: Final = 0.1
"""Seconds in which facts gather before they are taken, when there are few."""
NICE: Final = 10
"""Whoever takes reports comes first; a checkpoint has time."""
RETRY: Final = 2.0
"""Seconds until a checkpoint is tried again when the server did not answer."""
BROKEN_PAUSE: Final = 5.0
"""Seconds until a sealer that broke tries again; so long it is not ready."""

_EXPECTED_LAST: Final = "Nats-Expected-Last-Subject-Sequence"


class LogLost(Exception):
    """The log no longer holds what the sealer has read. Nothing is signed until it does again."""


@dataclass(frozen=True, slots=True)
class SealerSettings:
    """The environment of the sealer. It is told of no database and no other key."""

    nats_url: str
    """NATS_URL."""
    nkey_seed_file: str
    """WAGGLE_NKEY_FILE."""
    folder: Path
    """WAGGLE_SEAL_FOLDER: where checkpoints and tiles are published."""
    key_file: Path
    """WAGGLE_SEAL_KEY_FILE: the private key; made when it is not there."""
    identity: str = NAME
    """WAGGLE_IDENTITY."""
    origin: str | None = None
    """WAGGLE_SEAL_ORIGIN: the name of the log, given when the key is made."""
    facts: int = FACTS
    """WAGGLE_SEAL_FACTS: a checkpoint at least every so many facts."""
    seconds: float = SECONDS
    """WAGGLE_SEAL_SECONDS: and at most so long after a fact."""
    monitor_url: str | None = None
    """WAGGLE_NATS_MONITOR_URL."""
    health_port: int = 0
    """WAGGLE_HEALTH_PORT."""
    log_format: str = "json"
    """WAGGLE_LOG_FORMAT."""

    @classmethod
    def read(cls, environment: Mapping[str, str]) -> SealerSettings:
        """Raises `Misconfigured` naming everything that is missing."""
        needed = ("NATS_URL", "WAGGLE_NKEY_FILE", "WAGGLE_SEAL_FOLDER", "WAGGLE_SEAL_KEY_FILE")
        if missing := [name for name in needed if not environment.get(name)]:
            raise Misconfigured(f"not set: {', '.join(missing)}; see docs/proof.md")
        try:
            facts = int(environment.get("WAGGLE_SEAL_FACTS", FACTS))
            seconds = float(environment.get("WAGGLE_SEAL_SECONDS", SECONDS))
        except ValueError as error:
            raise Misconfigured(f"WAGGLE_SEAL_FACTS and _SECONDS are numbers: {error}") from error
        if facts < 1 or not 0 < seconds < math.inf:
            raise Misconfigured("WAGGLE_SEAL_FACTS and WAGGLE_SEAL_SECONDS are more than 0")
        return cls(
            nats_url=environment["NATS_URL"],
            nkey_seed_file=environment["WAGGLE_NKEY_FILE"],
            folder=Path(environment["WAGGLE_SEAL_FOLDER"]),
            key_file=Path(environment["WAGGLE_SEAL_KEY_FILE"]),
            identity=environment.get("WAGGLE_IDENTITY", NAME),
            origin=environment.get("WAGGLE_SEAL_ORIGIN"),
            facts=facts,
            seconds=seconds,
            monitor_url=environment.get("WAGGLE_NATS_MONITOR_URL"),
            health_port=int(environment.get("WAGGLE_HEALTH_PORT", "0")),
            log_format=environment.get("WAGGLE_LOG_FORMAT", "json"),
        )


class Sealer:
    """Follows the log and seals it."""

    def __init__(
        self,
        js: JetStreamContext,
        store: SealStore,
        *,
        facts: int = FACTS,
        seconds: float = SECONDS,
    ) -> None:
        self._js = js
        self._store = store
        self._facts = facts
        self._seconds = seconds
        self._tiling = Tiling()
        self._chains = Chains(HEADS)
        self._last = b""
        self._since = math.inf
        self._due = math.inf
        self.broken_chains = 0
        """How many facts did not follow the one before them on their subject."""

    @property
    def sealed(self) -> int:
        """The last sequence that a checkpoint covers."""
        return self._store.checkpoint.size if self._store.checkpoint else 0

    @property
    def overdue(self) -> float:
        """Seconds by which the next checkpoint is late."""
        return max(0.0, time.monotonic() - self._since - self._seconds)

    async def run(self) -> None:
        """Seal until cancelled; then seal what is left. Raises `LogLost` and `SealBroken`."""
        self._tiling = await self._open()
        self._last = self._signed_leaf()
        self._due = self._since = math.inf
        await self._insist_on_what_was_refused()
        await self._insist_on_log()
        try:
            await self._follow()
        except LogLost as lost:
            self._refuse(str(lost))
            raise

    async def _open(self) -> Tiling:
        """The tree as it was signed; its tiles made again from the log where some are gone."""
        try:
            return await asyncio.to_thread(self._store.open)
        except TilesLost as lost:
            size = self.sealed
            log.warning("tiles_lost", reason=str(lost), made_again_up_to=size)
            await self._insist_on_log()
            tiling = Tiling()
            async for batch in read_whole(self._js, up_to=size):
                for one in batch:
                    tiling.append(leaf_hash(one.line))
            await asyncio.to_thread(self._store.mend, tiling)
            return tiling

    async def _follow(self) -> None:
        reader = whole_reader(
            self._js, self._tiling.size, self._facts, self._insist_on_log, patience=math.inf
        )
        async with reader:
            while True:
                taking = asyncio.create_task(self._gathered(reader))
                try:
                    while not taking.done():
                        wait = None if self._due == math.inf else self._due - time.monotonic()
                        await asyncio.wait((taking,), timeout=wait and max(wait, 0.0))
                        if self._due <= time.monotonic():
                            await self._seal()
                except asyncio.CancelledError:
                    await self._seal()
                    raise
                finally:
                    await end(taking)
                for one in taking.result():
                    await self._take_in(one)
                if self._unsealed >= self._facts:
                    await self._seal()

    async def _gathered(self, reader: OrderedReader[Whole]) -> list[Whole]:
        """What has come; one by one it would cost several times as much."""
        if reader.to_come == 0:
            await asyncio.sleep(GATHER)
        return await reader.take(self._facts - self._unsealed)

    @property
    def _unsealed(self) -> int:
        return self._tiling.size - self.sealed

    async def _take_in(self, one: Whole) -> None:
        if one.sequence != self._tiling.size + 1:
            raise LogLost(
                f"after sequence {self._tiling.size} comes {one.sequence}: what was between them "
                "is gone"
            )
        await self._check_chain(one)
        self._last = leaf_hash(one.line)
        self._tiling.append(self._last)
        if self._since == math.inf:
            self._since = time.monotonic()
            self._due = self._since + self._seconds

    async def _check_chain(self, one: Whole) -> None:
        """A break is said and counted, and sealed as it stands: nobody can mend what is stored."""
        expected = one.headers.get(_EXPECTED_LAST, "")
        if not self._chains.knows(one.subject) and expected.isdigit() and HASH in one.headers:
            before = await whole_at(self._js, int(expected)) if int(expected) else None
            known = before.headers.get(HASH, "") if before else NO_HASH
            self._chains.learn(one.subject, known)
        if broken := self._chains.follow(one.subject, one.headers, one.body):
            self.broken_chains += 1
            log.error(
                "chain_broken",
                sequence=one.sequence,
                subject=one.subject,
                reason=broken,
                claims=one.headers.get(PREVIOUS),
            )

    async def _seal(self) -> None:
        """Sign what was read, if the log still holds it."""
        if not self._unsealed:
            return
        try:
            await self._insist_on_log()
        except (nats.errors.Error, APIError, TimeoutError) as error:
            log.warning("seal_waits", because=f"{type(error).__name__}: {error}")
            self._due = time.monotonic() + RETRY
            return
        began = time.monotonic()
        facts = self._unsealed
        await asyncio.to_thread(self._store.seal, self._tiling)
        self._due = self._since = math.inf
        took = round(1000 * (time.monotonic() - began), 2)
        log.info("log_sealed", size=self._tiling.size, facts=facts, took_ms=took)

    def _signed_leaf(self) -> bytes:
        size = self._tiling.size
        return self._store.files.tiles(size).leaf(size - 1) if size else b""

    async def _insist_on_log(self) -> None:
        """Raise `LogLost` unless the log holds every sequence, and what was read last as it was."""
        if lost := await settled(self._loss, LOOK_AGAIN):
            raise LogLost(
                f"the log has lost what the sealer has read: {lost}. Nothing is signed. Take no "
                f"commands; restore the stream {LOG} from its mirror or newest backup."
            )

    async def _loss(self) -> str | None:
        return await holes(self._js) or await self._loss_at(self._tiling.size, self._last)

    async def _loss_at(self, sequence: int, leaf: bytes) -> str | None:
        if not sequence:
            return None
        there = await whole_at(self._js, sequence)
        if there is None:
            return f"there is nothing at sequence {sequence}"
        if leaf_hash(there.line) != leaf:
            return f"another message stands at sequence {sequence} ({there.subject})"
        return None

    async def _insist_on_what_was_refused(self) -> None:
        """An earlier run has seen more than it signed; that must be there again."""
        if (refused := self._store.refused()) is None:
            return
        sequence, leaf = int(refused["sequence"]), bytes.fromhex(refused["leaf"])

        async def loss() -> str | None:
            return await self._loss_at(sequence, leaf)

        if lost := await settled(loss, LOOK_AGAIN):
            raise LogLost(
                f"{refused['reason']} That was at {refused['at']}, and still {lost}. Only when the "
                "loss is final: delete refused.json in the folder of the seal."
            )
        self._store.forgive()

    def _refuse(self, reason: str) -> None:
        log.error("seal_refused", sequence=self._tiling.size, sealed=self.sealed, reason=reason)
        if self._store.refused() is None:
            at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
            document = {"sequence": self._tiling.size, "leaf": self._last.hex()}
            self._store.refuse({**document, "reason": reason, "at": at})


async def keep(sealer: Sealer, stopped: list[str]) -> None:
    """Run the sealer until somebody has to act; what breaks it is said and tried again."""
    while True:
        try:
            await sealer.run()
        except (LogLost, SealBroken) as stop:
            log.error("sealer_stopped", reason=str(stop))
            stopped.append(str(stop))
            return
        except Exception as error:
            log.exception("sealer_broke")
            stopped.append(f"broke on {type(error).__name__}: {error}; tried again")
            await asyncio.sleep(BROKEN_PAUSE)
            stopped.clear()


async def main() -> None:
    """Seal until told to stop."""
    settings = SealerSettings.read(os.environ)
    set_up_logs(NAME, settings.log_format)
    os.nice(NICE)
    nc = await connect_nats(
        settings.nats_url.split(","),
        identity=settings.identity,
        seed_file=settings.nkey_seed_file,
        kind=WholeClient,
    )
    signer = keep_key(settings.key_file, settings.origin)
    stopped: list[str] = []
    with SealStore(settings.folder, signer) as store:
        sealer = Sealer(
            nc.jetstream(timeout=5), store, facts=settings.facts, seconds=settings.seconds
        )

        async def connected() -> str | None:
            return None if nc.is_connected else "not connected to NATS"

        async def sealing() -> str | None:
            late = sealer.overdue
            if stopped:
                return stopped[0]
            return f"{late:.0f} s late" if late > settings.seconds else None

        server = nats_healthz(settings.monitor_url)
        health = Health({"nats": connected, "nats_server": server, "seal": sealing})
        await health.start(settings.health_port)
        await SealDesk(nc, store, signer.verifier).open()
        task = asyncio.create_task(keep(sealer, stopped))
        await told_to_stop()
        await end(task)
        await health.stop()
        await nc.close()


if __name__ == "__main__":
    uvloop.run(main())
