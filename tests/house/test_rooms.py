"""Every room has the same files; whoever knows one room finds their way in all."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from tests.house.tree import ROOMS, ROOT, files, parsed

SAME = ("decider", "reactions", "projection", "app")
HALLS = ("gateway",)
"""What stands in services/ and is no room: it decides nothing."""


@pytest.mark.parametrize("room", ROOMS)
@pytest.mark.parametrize("name", SAME)
def test_a_room_has_this_file_or_a_folder_of_the_same_name(room: str, name: str) -> None:
    file = ROOT / "services" / room / f"{name}.py"
    folder = ROOT / "services" / room / name / "__init__.py"
    assert file.exists() != folder.exists()


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_opens_with_a_drawing_of_its_flow(room: str) -> None:
    docstring = ast.get_docstring(parsed(Path("services", room, "__init__.py"))) or ""
    assert "──" in docstring or "->" in docstring
    assert len(docstring.splitlines()) <= 15


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_opens_with_nothing_but_the_drawing(room: str) -> None:
    assert len(parsed(Path("services", room, "__init__.py")).body) == 1


def test_nothing_but_rooms_stands_in_services() -> None:
    found = {path.parts[1] for path in files() if path.parts[0] == "services"}
    assert found - set(HALLS) == {*ROOMS, "__init__.py"}
