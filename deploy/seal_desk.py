"""Where witnesses get the latest checkpoint, with the proof that they need, and hand in theirs.

`cmd.<party>.sealer.checkpoint`    {"old": N}: the latest, and that it goes on from N entries
`cmd.<party>.sealer.cosignature`   {"witness": key, "note": text}: kept beside the checkpoints

The party is the authenticated one. Its first key stays its key: another one is refused.
"""

from __future__ import annotations

import asyncio
import base64
import json
from typing import Any, Final

import structlog
from nats.aio.client import Client
from nats.aio.msg import Msg

from deploy.seal_folder import SealStore
from proof.checkpoint import opened
from proof.cosignature import cosigned_at
from proof.entry import Malformed
from proof.files import ERRORS, KEY, LATEST, WITNESSES, read_key
from proof.merkle import consistency_proof
from proof.note import BadSignature, Note, Verifier

log = structlog.get_logger()

SUBJECTS: Final = "cmd.*.sealer.>"


class SealDesk:
    """Answers witnesses. Signs nothing."""

    def __init__(self, nc: Client, store: SealStore, verifier: Verifier) -> None:
        self._nc = nc
        self._store = store
        self._log = verifier

    async def open(self) -> None:
        """Hear requests from now on."""
        await self._nc.subscribe(SUBJECTS, queue="sealer", cb=self._hear)

    async def _hear(self, message: Msg) -> None:
        if message.reply:
            answer = await asyncio.to_thread(self._answer, message.subject, message.data)
            await self._nc.publish(message.reply, json.dumps(answer).encode())

    def _answer(self, subject: str, data: bytes) -> dict[str, Any]:
        _, party, _, what = subject.split(".", 3)
        try:
            asked = json.loads(data)
            match what:
                case "checkpoint":
                    return self._latest(int(asked["old"]))
                case "cosignature":
                    return self._keep(party, asked["witness"], asked["note"])
                case _:
                    return {"error": f"no {what!r} here: ask for checkpoint, or give cosignature"}
        except ERRORS as error:
            return {"error": str(error)}
        except (KeyError, TypeError, ValueError, AttributeError, RecursionError) as error:
            return {"error": f"not readable: {type(error).__name__}: {error}"}

    def _latest(self, old: int) -> dict[str, Any]:
        files = self._store.files
        if not (files.path / LATEST).is_file():
            return {"error": "nothing is signed yet"}
        note = files.latest()
        size = opened(note, self._log).size
        proof = consistency_proof(old, size, files.tiles(size).subtree) if 0 <= old <= size else []
        hashes = [base64.b64encode(one).decode() for one in proof]
        return {"key": self._log.vkey, "checkpoint": bytes(note).decode(), "proof": hashes}

    def _keep(self, party: str, vkey: str, written: str) -> dict[str, Any]:
        note, witness = Note.parse(written.encode()), Verifier.parse(vkey)
        checkpoint = opened(note, self._log)
        at = cosigned_at(note, witness)
        known = self._store.files.path / WITNESSES / party / KEY
        if known.is_file() and read_key(known) != witness:
            raise BadSignature(f"{party} is known by another key; ask the operator to remove it")
        if checkpoint.size < self._size_of(party):
            raise Malformed("a later checkpoint is cosigned already")
        self._store.keep_cosigned(party, witness.vkey, note)
        log.info("checkpoint_cosigned", by=party, witness=witness.name, size=checkpoint.size)
        return {"kept": checkpoint.size, "at": at}

    def _size_of(self, party: str) -> int:
        file = self._store.files.path / WITNESSES / party / LATEST
        return opened(Note.parse(file.read_bytes()), self._log).size if file.is_file() else 0
