"""A fresh house from a backup: streams and keys as they were, tables folded again.

It is built beside its place and moved there when it stands, so a house is there whole or not at
all. Whoever the log says is erased has no key in it, however old the backup of the keys is.
"""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import asyncpg
from nats.aio.client import Client
from nats.js import JetStreamContext

from contracts.party import NOBODY_ERASED, erased
from contracts.rulebook import Rulebook
from deploy.backup_files import (
    CREDENTIALS,
    KEY_TABLE,
    SEAL,
    BadBackup,
    KeyManifest,
    Manifest,
    StreamPart,
    absolute,
    copied,
    insist_on_empty,
    read_backup,
    read_keys,
    to_disk,
)
from deploy.databases import KEYRING
from deploy.house import HouseInfo, Outside, Plan, database_urls, set_up, start_servers
from deploy.projections import PROJECTIONS
from deploy.provision import PROVISIONER
from deploy.snapshots import restore_stream
from deploy.supervisor import Supervisor
from eventlog.connect import connect_nats, connect_postgres
from eventlog.message import LOG
from eventlog.read import Unread, at, read_log
from eventlog.rebuild import Rebuilt, rebuild
from eventlog.sealing import KeyStore, create_key_table, read_master_key

Progress = Callable[[str, int, int], None]
"""Told what is restored, how much of it, and how much there is."""

DRAFT: Final = ".restoring"
WHILE_RESTORING: Final = "2m"
"""How often the log is synced meanwhile. With `always` the server syncs every message that it puts
back, and gives a restore up when it has read nothing for five seconds; all is synced at the end."""


def _nothing(_: str, __: int, ___: int) -> None: ...


@dataclass(frozen=True, slots=True)
class Restored:
    """What a restore came to."""

    manifest: Manifest
    keys: KeyManifest
    erased: int
    """Persons whom the log says are erased."""
    rebuilt: tuple[Rebuilt, ...]


@asynccontextmanager
async def restoring(
    backup: Path,
    keys: Path,
    folder: Path,
    document: Mapping[str, Any],
    progress: Progress = _nothing,
) -> AsyncIterator[tuple[Restored, HouseInfo]]:
    """Build the house; its servers run until the end of the `with`, then it is in its place.

    Raises `BadBackup` before anything is written where a file is damaged or missing.
    """
    folder = absolute(folder)
    insist_on_empty(folder)
    manifest, key_manifest = _checked(backup, keys, progress)
    draft = folder.with_name(f"{folder.name}{DRAFT}")
    if draft.exists():
        shutil.rmtree(draft)  # of a restore that was killed
    try:
        draft.mkdir(parents=True)
        copied(keys / CREDENTIALS, draft / CREDENTIALS)
        copied(backup / SEAL, draft / SEAL)
        plan = Plan(
            draft, document, outside=Outside(), services=False, sync_interval=WHILE_RESTORING
        )
        async with Supervisor(draft) as supervisor:
            info = await start_servers(plan, Rulebook.model_validate(document), supervisor)
            restored = await _fill(plan, info, backup, keys, (manifest, key_manifest), progress)
            yield restored, info
        to_disk(draft)
        if folder.exists():
            folder.rmdir()
        draft.rename(folder)
    except BaseException:
        shutil.rmtree(draft, ignore_errors=True)
        raise


def _checked(backup: Path, keys: Path, progress: Progress) -> tuple[Manifest, KeyManifest]:
    seen = 0

    def told(name: str) -> None:
        nonlocal seen
        seen += 1
        progress(f"checking {name}", seen, 0)

    manifest, key_manifest = read_backup(backup, told), read_keys(keys, told)
    if key_manifest.id != manifest.id and key_manifest.made_at < manifest.made_at:
        raise BadBackup(
            f"{keys} is of {key_manifest.made_at:%Y-%m-%d %H:%M} and older than {backup}, of "
            f"{manifest.made_at:%Y-%m-%d %H:%M}: words sealed in between would be lost. Use the "
            "keys that were saved with it, or younger ones"
        )
    return manifest, key_manifest


async def _fill(
    plan: Plan,
    info: HouseInfo,
    backup: Path,
    keys: Path,
    manifests: tuple[Manifest, KeyManifest],
    progress: Progress,
) -> Restored:
    manifest, key_manifest = manifests
    seed = str(info.credentials.seed_file(PROVISIONER))
    nc = await connect_nats(info.nats_url, identity=PROVISIONER, seed_file=seed)
    pool = await connect_postgres(database_urls(plan, info, KEYRING)[1], most=2)
    tables = await connect_postgres(info.rebuild_url)
    try:
        for part in manifest.streams:
            await _restore(nc, backup, part, progress)
        js = nc.jetstream(timeout=10)
        await _insist_on_end(js, manifest)
        await create_key_table(pool)
        await _load_keys(pool, keys / KEY_TABLE)
        gone = await _erased(js)
        await KeyStore(pool, read_master_key(info.master_key_file)).destroy(gone)
        await set_up(plan, Rulebook.model_validate(plan.document), info)
        rebuilt = [await _rebuilt(one, js, tables, progress) for one in PROJECTIONS]
    finally:
        await tables.close()
        await pool.close()
        await nc.close()
    return Restored(manifest, key_manifest, len(gone), tuple(rebuilt))


async def _restore(nc: Client, backup: Path, part: StreamPart, progress: Progress) -> None:
    file = backup / part.file
    size, done = file.stat().st_size, 0

    def count(more: int) -> None:
        nonlocal done
        done += more
        progress(part.name, done, size)

    config = {**part.config, "num_replicas": 1}
    state = await restore_stream(nc, file, config, part.state, count)
    if int(state["last_seq"]) != part.last_sequence:
        raise BadBackup(
            f"{file}: the server restored up to {state['last_seq']}, not {part.last_sequence}"
        )


async def _insist_on_end(js: JetStreamContext, manifest: Manifest) -> None:
    stored = await at(js, manifest.log_sequence) if manifest.log_sequence else None
    if (stored.hash if stored else None) != manifest.log_hash:
        raise BadBackup(f"the restored {LOG} does not end with the fact that the manifest names")


async def _load_keys(pool: asyncpg.Pool, table: Path) -> None:
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute(
            "CREATE TEMP TABLE saved (person text, wrapped text, created_at timestamptz,"
            " destroyed_at timestamptz) ON COMMIT DROP"
        )
        await connection.copy_to_table("saved", source=table, format="csv")
        await connection.execute(
            "INSERT INTO data_key (person, wrapped, created_at, destroyed_at)"
            " SELECT person, decode(wrapped, 'hex'), created_at, destroyed_at FROM saved"
        )


async def _erased(js: JetStreamContext) -> frozenset[str]:
    gone = NOBODY_ERASED
    async for batch in read_log(js, subjects=("log.party.>",), types=frozenset({"RiderErased"})):
        for entry in batch:
            if not isinstance(entry, Unread):
                gone = erased(gone, entry)
    return gone


async def _rebuilt(
    one: Any, js: JetStreamContext, pool: asyncpg.Pool, progress: Progress
) -> Rebuilt:
    def reached(sequence: int, end: int) -> None:
        progress(f"folding {one.name}", sequence, end)

    return await rebuild(one, js, pool, check=False, progress=reached)
