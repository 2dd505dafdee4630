"""What every tracked file keeps out: this machine, registries, notes to self."""

from __future__ import annotations

import re
import tomllib
from importlib.metadata import version
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.house.tree import EXPORTED, ROOT, files, listed

MACHINE = re.compile(r"(?<![\w.}])/(?:root|home|Users|work)/[\w.]")
REGISTRY = re.compile(
    r"pypi\.org|pythonhosted\.org|registry\.(?:npmjs|yarnpkg)|[-]-(?:extra-)?index-url"
)
LATER = re.compile(r"\b(?:TO[D]O|FIX[M]E|X[X]X)\b")
LOCK = ROOT / "requirements.lock"


def texts() -> list[tuple[Path, str]]:
    """Every tracked file that is text."""
    found = []
    for path in files():
        content = (ROOT / path).read_bytes()
        if b"\0" not in content:
            found.append((path, content.decode("utf-8")))
    return found


def hits(pattern: re.Pattern[str]) -> list[str]:
    return [
        f"{path}:{text.count(chr(10), 0, hit.start()) + 1} {hit[0]}"
        for path, text in texts()
        for hit in pattern.finditer(text)
    ]


def test_no_file_knows_this_machine() -> None:
    found = hits(MACHINE)
    assert not found, listed(found)
    here = [str(path) for path, text in texts() if str(ROOT) in text]
    assert not here, listed(here)


def test_no_file_names_a_registry() -> None:
    found = hits(REGISTRY)
    assert not found, listed(found)


def test_nothing_is_left_for_later() -> None:
    found = hits(LATER)
    assert not found, listed(found)


def test_every_text_ends_with_one_line_feed() -> None:
    wrong = [
        str(path)
        for path, text in texts()
        if text and (not text.endswith("\n") or text.endswith("\n\n"))
    ]
    assert not wrong, listed(wrong)


def test_no_text_has_spaces_at_the_end_of_a_line() -> None:
    wrong = [
        str(path)
        for path, text in texts()
        if re.search(r"[ \t]$", text, re.MULTILINE) and not str(path).startswith(EXPORTED)
    ]
    assert not wrong, listed(wrong)


def test_the_lock_names_no_address_and_a_hash_for_every_package() -> None:
    text = LOCK.read_text("utf-8")
    assert not re.search(r"://|[-]-(?:extra-index-url|index-url|find-links|trusted-host)", text)
    for entry in re.split(r"\n(?=[a-z0-9])", text.strip()):
        assert re.match(r"[a-z0-9._-]+==[^\s;]+", entry), entry
        assert "--hash=sha256:" in entry, entry


def test_the_lock_holds_what_the_project_asks_for() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    locked = dict(re.findall(r"^([a-z0-9._-]+)==([^\s;]+)", LOCK.read_text("utf-8"), re.MULTILINE))
    wanted = [*project["dependencies"], *project["optional-dependencies"]["dev"]]
    for asked in map(Requirement, wanted):
        name = canonicalize_name(asked.name)
        assert name in locked, f"{name} is not locked; run: make lock"
        assert asked.specifier.contains(locked[name]), f"{asked} but locked {locked[name]}"


def test_what_runs_is_what_is_locked() -> None:
    locked = dict(re.findall(r"^([a-z0-9._-]+)==([^\s;]+)", LOCK.read_text("utf-8"), re.MULTILINE))
    for name in ("pydantic", "nats-py", "faststream", "asyncpg"):
        assert version(name) == locked[name]
