"""Whole houses that run, for tests from outside: `waggle up` in a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.deploy.folders import empty_house

WAGGLE = (sys.executable, "-m", "cli.main")
PATIENCE = 60.0


@contextmanager
def running_house() -> Iterator[Path]:
    """The data folder of a house that is ready; stopped in the end."""
    with empty_house() as folder:
        log = folder / "up.err"
        with log.open("wb") as errors:
            up = subprocess.Popen(
                [*WAGGLE, "up", "--data", str(folder / "var"), "--json"],
                stdout=subprocess.PIPE,
                stderr=errors,
                env={**os.environ, "WAGGLE_SEAL_SECONDS": "0.5"},
            )
        try:
            assert up.stdout is not None
            line = up.stdout.readline()
            assert line, f"waggle up ended: {log.read_text()}"
            assert json.loads(line)["ready"]
            yield folder / "var"
        finally:
            up.terminate()
            try:
                up.communicate(timeout=PATIENCE)
            except subprocess.TimeoutExpired:
                up.kill()
                up.communicate()
                raise
