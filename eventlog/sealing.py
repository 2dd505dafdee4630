"""Personal fields: sealed when written, opened when read, gone when the key is gone.

Every person has a data key of their own (AES-256-GCM), kept wrapped by the master key in a
database apart from log and projections. A sealed value is bound to its fact id and field, so
it cannot be moved to another fact. Destroying the key leaves the log whole: hashes cover the
sealed bytes. Whoever holds a key in memory hears of it at once from the key database, and forgets
what it holds where it cannot listen.
"""

from __future__ import annotations

import asyncio
import base64
import os
import time
from collections.abc import Iterable, Sequence
from hmac import digest
from pathlib import Path
from typing import Any, Final

import asyncpg
import structlog
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from contracts.envelope import (
    ERASED,
    Command,
    Erased,
    Fact,
    Reason,
    Recorded,
    Refused,
    Sealed,
    fact_id,
)
from eventlog.together import Together

log = structlog.get_logger()

NONCE: Final = 12
KEY: Final = 32
CACHE_SECONDS: Final = 60.0
"""How long a process may go on using a key that has been destroyed elsewhere, should it not hear
of it: usually it does, within milliseconds."""
CACHE_KEYS: Final = 50_000
CHANNEL: Final = "waggle_key_destroyed"
"""Where the key database notifies of every key destroyed, with the person."""
LISTEN_AGAIN: Final = 1.0
ALIVE: Final = 15.0
"""Seconds between looks whether the connection that listens is still one."""

SCHEMA: Final = """
create table if not exists data_key (
    person       text primary key,
    wrapped      bytea,
    created_at   timestamptz not null default now(),
    destroyed_at timestamptz,
    check ((wrapped is null) = (destroyed_at is not null))
)
"""


MAKE: Final = """
with made as (
    insert into data_key (person, wrapped) select * from unnest($1::text[], $2::bytea[])
    on conflict (person) do nothing returning person, wrapped
)
select person, wrapped from made
union all select person, wrapped from data_key where person = any($1::text[])
"""
"""One statement: who has a key already is found, who has none gets one."""


class BadKey(Exception):
    """A key does not open what it should: the wrong master key, or altered data."""


def new_master_key() -> bytes:
    """32 random bytes that wrap every data key. Losing it is losing every personal field."""
    return os.urandom(KEY)


def read_master_key(path: Path) -> bytes:
    """The master key in `path`. Raises `BadKey` when it is not 32 bytes."""
    key = path.read_bytes()
    if len(key) != KEY:
        raise BadKey(f"{path}: a master key has {KEY} bytes, this file {len(key)}")
    return key


def seal_value(key: AESGCM, person: str, place: str, value: str) -> Sealed:
    """`value` under the person's key, bound to `place` (`<fact id>/<field>`)."""
    nonce = os.urandom(NONCE)
    box = nonce + key.encrypt(nonce, value.encode("utf-8", "surrogatepass"), place.encode())
    return Sealed(key=person, box=base64.b64encode(box).decode())


def open_value(key: AESGCM, place: str, sealed: Sealed) -> str:
    """The value that was sealed for `place`. Raises `BadKey` if it was altered or moved."""
    box = base64.b64decode(sealed.box)
    try:
        value = key.decrypt(box[:NONCE], box[NONCE:], place.encode())
    except InvalidTag:
        raise BadKey(f"{place}: sealed for another place, or altered") from None
    return value.decode("utf-8", "surrogatepass")


class KeyStore:
    """The data keys of persons, wrapped by the master key, in a database of their own."""

    def __init__(self, pool: asyncpg.Pool, master: bytes) -> None:
        self._pool = pool
        self._master = AESGCM(master)
        self._print_key = digest(master, b"waggle command fingerprint", "sha256")
        self._cache: dict[str, tuple[float, AESGCM | None]] = {}
        self._erased: set[str] = set()
        """Whose destruction was heard of: nothing read before that counts any more."""
        self._made = Together(self._make)

    def at_hand(self, person: str) -> AESGCM | Erased | None:
        """The person's key, where it was used lately; the tombstone, where it is gone."""
        entry = self._cache.get(person)
        if entry is None or entry[0] <= time.monotonic():
            return None
        return entry[1] or ERASED

    async def ready(self, persons: Iterable[str]) -> dict[str, AESGCM | None]:
        """Have the key of each person at hand, made where there is none yet; None: erased."""
        wanted = set(persons)
        found = self._cached(wanted)
        missing = sorted(wanted - found.keys())
        if len(missing) == 1:
            found[missing[0]] = await self._made.ask(missing[0])
        elif missing:
            found |= await self._make(missing)
        return found

    async def find(self, persons: Iterable[str]) -> dict[str, AESGCM]:
        """The key of each person who has one."""
        wanted = set(persons)
        found = self._cached(wanted)
        if missing := sorted(wanted - found.keys()):
            found |= await self._load(missing)
        return {p: k for p, k in found.items() if k is not None}

    async def destroy(self, persons: Iterable[str]) -> int:
        """Destroy the key of each person for good, had they one or not; how many were there.

        Harmless to repeat. Everybody who listens is told in the same transaction.
        """
        whose = sorted(set(persons))
        async with self._pool.acquire() as connection, connection.transaction():
            held = await connection.fetch(
                "select person from data_key where person = any($1::text[])"
                " and wrapped is not null for update",
                whose,
            )
            await connection.execute(
                "insert into data_key (person, wrapped, destroyed_at)"
                " select person, null, now() from unnest($1::text[]) as person"
                " on conflict (person) do update set wrapped = null, destroyed_at = now()"
                " where data_key.wrapped is not null",
                whose,
            )
            await connection.executemany(
                "select pg_notify($1, $2)", [(CHANNEL, row["person"]) for row in held]
            )
        self._forget(whose)
        return len(held)

    async def keep_listening(self) -> None:
        """Hear without end of every key that is destroyed, and forget it.

        While the connection is lost nothing is held that was held before.
        """
        while True:
            try:
                async with self._pool.acquire() as connection:
                    await self._listen(connection)
            except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
                log.warning("key_listener_lost", error=repr(error))
            self._cache.clear()
            await asyncio.sleep(LISTEN_AGAIN)

    async def _listen(self, connection: asyncpg.pool.PoolConnectionProxy) -> None:
        def heard(_: object, __: int, ___: str, person: Any) -> None:
            self._forget([person])

        lost = asyncio.Event()

        def ended(_: object) -> None:
            lost.set()

        connection.add_termination_listener(ended)
        await connection.add_listener(CHANNEL, heard)
        self._cache.clear()  # what was destroyed while nobody listened
        try:
            while not lost.is_set():
                try:
                    async with asyncio.timeout(ALIVE):
                        await lost.wait()
                except TimeoutError:
                    await connection.fetchval("select 1", timeout=ALIVE)
        finally:
            if not lost.is_set():
                connection.remove_termination_listener(ended)
                await connection.remove_listener(CHANNEL, heard)

    def _forget(self, persons: Iterable[str]) -> None:
        for person in persons:
            self._erased.add(person)
            self._cache.pop(person, None)

    def fingerprint(self, command: Command, actor: str) -> str:
        """What tells a party's repeated command from any other one under the same id.

        Keyed with a secret, so that nobody can guess a personal text by its fingerprint.
        """
        body = command.__pydantic_serializer__.to_json(command)
        said = f"{actor} {type(command).__name__}\n".encode() + body
        return digest(self._print_key, said, "sha256").hex()[:32]

    def _cached(self, persons: Iterable[str]) -> dict[str, AESGCM | None]:
        now = time.monotonic()
        entries = ((p, self._cache.get(p)) for p in persons)
        return {p: e[1] for p, e in entries if e is not None and e[0] > now}

    async def _make(self, persons: Sequence[str]) -> dict[str, AESGCM | None]:
        wrapped = [self._wrap(p, os.urandom(KEY)) for p in persons]
        keys = self._kept(await self._pool.fetch(MAKE, persons, wrapped))
        if others := [p for p in persons if p not in keys]:  # made by somebody else just now
            keys |= await self._load(others)
        return keys

    async def _load(self, persons: Sequence[str]) -> dict[str, AESGCM | None]:
        rows = await self._pool.fetch(
            "select person, wrapped from data_key where person = any($1::text[])", persons
        )
        return self._kept(rows)

    def _kept(self, rows: Iterable[asyncpg.Record]) -> dict[str, AESGCM | None]:
        """The keys in rows of the table, at hand for a while."""
        until = time.monotonic() + CACHE_SECONDS
        keys = {r["person"]: self._unwrap(r["person"], r["wrapped"]) for r in rows}
        keys.update(dict.fromkeys(self._erased & keys.keys()))
        if len(self._cache) > CACHE_KEYS:
            self._cache.clear()
        self._cache.update({p: (until, k) for p, k in keys.items()})
        return keys

    def _wrap(self, person: str, key: bytes) -> bytes:
        nonce = os.urandom(NONCE)
        return nonce + self._master.encrypt(nonce, key, person.encode())

    def _unwrap(self, person: str, wrapped: bytes | None) -> AESGCM | None:
        if wrapped is None:
            return None
        try:
            return AESGCM(self._master.decrypt(wrapped[:NONCE], wrapped[NONCE:], person.encode()))
        except InvalidTag:
            raise BadKey(
                f"the master key does not open the key of {person}: is it the one of this house?"
            ) from None


async def create_key_table(pool: asyncpg.Pool) -> None:
    """Bring the key table about in the key database; harmless when it is there."""
    await pool.execute(SCHEMA)


async def seal(facts: Sequence[Fact], command_id: str, keys: KeyStore) -> list[Fact]:
    """The facts with every personal field sealed, ready to be written.

    About somebody who has been erased a fact carries the tombstone in place of words; one that
    would bring in something new about them is not written: raises `Refused`.
    """
    while (sealed := seal_at_hand(facts, command_id, keys)) is None:
        await keys.ready({_person(fact) for fact in facts if _open_fields(fact)})
    return sealed


def seal_at_hand(facts: Sequence[Fact], command_id: str, keys: KeyStore) -> list[Fact] | None:
    """`seal` with the keys that are at hand; None where one is not."""
    sealed: list[Fact] = []
    for index, fact in enumerate(facts):
        names = _open_fields(fact)
        if names:
            person = _person(fact)
            if (key := keys.at_hand(person)) is None:
                return None
            if isinstance(key, Erased):
                sealed.append(_without_words(fact, person, names))
                continue
            place = fact_id(fact.stream, fact.stream_id, command_id, index)
            boxes = {n: seal_value(key, person, f"{place}/{n}", getattr(fact, n)) for n in names}
            sealed.append(fact.model_copy(update=boxes))
        else:
            sealed.append(fact)
    return sealed


def _without_words(fact: Fact, person: str, names: Sequence[str]) -> Fact:
    """The fact about somebody who is erased. Raises `Refused` where it would be news of them."""
    if fact.introduces:
        raise Refused(
            Reason(
                code="person_erased", detail=f"{person} is erased; use a new id", field="rider_id"
            )
        )
    return fact.model_copy(update=dict.fromkeys(names, ERASED))


async def unseal(recorded: Sequence[Recorded], keys: KeyStore) -> list[Fact]:
    """The bodies with every personal field readable, or `Erased` where its key is gone."""
    boxes = {
        v.key
        for r in recorded
        for n in r.body.personal
        if isinstance(v := getattr(r.body, n), Sealed)
    }
    found = await keys.find(boxes) if boxes else {}
    return [_opened(r, found) for r in recorded]


def _person(fact: Fact) -> str:
    return str(getattr(fact, fact.key_of))


def _open_fields(fact: Fact) -> list[str]:
    return [n for n in fact.personal if isinstance(getattr(fact, n), str)]


def _opened(recorded: Recorded, keys: dict[str, AESGCM]) -> Fact:
    fact = recorded.body
    values: dict[str, object] = {}
    for name in fact.personal:
        value = getattr(fact, name)
        if isinstance(value, Sealed):
            key = keys.get(value.key)
            place = f"{recorded.fact_id}/{name}"
            values[name] = open_value(key, place, value) if key else ERASED
    return fact.model_copy(update=values) if values else fact
