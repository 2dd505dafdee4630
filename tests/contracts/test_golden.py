"""Yesterday's facts are read today: every version and every shape that ever existed."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, ClassVar

import jsoncompat
import pytest

from contracts.envelope import FACTS, Fact, Id, Sealed, Unreadable, all_facts, read_body
from contracts.export import shape
from eventlog.message import decode, is_intact
from eventlog.sealing import open_value
from tests.contracts.compatibility import breaking, closed
from tests.contracts.kept import FILES, GOLDEN, golden_key, golden_name, read_golden, shapes_of

ALL = list(all_facts())
VALUES = 20
"""How many made-up values of each shape are read."""
CROSS_CHECKED = ("RulebookPublished",)
"""Facts with rules across fields, which no schema says and made-up values do not keep."""


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.name)
def test_a_fact_of_any_version_is_read_and_its_hash_holds(path: Path) -> None:
    golden = read_golden(path)
    recorded = decode(
        golden.subject,
        golden.headers,
        golden.body,
        sequence=golden.sequence,
        recorded_at=golden.recorded_at,
    )
    assert recorded.type == path.name.split(".")[1]
    assert golden.subject == f"log.{recorded.body.stream}.{recorded.body.stream_id}"
    assert is_intact(recorded, golden.headers, golden.body)


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.name)
def test_a_sealed_field_of_any_version_still_opens(path: Path) -> None:
    golden = read_golden(path)
    fact = read_body(path.name.split(".")[1], int(golden.headers["ce-schemaversion"]), golden.body)
    for name, said in golden.opened.items():
        box = getattr(fact, name)
        assert isinstance(box, Sealed)
        assert open_value(golden_key(box.key), f"{golden.headers['ce-id']}/{name}", box) == said


@pytest.mark.parametrize("fact", ALL, ids=lambda f: f.__name__)
def test_every_version_of_a_fact_has_its_golden_file(fact: type[Fact]) -> None:
    versions = range(1, fact.schema_version + 1)
    expected = {f"{fact.stream}.{fact.__name__}.v{version}.json" for version in versions}
    found = {path.name for path in FILES if path.name.split(".")[1] == fact.__name__}
    assert golden_name(fact) in found, "run: make contracts"
    assert found == expected


def test_no_fact_was_taken_away() -> None:
    named = {path.name.split(".")[1] for path in FILES}
    assert named == {fact.__name__ for fact in ALL}


@pytest.mark.parametrize("fact", ALL, ids=lambda f: f.__name__)
def test_todays_shape_is_kept(fact: type[Fact]) -> None:
    kept = [s for version, s in shapes_of(fact.__name__).values() if version == fact.schema_version]
    assert shape(fact) in kept, "the shape changed; run: make contracts"


@pytest.mark.parametrize("fact", ALL, ids=lambda f: f.__name__)
def test_what_any_shape_of_this_version_wrote_is_readable(fact: type[Fact]) -> None:
    for name, (version, kept) in shapes_of(fact.__name__).items():
        if version == fact.schema_version:
            broken = breaking(kept, fact.model_json_schema())
            assert not broken, (
                f"{name} cannot be read any more: {'; '.join(broken)}. Give fields a default, or "
                f"raise the version of {fact.__name__} and add an upcaster"
            )


@pytest.mark.parametrize("fact", ALL, ids=lambda f: f.__name__)
def test_every_older_version_has_its_upcaster(fact: type[Fact]) -> None:
    assert set(fact.upcasters) == set(range(1, fact.schema_version))
    assert all(version <= fact.schema_version for version, _ in shapes_of(fact.__name__).values())


@pytest.mark.parametrize(
    "fact", [f for f in ALL if f.__name__ not in CROSS_CHECKED], ids=lambda f: f.__name__
)
def test_made_up_values_of_every_shape_are_read(fact: type[Fact]) -> None:
    for version, kept in shapes_of(fact.__name__).values():
        for _ in range(VALUES):
            body = jsoncompat.generate_value(json.dumps(closed(kept)))
            assert isinstance(read_body(fact.__name__, version, body.encode()), fact)


def test_a_kept_file_is_never_edited() -> None:
    """Golden files are what logs are made of; git tells whether one was ever touched again."""
    if not (_root() / ".git").exists():
        pytest.skip("not a git checkout: nothing to compare with")
    touched = _git("log", "--format=", "--name-status", "--diff-filter=MDRT", "--", str(GOLDEN))
    changed = _git("diff", "HEAD", "--name-status", "--diff-filter=MDRT", "--", str(GOLDEN))
    assert (touched, changed) == ("", "")


class TestAnOlderVersion:
    """A fact that was written with a street name, and has a code now."""

    @pytest.fixture
    def swept(self) -> Iterator[type[Fact]]:
        def with_code(old: dict[str, Any]) -> dict[str, Any]:
            return {"case_id": old["case_id"], "street_code": old["street"].lower()}

        def with_times(old: dict[str, Any]) -> dict[str, Any]:
            return {**old, "times": 1}

        class StreetSwept(Fact, stream="case", version=3):
            upcasters: ClassVar[Mapping[int, Any]] = {1: with_code, 2: with_times}

            case_id: Id
            street_code: str
            times: int

        yield StreetSwept
        del FACTS["StreetSwept"]

    def test_is_lifted_step_by_step(self, swept: type[Fact]) -> None:
        first = b'{"case_id": "c-1", "street": "TAOYUAN"}'
        second = b'{"case_id": "c-1", "street_code": "taoyuan"}'
        today = swept(case_id="c-1", street_code="taoyuan", times=1)  # type: ignore[call-arg]
        assert read_body("StreetSwept", 1, first) == today
        assert read_body("StreetSwept", 2, second) == today
        assert read_body("StreetSwept", 3, today.model_dump_json().encode()) == today

    @pytest.mark.usefixtures("swept")
    def test_that_its_upcaster_cannot_lift_is_unreadable_with_the_reason(self) -> None:
        with pytest.raises(Unreadable, match=r"StreetSwept version 1: 'street'"):
            read_body("StreetSwept", 1, b'{"case_id": "c-1"}')

    @pytest.mark.usefixtures("swept")
    def test_from_the_future_is_not_guessed_at(self) -> None:
        with pytest.raises(Unreadable, match="version 4 is newer than this code"):
            read_body("StreetSwept", 4, b"{}")

    def test_an_unknown_fact_is_unreadable(self) -> None:
        with pytest.raises(Unreadable, match="unknown fact type 'StreetSwept'"):
            read_body("StreetSwept", 1, b"{}")


def _root() -> Path:
    return Path(__file__).parents[2]


def _git(*arguments: str) -> str:
    command = ["git", "-C", str(_root()), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
