"""`waggle witness`: see for yourself that the log only grows, and say so under your own key.

A witness's folder is its memory: its key, the log's key as it was first seen, and the last
checkpoint that it has signed. It belongs on a machine that is not the city's.
"""

from __future__ import annotations

import asyncio
import base64
import fcntl
import json
import os
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from cli.door import NatsOption, SeedOption, Way, open_door
from cli.printing import note as remark
from cli.printing import print_json, say
from cli.running import Exit, Failure, run
from cli.session import DEFAULT_DATA, DataOption, JsonOption
from cli.verify import KeyOption, SealOption, not_proven
from deploy.seal_folder import keep_key, replace_file
from proof.checkpoint import Checkpoint, opened
from proof.cosignature import Inconsistent, cosigned_at, witnessed
from proof.files import ERRORS, SealFolder, read_key
from proof.merkle import consistency_proof
from proof.note import Kind, Note, Signer, Verifier

app = typer.Typer(help="Cosign checkpoints of the log as a witness.", no_args_is_help=True)

PRIVATE: Final = "witness.key"
PUBLIC: Final = "witness.pub"
LOG_KEY: Final = "log.pub"
LAST: Final = "checkpoint"
EVIDENCE: Final = "evidence"

FolderOption = Annotated[
    Path, typer.Option("--folder", file_okay=False, help="The witness's own folder.")
]


@dataclass(frozen=True, slots=True)
class Shown:
    """What a witness is shown: a checkpoint, and that it goes on from what it saw."""

    key: Verifier
    note: Note
    proof: Sequence[bytes]


@app.command()
def cosign(
    folder: FolderOption,
    party: Annotated[
        str | None, typer.Option("--as", metavar="PARTY", help="Who witnesses: a unit, an office.")
    ] = None,
    seal: SealOption = None,
    key: KeyOption = None,
    name: Annotated[
        str | None, typer.Option(help="The name of a new key, such as witness.example/sanitation.")
    ] = None,
    url: NatsOption = None,
    seed: SeedOption = None,
    data: DataOption = DEFAULT_DATA,
    as_json: JsonOption = False,
) -> None:
    """Take the latest checkpoint, check that the log goes on from the last one, and cosign it.

    With --seal from a copy of the folder of the seal; else from the sealer
    itself, as PARTY, which also gets the cosignature back. The log's key is
    remembered at the first time: give it with --key from a source you trust.
    Exit code 1: the log is not the one that was seen before. What shows it is
    kept in the folder as evidence.

    Examples:
      waggle witness cosign --folder witness --as sanitation
      waggle witness cosign --folder witness --seal copied-seal --key city.key
    """
    if (party is None) == (seal is None):
        raise typer.BadParameter("say as whom to ask the sealer (--as), or give a copy (--seal)")
    way = Way(data, party, url, seed)
    run(_cosign(folder, way, seal, key, name, as_json))


@app.command()
def show(folder: FolderOption, as_json: JsonOption = False) -> None:
    """What this witness has last signed, and its public key.

    Examples:
      waggle witness show --folder witness --json
    """
    run(_show(folder, as_json))


async def _cosign(
    folder: Path, way: Way, seal: Path | None, key: str | None, name: str | None, as_json: bool
) -> None:
    try:
        log = await asyncio.to_thread(read_key, key) if key else None
        with _held(folder):
            signer = keep_key(folder / PRIVATE, name, Kind.COSIGNATURE)
            if seal is not None:
                note = _witness(folder, _from_copy(folder, seal), log, signer)
            else:
                async with open_door(way, quiet=as_json) as door:
                    ask = _Asking(door.nc, door.party)
                    note = _witness(folder, await ask.latest(_last_size(folder)), log, signer)
                    await ask.hand_in(signer, note)
    except Inconsistent as error:
        raise Failure(f"{error}. What shows it is kept in {folder / EVIDENCE}") from error
    except ERRORS as error:
        raise not_proven(error) from error
    _tell(_document(folder), as_json)


class _Asking:
    """The sealer, asked over NATS."""

    def __init__(self, nc: Any, party: str) -> None:
        self._nc = nc
        self._party = party

    async def latest(self, old: int) -> Shown:
        answer = await self._ask("checkpoint", {"old": old})
        proof = [base64.b64decode(one, validate=True) for one in answer["proof"]]
        note = Note.parse(answer["checkpoint"].encode())
        return Shown(Verifier.parse(answer["key"]), note, proof)

    async def hand_in(self, signer: Signer, note: Note) -> None:
        given = {"witness": signer.verifier.vkey, "note": bytes(note).decode()}
        await self._ask("cosignature", given)

    async def _ask(self, what: str, asked: dict[str, Any]) -> dict[str, Any]:
        subject = f"cmd.{self._party}.sealer.{what}"
        reply = await self._nc.request(subject, json.dumps(asked).encode(), timeout=10)
        answer: dict[str, Any] = json.loads(reply.data)
        if error := answer.get("error"):
            raise Failure(f"the sealer says: {error}")
        return answer


def _from_copy(folder: Path, seal: Path) -> Shown:
    files, old = SealFolder(seal), _last_size(folder)
    note = files.latest()
    size = Checkpoint.parse(note.text).size
    proof = consistency_proof(old, size, files.tiles(size).subtree) if old <= size else []
    return Shown(files.key(), note, proof)


def _witness(folder: Path, shown: Shown, given: Verifier | None, signer: Signer) -> Note:
    """Cosign what is shown, if it goes on from what was seen; remember it first."""
    log = _log_key(folder, given or shown.key, trusted=given is not None)
    last = _last(folder)
    try:
        note = witnessed(
            shown.note, log, opened(last, log) if last else None, shown.proof, signer, _now()
        )
    except Inconsistent:
        kept = folder / EVIDENCE / time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
        replace_file(kept / "shown", bytes(shown.note))
        replace_file(kept / "seen", bytes(last) if last else b"")
        raise
    replace_file(folder / LAST, bytes(note))
    return note


def _log_key(folder: Path, log: Verifier, *, trusted: bool) -> Verifier:
    """The log's key as it was first seen, which stays."""
    file = folder / LOG_KEY
    if not file.is_file():
        replace_file(file, f"{log.vkey}\n".encode())
        if not trusted:
            remark(f"remembered as the log's key: {log.vkey}; compare it with the published one")
    known = read_key(file)
    if trusted and known != log:
        raise Failure(f"this witness knows the log by another key, {known.vkey}", Exit.WRONG_INPUT)
    return known


async def _show(folder: Path, as_json: bool) -> None:
    try:
        document = await asyncio.to_thread(_document, folder)
    except ERRORS as error:
        raise Failure(str(error), Exit.WRONG_INPUT) from error
    _tell(document, as_json)


def _document(folder: Path) -> dict[str, Any]:
    if (note := _last(folder)) is None or not (folder / PRIVATE).is_file():
        raise Failure(f"{folder} has cosigned nothing yet", Exit.WRONG_INPUT)
    witness = keep_key(folder / PRIVATE, kind=Kind.COSIGNATURE).verifier
    replace_file(folder / PUBLIC, f"{witness.vkey}\n".encode())
    checkpoint = opened(note, read_key(folder / LOG_KEY))
    return {
        "witness": witness.vkey,
        "log": read_key(folder / LOG_KEY).vkey,
        "size": checkpoint.size,
        "root": base64.b64encode(checkpoint.root).decode(),
        "at": cosigned_at(note, witness),
        "file": str(folder / LAST),
    }


def _tell(document: dict[str, Any], as_json: bool) -> None:
    if as_json:
        print_json(document)
        return
    at = time.strftime("%Y-%m-%d %H:%M:%SZ", time.gmtime(document["at"]))
    say(
        f"cosigned at {at}: the log of {document['size']} entries, root {document['root']}", "green"
    )
    say(f"by {document['witness']}")
    say(f"keep {document['file']}: it shows what the log was")


def _last(folder: Path) -> Note | None:
    file = folder / LAST
    return Note.parse(file.read_bytes()) if file.is_file() else None


def _last_size(folder: Path) -> int:
    last = _last(folder)
    return Checkpoint.parse(last.text).size if last else 0


def _now() -> int:
    return int(time.time())


@contextmanager
def _held(folder: Path) -> Iterator[None]:
    """One at a time: what was seen and what is signed must not overtake each other."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    lock = os.open(folder / ".lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)
