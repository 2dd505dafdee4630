"""What is pure stays pure: the guards agree about the edge, and they bite."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tomllib
from fnmatch import fnmatchcase
from itertools import chain
from pathlib import Path
from typing import Any

import pytest

from tests.house.tree import OURS, ROOT, sources

BIN = Path(sys.executable).parent
PURE_FOLDERS = ("proof", "contracts", "eventlog", "services")
"""Folders in which a file is pure unless it is named as edge."""
IMPURE = {
    "the clock": "from datetime import UTC, datetime\n\nMOMENT = datetime.now(UTC)\n",
    "the clock in the old way": "import datetime\n\nMOMENT = datetime.datetime.utcnow()\n",
    "the day": "import datetime\n\nDAY = datetime.date.today()\n",
    "time": "import time\n\nMOMENT = time.time()\n",
    "dice": "from random import random\n\nDRAWN = random()\n",
    "secrets": "import secrets\n\nDRAWN = secrets.token_hex()\n",
    "a made-up id": "from uuid import uuid4\n\nMADE = uuid4()\n",
}


def pyproject() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))


def edge_of_import_linter() -> set[Path]:
    contracts = pyproject()["tool"]["importlinter"]["contracts"]
    (pure,) = (contract for contract in contracts if contract["id"] == "pure")
    modules = {path: ".".join(path.with_suffix("").parts) for path in sources(*PURE_FOLDERS)}
    return {
        path
        for path, module in modules.items()
        if any(fnmatchcase(f"{module}.", f"{name}.*") for name in pure["edge"])
    }


def edge_of_ruff() -> set[Path]:
    ignored = pyproject()["tool"]["ruff"]["lint"]["per-file-ignores"]
    named = [pattern for pattern, rules in ignored.items() if "TID251" in rules]
    patterns = list(chain.from_iterable(map(braced, named)))
    return {path for path in sources(*PURE_FOLDERS) if any(path.match(p) for p in patterns)}


def braced(pattern: str) -> list[str]:
    """`a/{b,c}.py` as `a/b.py` and `a/c.py`."""
    if found := re.search(r"\{([^}]*)\}", pattern):
        head, tail = pattern[: found.start()], pattern[found.end() :]
        return [f"{head}{arm}{tail}" for arm in found[1].split(",")]
    return [pattern]


def test_ruff_and_import_linter_name_the_same_edge() -> None:
    assert edge_of_ruff() == edge_of_import_linter()


def test_the_deciders_and_their_like_are_pure() -> None:
    names = {path.stem for path in edge_of_import_linter()} | {
        part for path in edge_of_import_linter() for part in path.parts
    }
    assert not names & {"decider", "reactions", "projection", "message", "contracts"}


@pytest.mark.parametrize("what", IMPURE)
@pytest.mark.parametrize("file", ["services/points/decider.py", "contracts/case.py"])
def test_a_pure_file_that_calls_for_it_is_refused(file: str, what: str) -> None:
    assert "TID251" in ruff(file, IMPURE[what])


@pytest.mark.parametrize("what", IMPURE)
def test_the_edge_may_call_for_it(what: str) -> None:
    assert "TID251" not in ruff("services/points/app.py", IMPURE[what])


def test_a_silent_except_is_refused() -> None:
    assert "S110" in ruff("cli/main.py", "try:\n    print()\nexcept Exception:\n    pass\n")
    assert "BLE001" in ruff("cli/main.py", "try:\n    print()\nexcept Exception:\n    print()\n")


def test_each_import_rule_finds_what_breaks_it(tmp_path: Path) -> None:
    for folder in (*OURS, "tests/house"):
        shutil.copytree(ROOT / folder, tmp_path / folder)
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    plant(tmp_path / "contracts/case.py", "import eventlog.message")
    plant(tmp_path / "services/points/reactions.py", "import services.router.reactions")
    plant(tmp_path / "services/points/lottery.py", "import random")
    plant(tmp_path / "eventlog/decider.py", "import asyncpg")
    plant(tmp_path / "eventlog/message.py", "import eventlog.append")
    command = [str(BIN / "lint-imports"), "--no-cache", "--no-logo"]
    said = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert said.returncode == 1
    assert "contracts.case -> eventlog.message" in said.stdout
    assert "services.points.reactions -> services.router.reactions" in said.stdout
    assert "- services.points.lottery\n" in said.stdout
    assert "services.points.lottery imports random" in said.stdout
    assert "eventlog.decider imports asyncpg" in said.stdout
    assert "eventlog.message imports eventlog.append" in said.stdout


def plant(path: Path, line: str) -> None:
    path.write_text((path.read_text("utf-8") if path.exists() else '"""."""\n') + f"\n{line}\n")


def ruff(file: str, source: str) -> str:
    command = [str(BIN / "ruff"), "check", "--no-cache", "--stdin-filename", file, "-"]
    said = subprocess.run(
        command, cwd=ROOT, input=source, capture_output=True, text=True, check=False
    )
    return said.stdout
