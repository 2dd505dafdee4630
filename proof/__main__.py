"""`python -m proof`: verify from files alone, with nothing of the house around.

0   everything is as it was signed
1   something is not; the first bad sequence is named
2   the input cannot be read
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from proof.audit import Audit, Verdict
from proof.files import (
    ERRORS,
    Missing,
    SealFolder,
    audit_lines,
    lines_of,
    read_checkpoint,
    read_key,
    verify_export,
)
from proof.merkle import NotProven
from proof.note import BadSignature
from proof.receipt import Receipt, check_receipt


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what the command line says; the exit code."""
    asked = _parser().parse_args(arguments)
    try:
        document: dict[str, Any] = asked.verb(asked)
    except (BadSignature, NotProven) as error:
        document = {"ok": False, "first_bad": None, "problems": [str(error)]}
    except ERRORS as error:
        print(f"proof: {error}", file=sys.stderr)
        return 2
    print(json.dumps(document, ensure_ascii=False))
    return 0 if document["ok"] else 1


def verify_receipt(path: Path, key: str | None) -> dict[str, Any]:
    """Check a receipt, against a key or the one that it names itself."""
    try:
        given = Receipt.parse(path.read_bytes())
    except OSError as error:
        raise Missing(f"{path} cannot be read: {error.strerror}") from error
    log = read_key(key) if key else given.log
    proven = check_receipt(given, log)
    facts = [
        {
            "sequence": one.entry.sequence,
            "recorded_at": one.entry.recorded_at,
            "subject": one.entry.subject,
            "headers": [list(pair) for pair in one.entry.headers],
            "body": one.entry.body.decode("utf-8", "replace"),
            "checkpoint": one.checkpoint.size,
        }
        for one in proven
    ]
    return {"ok": True, "log": log.vkey, "key_given": key is not None, "facts": facts}


def verify_lines(path: Path, seal: Path, key: str | None, held: Sequence[Path]) -> Verdict:
    """Check the lines of a log against a seal folder and checkpoints held elsewhere."""
    folder = SealFolder(seal)
    log = read_key(key) if key else folder.key()
    checkpoints = [*folder.checkpoints(log), *(read_checkpoint(one, log) for one in held)]
    tiles = folder.tiles(max(c.size for c in folder.checkpoints(log)))
    return audit_lines(Audit(checkpoints, tiles), lines_of(path))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="proof", description=__doc__.splitlines()[0])
    verify = parser.add_subparsers(required=True).add_parser("verify").add_subparsers(required=True)
    receipt = verify.add_parser("receipt", help="one receipt")
    receipt.add_argument("file", type=Path)
    receipt.set_defaults(verb=lambda a: verify_receipt(a.file, a.key))
    export = verify.add_parser("export", help="a folder with a manifest")
    export.add_argument("dir", type=Path)
    export.set_defaults(verb=lambda a: _export(a.dir, a.key, a.checkpoint).document())
    log = verify.add_parser("log", help="the lines of a whole log, against a seal folder")
    log.add_argument("file", type=Path)
    log.add_argument("--seal", type=Path, required=True)
    log.set_defaults(verb=lambda a: verify_lines(a.file, a.seal, a.key, a.checkpoint).document())
    for one in (receipt, export, log):
        one.add_argument("--key", help="the log's public key, or a file with it")
    for one in (export, log):
        one.add_argument(
            "--checkpoint", type=Path, action="append", default=[], help="one that you have kept"
        )
    return parser


def _export(folder: Path, key: str | None, held: Sequence[Path]) -> Verdict:
    return verify_export(folder, log=read_key(key) if key else None, held=held)


if __name__ == "__main__":
    sys.exit(main())
