"""A search for what must not be there: known texts, in every form that a program may write them.

It looks at the bytes of files, and at what servers give back of what they store in their own form
(a compressed stream, a table).
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from urllib.parse import quote

import asyncpg
from nats.js import JetStreamContext
from nats.js.errors import NotFoundError

Places = dict[str, list[str]]
"""Which texts were found, by place."""


def forms(text: str) -> Iterator[bytes]:
    """As UTF-8, escaped in JSON, percent-encoded, and in base64 at each of its three alignments."""
    plain = text.encode()
    yield plain
    yield json.dumps(text)[1:-1].encode()
    yield quote(text).encode()
    for lead in range(3):
        shifted = base64.b64encode(b"\0" * lead + plain)
        first, last = -(-lead * 4 // 3), (lead + len(plain)) // 3 * 4
        yield shifted[first:last]


def found_in(data: bytes, texts: Iterable[str]) -> list[str]:
    """The texts that the bytes hold in some form."""
    return [text for text in texts if any(form in data for form in forms(text))]


def in_files(folder: Path, texts: Iterable[str]) -> Places:
    """The texts that any file below a folder holds, by file."""
    places: Places = {}
    for file in sorted(folder.rglob("*")):
        try:
            data = file.read_bytes() if file.is_file() and not file.is_symlink() else b""
        except FileNotFoundError:
            continue  # a server has just removed it
        if told := found_in(data, texts):
            places[str(file.relative_to(folder))] = told
    return places


async def in_streams(js: JetStreamContext, names: Iterable[str], texts: Iterable[str]) -> Places:
    """The texts that any message of the streams holds, by stream and sequence."""
    places: Places = {}
    for name in names:
        sequence = 1
        while True:
            try:
                message = await js.get_msg(name, seq=sequence, next=True, subject=">")
            except NotFoundError:
                break
            said = b"\n".join(
                [
                    (message.subject or "").encode(),
                    json.dumps(message.headers or {}, ensure_ascii=False).encode(),
                    message.data or b"",
                ]
            )
            if told := found_in(said, texts):
                places[f"{name}/{message.seq}"] = told
            sequence = (message.seq or 0) + 1
    return places


async def in_tables(url: str, texts: Iterable[str]) -> Places:
    """The texts that any row of any table of a database holds, by table."""
    places: Places = {}
    connection = await asyncpg.connect(url)
    try:
        tables = await connection.fetch(
            "SELECT format('%I.%I', schemaname, tablename) AS name FROM pg_tables"
            " WHERE schemaname NOT IN ('pg_catalog', 'information_schema')"
        )
        for table in tables:
            name = table["name"]
            rows = await connection.fetch(f"SELECT t::text FROM {name} AS t")  # noqa: S608 - quoted
            if told := found_in("\n".join(row[0] for row in rows).encode(), texts):
                places[name] = told
    finally:
        await connection.close()
    return places


def merged(*found: Mapping[str, list[str]]) -> Places:
    """All places together."""
    return {place: texts for one in found for place, texts in one.items()}
