"""The history of a journey on disk: each line is there before its sender goes on.

Kept apart from the house, so that whatever becomes of the house, what was sent and what was
answered is known; the oracle judges by what is read back.
"""

from __future__ import annotations

import asyncio
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from contracts.envelope import COMMANDS, Answer
from tests.journey.history import Operation, Try, outcome
from tests.journey.oracle import target


@dataclass
class Journal:
    """One file, a JSON document a line: an operation as it begins, and what came of each try."""

    file: Path
    _written: int = 0
    _synced: int = 0

    def begin(self, operation: Operation) -> None:
        """An operation, before it is first sent."""
        self._add(
            operation=operation.number,
            id=operation.command_id,
            entity=target(operation.command),
            party=operation.party,
            command=type(operation.command).__name__,
            body=operation.command.model_dump(mode="json"),
        )

    def note(self, operation: Operation, tried: Try) -> None:
        """What came of one try: ok with its sequence, a definite failure, or unknown."""
        self._add(
            of=operation.number,
            began=tried.began,
            ended=tried.ended,
            outcome=outcome(tried),
            sequence=tried.answer.sequence if tried.answer else None,
            answer=tried.answer.model_dump(mode="json") if tried.answer else None,
            known=tried.known,
        )

    async def synced(self) -> None:
        """Until all that was written stands on the disk."""
        written = self._written
        if self._synced < written:
            await asyncio.to_thread(self._sync)
            self._synced = max(self._synced, written)

    def read(self) -> list[Operation]:
        """The history as the file has it."""
        operations: list[Operation] = []
        for text in self.file.read_text().splitlines():
            line = json.loads(text)
            if "operation" in line:
                operations.append(_operation(line))
            else:
                operations[line["of"]].tries.append(_try(line))
        return operations

    def _add(self, **line: Any) -> None:
        with self.file.open("ab") as file:
            file.write(json.dumps(line, ensure_ascii=False).encode() + b"\n")
        self._written += 1

    def _sync(self) -> None:
        with self.file.open("ab") as file:
            os.fsync(file.fileno())


def _operation(line: dict[str, Any]) -> Operation:
    command = COMMANDS[line["command"]].model_validate(line["body"])
    return Operation(line["party"], command, line["id"], number=line["operation"])


def _try(line: dict[str, Any]) -> Try:
    answer = None if line["answer"] is None else Answer.model_validate(line["answer"])
    return Try(line["began"], line["ended"], answer, line["known"])
