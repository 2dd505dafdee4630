"""The verbs of the store, on a house that runs."""

from __future__ import annotations

import asyncio
import csv
import io
from pathlib import Path
from typing import Any

import pytest

from cli.ids import new_id
from cli.session import open_session
from contracts.envelope import Command, Outcome
from contracts.party import PartyKind, RegisterParty
from eventlog.asking import ask
from tests.cli.waggle import Waggle

KITE, SWIFT, OFFICER = "platform-kite", "platform-swift", "officer"
KEEPER = "street-taoyuan"


@pytest.fixture(scope="module")
def store(waggle: Waggle) -> Waggle:
    """The built-in store is loaded, the officer known, and a rider has nothing yet."""
    register(waggle, OFFICER, OFFICER, PartyKind.OFFICER)
    loaded = waggle.json("store", "load")
    assert loaded["refused"] == []
    return waggle


def register(waggle: Waggle, party: str, who: str, kind: PartyKind, **more: Any) -> None:
    tell(waggle, party, RegisterParty(party_id=who, kind=kind, **more))


def tell(waggle: Waggle, party: str, command: Command) -> None:
    async def send() -> None:
        async with open_session(waggle.house, quiet=True) as session:
            answer, _ = await ask(await session.nats(party), party, command, new_id())
            assert answer.outcome is Outcome.ACCEPTED, answer

    asyncio.run(send())


@pytest.fixture
def rider(store: Waggle) -> str:
    """A rider of Kite, new for one test, without a point."""
    made = f"rider-{new_id()}"
    register(store, KITE, made, PartyKind.RIDER, platform=KITE)
    return made


def item(store: Waggle, tmp_path: Path, price: int = 2, **more: str) -> str:
    """An item of its own for one test."""
    made, file = f"item-{new_id()}", tmp_path / "terms.yaml"
    said = "".join(f"{name}: {value}\n" for name, value in more.items())
    file.write_text(f"name: 试品\nkind: goods\nprice: {price}\n{said}", "utf-8")
    store.json("store", "offer", made, str(file), "--stock", "1")
    return made


def test_loading_the_store_again_changes_nothing(store: Waggle) -> None:
    again = store.json("store", "load")
    assert again["new"] == 0
    assert again["known"] == 25


def test_the_store_shows_what_there_is_in_both_languages(store: Waggle) -> None:
    items = {one["item_id"]: one for one in store.json("store", "items")["items"]}
    assert items["item-water"]["price"] == 2
    assert items["item-rain-cape"]["terms"]["station"] == "stop-taoyuan-center"
    assert "骑行雨披" in store("store", "items").out
    assert "Rain cape" in store("store", "items", "--language", "en").out


def test_a_rider_sees_everything_that_is_in_the_way(store: Waggle, rider: str) -> None:
    shown = store.json("store", "items", "--rider", rider)
    items = {one["item_id"]: one for one in shown["items"]}
    course = items["item-skill-course"]
    assert course["available"] is False
    assert course["points_missing"] == 10
    assert [r["code"] for r in course["reasons"]] == ["not_in_your_area", "points_missing"]
    near = store.json("store", "items", "--rider", rider, "--area", "330299001")["items"]
    told = next(one for one in near if one["item_id"] == "item-skill-course")
    assert [r["code"] for r in told["reasons"]] == ["points_missing"]


def test_a_redemption_without_points_is_refused_with_what_is_missing(
    store: Waggle, rider: str, tmp_path: Path
) -> None:
    said = store("redeem", "take", item(store, tmp_path), "--rider", rider, "--json")
    assert said.code == 1
    (reason,) = said.document["reasons"]
    assert reason["code"] == "points_missing"
    assert said.document["code"] is None


def test_nobody_else_redeems_for_a_rider(store: Waggle, rider: str, tmp_path: Path) -> None:
    words = ("redeem", "take", item(store, tmp_path), "--rider", rider, "--json")
    refused = store(*words, "--as", SWIFT)
    assert (refused.code, refused.document["reasons"][0]["code"]) == (1, "not_your_rider")
    stranger = store("redeem", "take", "item-water", "--rider", "rider-nobody", "--json")
    assert (stranger.code, stranger.document["reasons"][0]["code"]) == (1, "unknown_rider")


def test_terms_that_are_wrong_are_told_place_by_place(store: Waggle, tmp_path: Path) -> None:
    file = tmp_path / "bad.yaml"
    file.write_text("name: 便宜货\nkind: gift\nprice: 1\ncolour: red\n", "utf-8")
    said = store("store", "offer", "item-bad", str(file))
    assert said.code == 2
    for place in ("kind", "price", "colour"):
        assert place in said.err
    assert store("store", "offer", "bad", str(file)).code == 2


def test_stock_comes_and_goes(store: Waggle, tmp_path: Path) -> None:
    made = item(store, tmp_path)
    store.json("store", "restock", made, "--count", "4")
    store.json("store", "restock", made, "--count", "2", "--gone")
    left = {one["item_id"]: one["free"] for one in store.json("store", "items")["items"]}
    assert left[made] == 3
    refused = store("store", "restock", made, "--count", "9", "--gone", "--json")
    assert (refused.code, refused.document["reasons"][0]["code"]) == (1, "not_that_many")
    store.json("store", "withdraw", made)
    assert made not in {one["item_id"] for one in store.json("store", "items")["items"]}


def test_a_wish_goes_all_its_way(store: Waggle, rider: str, tmp_path: Path) -> None:
    wish = f"wish-{new_id()}"
    store.json("wish", "suggest", "--rider", rider, "--id", wish, "想要一双防滑手套")
    (unread,) = [
        one for one in store.json("wish", "list", "--unread")["wishes"] if one["wish_id"] == wish
    ]
    assert unread["text"] == "想要一双防滑手套"
    store.json("wish", "publish", wish, "--name", "防滑手套", "--english", "Grip gloves")
    other = f"rider-{new_id()}"
    register(store, SWIFT, other, PartyKind.RIDER, platform=SWIFT)
    for _ in range(2):
        store.json("wish", "support", wish, "--rider", other)
    store.json("wish", "approve", wish, "--note", "总工会出资")
    file = tmp_path / "gloves.yaml"
    file.write_text("name: {zh: 手套, en: Gloves}\nkind: goods\nprice: 8\n", "utf-8")
    made = f"item-{new_id()}"
    store.json("store", "offer", made, str(file), "--stock", "5", "--wish", wish)
    told = store.json("wish", "show", wish)
    assert (told["step"], told["item_id"], told["supporters"]) == ("fulfilled", made, 1)
    assert store("wish", "show", "wish-nowhere").code == 1


def test_a_wish_is_declined_with_a_reason(store: Waggle, rider: str) -> None:
    wish = f"wish-{new_id()}"
    store.json("wish", "suggest", "--rider", rider, "--id", wish, "想要一辆车")
    refused = store("wish", "decline", wish, "--reason", "other", "--note", "x", "--as", KITE)
    assert refused.code == 1
    store.json("wish", "decline", wish, "--reason", "too_expensive", "--note", "超出预算")
    told = store.json("wish", "show", wish)
    assert (told["step"], told["reason"]) == ("declined", "too_expensive")


def test_the_nearest_open_station_depends_on_the_hour(store: Waggle) -> None:
    here = ("station", "nearest", "--lat", "29.7720", "--lng", "121.3180")
    noon = store.json(*here, "--at", "2026-11-27T12:00:00+08:00")["stations"]
    assert noon[0]["station_id"] == "stop-brook-pharmacy"
    night = store.json(*here, "--at", "2026-11-27T03:00:00+08:00")["stations"]
    assert [one["station_id"] for one in night] == ["stop-shiqiao-night"]
    late_saturday = store.json(*here, "--at", "2026-11-29T01:30:00+08:00")["stations"]
    assert late_saturday[0]["station_id"] == "stop-brook-pharmacy"
    swap = store.json(*here, "--with", "battery-swap", "--also-closed")["stations"]
    assert [one["station_id"] for one in swap] == ["stop-shiqiao-night"]
    assert store(*here, "--with", "swimming-pool").code == 1
    assert store(*here, "--at", "yesterday").code == 2
    assert store(*here, "--at", "2026-11-27T12:00:00").code == 2


def test_the_map_is_geojson(store: Waggle) -> None:
    found = store.json("station", "map", "--at", "2026-11-27T12:00:00+08:00")
    assert found["type"] == "FeatureCollection"
    ids = {feature["id"] for feature in found["features"]}
    assert "stop-taoyuan-center" in ids
    assert store.json("station", "list")["stations"]


def test_the_ranking_is_computed_alike_by_everybody(store: Waggle) -> None:
    first = store.json("ranking", "--month", "2026-11")
    assert first["digest"] == store.json("ranking", "--month", "2026-11")["digest"]
    then = store.json("ranking", "--month", "2026-11", "--as-of", "0")
    assert (then["lines"], then["unranked"], then["as_of"]) == ([], [], 0)
    assert store("ranking", "--month", "2026-13").code == 2
    assert store("ranking").code == 2
    assert store("ranking", "--month", "2026-11", "--year", "2026").code == 2


def test_the_public_ledger_adds_up_to_the_accounts(store: Waggle) -> None:
    checked = store.json("store", "public", "--check")
    assert checked["differences"] == []
    rows = list(csv.reader(io.StringIO(store("store", "public", "--csv").out)))
    assert rows[0] == ["month", "part", "item_id", "points", "pseudonym"]
