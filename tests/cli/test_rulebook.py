"""Rule documents from files: checked, published, listed, compared, shown, tried on the past."""

from __future__ import annotations

import json
from pathlib import Path
from time import monotonic
from typing import Any

import pytest
import yaml

from cli.ids import new_id
from deploy.rulebooks import BadRulebook, load_rulebook, read_rulebook
from tests.cli.waggle import Waggle

BUILT_IN = load_rulebook()
FAR_AWAY = "2150-01-01T00:00:00+08:00"
"""From when the documents of these tests hold: no other test lives to see it."""


def written(folder: Path, name: str, *documents: dict[str, Any]) -> Path:
    folder.mkdir(exist_ok=True)
    file = folder / name
    file.write_text(yaml.safe_dump_all(documents, allow_unicode=True), "utf-8")
    return file


def document(kind: str, **changes: Any) -> dict[str, Any]:
    return {**BUILT_IN[kind], **changes}


def complaints(*places: Path) -> list[str]:
    return [str(found) for found in read_rulebook(places).errors]


def test_the_built_in_documents_are_read_and_are_right() -> None:
    reading = read_rulebook([])
    assert reading.found == ()
    assert reading.files["places"] == "built-in places.geojson"


def test_documents_may_stand_in_one_file_or_in_several_of_a_folder(tmp_path: Path) -> None:
    every = [document(kind) for kind in BUILT_IN]
    one = written(tmp_path, "all.yaml", *every)
    assert load_rulebook(one) == BUILT_IN
    one.unlink()
    for kind in BUILT_IN:
        (tmp_path / f"{kind}.json").write_text(json.dumps(document(kind)), "utf-8")
    assert load_rulebook(tmp_path) == BUILT_IN


def test_every_error_is_told_with_file_place_reason_and_what_to_do(tmp_path: Path) -> None:
    services = [{**BUILT_IN["catalogue"]["services"][0], "accountable": "municpal"}]
    catalogue = written(tmp_path, "a.yaml", document("catalogue", services=services, version="two"))
    calendar = written(tmp_path, "b.yaml", document("calendar", time_zon="x"))
    assert complaints(catalogue, calendar) == [
        f"{catalogue}: catalogue: version: Input should be a valid integer, unable to parse string "
        "as an integer (write a whole number)",
        f"{calendar}: calendar: time_zon: Extra inputs are not permitted "
        "(leave it out, or correct its name)",
    ]


def test_what_leads_nowhere_is_told_with_what_may_be_meant(tmp_path: Path) -> None:
    services = BUILT_IN["catalogue"]["services"]
    wrong = [{**services[0], "accountable": "municpal"}, *services[1:]]
    file = written(tmp_path, "a.yaml", document("catalogue", services=wrong))
    rest = written(tmp_path, "rest.yaml", *(document(k) for k in BUILT_IN if k != "catalogue"))
    assert complaints(file, rest) == [
        f"{file}: catalogue: services[{services[0]['code']}].accountable: 'municpal' is not known "
        "(did you mean 'municipal'?)"
    ]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("kind: earning\nversion: 1\nversion: 2\n", "'version' is given twice (line 3)"),
        ("kind: [\n", "while parsing"),
        ("- 1\n", "the document does not say what it is"),
        ("kind: earning\n---\nkind: earning\n", "a second document of kind 'earning'"),
        ("kind: earnings\n", "there is no document of kind 'earnings'"),
    ],
)
def test_a_file_that_is_no_document_says_why(tmp_path: Path, text: str, said: str) -> None:
    file = tmp_path / "x.yaml"
    file.write_text(text, "utf-8")
    found = complaints(file)
    assert said in found[0]
    assert all(one.startswith(str(file)) for one in found)


def test_a_name_given_twice_is_found_in_json_too(tmp_path: Path) -> None:
    file = tmp_path / "x.json"
    file.write_text('{"kind": "earning", "kind": "places"}', "utf-8")
    assert "'kind' is given twice" in complaints(file)[0]


def test_bytes_that_are_no_text_are_an_error_of_the_file(tmp_path: Path) -> None:
    file = tmp_path / "x.yaml"
    file.write_bytes(b"kind: \xff")
    with pytest.raises(BadRulebook, match="save it as UTF-8"):
        read_rulebook([file])


def test_a_rulebook_lacks_nothing(tmp_path: Path) -> None:
    file = written(tmp_path, "x.yaml", document("earning"))
    missing = [said for said in complaints(file) if "there is no such document" in said]
    assert len(missing) == 4
    with pytest.raises(BadRulebook, match="add one with 'kind: places'"):
        load_rulebook(file)


# ---------------------------------------------------------------- the verbs


def test_check_tells_a_program_the_same(waggle: Waggle, tmp_path: Path) -> None:
    file = written(tmp_path, "x.yaml", document("earning", rules=[{"code": "night"}]))
    said = waggle("rulebook", "check", str(file), "--json")
    assert said.code == 2
    told = said.document
    assert told["ok"] is False
    assert [(f["file"], f["path"]) for f in told["found"]] == [
        (str(file), "rules[night].name"),
        (str(file), "rules[night].points"),
    ]
    assert waggle.json("rulebook", "check")["ok"] is True


def test_what_leads_nowhere_is_told_beside_what_cannot_be_read(tmp_path: Path) -> None:
    services = [dict(service) for service in BUILT_IN["catalogue"]["services"]]
    unreadable = {**services[0]["conditions"][0], "limit": "4 hours"}
    services[0] = {**services[0], "conditions": [unreadable]}
    services[1]["accountable"] = "municpal"
    rules = [_rule(services=["manhole-missing", "manhole-brokn"])]
    file = written(
        tmp_path,
        "x.yaml",
        document("catalogue", services=services, effective_from="2026-11-01T00:00:00"),
        *(document(kind) for kind in ("places", "routing", "calendar")),
        document("earning", rules=rules),
    )
    found = complaints(file)
    for part in ("effective_from", "conditions[manhole-missing-missing].limit", "'municpal'"):
        assert any(part in one for one in found), found
    assert any("'manhole-brokn' is not known" in one for one in found)
    assert not any("'manhole-missing' is not known" in one for one in found)  # it is there


def _rule(**about: Any) -> dict[str, Any]:
    return {"code": "night", "name": "夜间", "points": 9, **about}


def test_a_list_is_not_called_empty_because_its_one_entry_is_wrong(tmp_path: Path) -> None:
    service = BUILT_IN["catalogue"]["services"][0]
    condition = {**service["conditions"][0], "limit": "4 hours"}
    services = [{**service, "conditions": [condition]}]
    file = written(tmp_path, "x.yaml", document("catalogue", services=services))
    [only] = complaints(file)
    assert "conditions[manhole-missing-missing].limit" in only
    assert "such as '4 work_hours'" in only


def test_a_condition_is_shown_with_all_that_hangs_on_it(waggle: Waggle) -> None:
    told = waggle.json("rulebook", "show", "food-premises-dirty-dirty")
    assert told["service"]["accountable"] == "market"
    assert [q["code"] for q in told["condition"]["questions"]] == ["shop", "seen-how"]
    shown = waggle("rulebook", "show", "food-premises-dirty-dirty").out
    for words in ("closes when", "helps", "asks shop", "must be answered", "inside:"):
        assert words in shown


def test_an_overlap_is_a_warning_and_no_error(waggle: Waggle, tmp_path: Path) -> None:
    features = BUILT_IN["places"]["features"]
    ring = features[1]["geometry"]["coordinates"][0]
    moved = [[x + 0.0005, y] for x, y in ring]
    geometry = {"type": "Polygon", "coordinates": [moved]}
    shifted = [features[0], {**features[1], "geometry": geometry}, *features[2:]]
    file = written(tmp_path, "x.yaml", document("places", features=shifted))
    told = waggle.json("rulebook", "check", str(file))
    assert told["ok"] is True
    assert {found["severity"] for found in told["found"]} == {"warning"}
    assert any("overlaps" in found["reason"] for found in told["found"])
    assert any("lie in none of its parts" in found["reason"] for found in told["found"])


def newer(waggle: Waggle, kind: str, **changes: Any) -> dict[str, Any]:
    """A document above the last version that is published in the house."""
    there = waggle.json("rulebook", "list")["documents"]
    version = 1 + max(d["version"] for d in there if d["kind"] == kind)
    return document(kind, version=version, effective_from=FAR_AWAY, **changes)


def test_a_document_is_published_listed_compared_and_shown(waggle: Waggle, tmp_path: Path) -> None:
    rule = {"code": f"r-{new_id()}", "name": "night", "points": 9, "services": ["lamp-out"]}
    given = newer(waggle, "earning", rules=[rule])
    file = written(tmp_path, "x.yaml", given)

    before = waggle("rulebook", "diff", str(file), "--json")
    assert before.code == 1
    assert f"rules[{rule['code']}]" in [change["path"] for change in before.document["changes"]]

    answer = waggle.json("rulebook", "publish", str(file))
    assert (answer["outcome"], answer["id"]) == ("accepted", "fengxi")
    again = waggle.json("rulebook", "publish", str(file))
    assert again["known"] is True

    listed = waggle.json("rulebook", "list")
    mine = [d for d in listed["documents"] if d["sequence"] == answer["sequence"]]
    assert [(d["kind"], d["version"], d["in_force"]) for d in mine] == [
        ("earning", given["version"], False)
    ]
    shown = waggle.json("rulebook", "show", f"earning@{given['version']}")
    assert shown["rules"][0]["code"] == rule["code"]
    assert waggle.json("rulebook", "show", "earning")["version"] == 1
    same = waggle("rulebook", "diff", f"earning@{given['version']}", str(file))
    assert (same.code, same.out.strip()) == (0, "0 changes")


def test_what_a_decision_was_made_by_can_be_shown(waggle: Waggle) -> None:
    label = waggle.json("rulebook", "list")["in_force"]
    shown = waggle.json("rulebook", "show", label)
    assert {kind: d["version"] for kind, d in shown.items()} == dict.fromkeys(BUILT_IN, 1)


def test_one_bad_document_changes_nothing(waggle: Waggle, tmp_path: Path) -> None:
    good = newer(waggle, "calendar")
    bad = newer(waggle, "earning", rules=[{"code": "x", "name": "x", "points": 0}])
    file = written(tmp_path, "x.yaml", good, bad)
    said = waggle("rulebook", "publish", str(file))
    assert said.code == 2
    assert "rules[x].points" in said.err
    there = waggle.json("rulebook", "list")["documents"]
    assert good["version"] not in [d["version"] for d in there if d["kind"] == "calendar"]


def test_a_document_too_large_for_the_server_is_told_before_it_is_sent(
    waggle: Waggle, tmp_path: Path
) -> None:
    title = {"zh": "长" * 400_000, "en": "long"}
    file = written(tmp_path, "x.yaml", newer(waggle, "earning", title=title))
    said = waggle("rulebook", "publish", str(file))
    assert said.code == 2
    assert "the server takes" in said.err


def reported(waggle: Waggle, service: str, lat: float, lng: float) -> str:
    place = ("--lat", str(lat), "--lng", str(lng))
    words = ("submit", "--rider", "rider-01", "--service", service, *place, "--text", "坏了")
    return str(waggle.json(*words)["id"])


def test_other_rules_are_tried_on_the_past_and_touch_nothing(
    waggle: Waggle, tmp_path: Path
) -> None:
    street_first = reported(waggle, "lamp-out", 29.7721, 121.3021)
    direct = reported(waggle, "lamp-out", 29.7555, 121.3155)
    end = waggle.json("log", "tail", "-n", "1")["facts"][-1]["sequence"]

    routing = document("routing", modes=[{"first_holder": "department"}])
    services = [
        {**s, "conditions": [{**s["conditions"][0], "points": 12}, *s["conditions"][1:]]}
        if s["code"] == "lamp-out"
        else s
        for s in BUILT_IN["catalogue"]["services"]
    ]
    catalogue = document("catalogue", services=services)
    file = written(tmp_path, "x.yaml", routing, catalogue)
    told = waggle.json("whatif", "rulebook", str(file))

    mine = {row["report_id"]: row for row in told["list"]}
    before, after = mine[street_first]["before"], mine[street_first]["after"]
    assert (before["holder"], after["holder"]) == ("street-taoyuan", "municipal")
    assert (before["points"], after["points"]) == (3, 12)
    assert before["due_at"] != after["due_at"]
    assert mine[direct]["before"]["holder"] == mine[direct]["after"]["holder"] == "municipal"
    assert told["reports"] >= told["elsewhere"] >= 1
    assert waggle.json("rulebook", "list")["in_force"] == "fengxi@1.1.1.1.1"
    heard = waggle.json("log", "tail", "--from", str(end + 1), "-n", "50")["facts"]
    assert not [f for f in heard if f["type"] == "RulebookPublished"]


def test_a_period_without_reports_has_nothing_otherwise(waggle: Waggle, tmp_path: Path) -> None:
    file = written(tmp_path, "x.yaml", document("routing"))
    told = waggle.json(
        "whatif", "rulebook", str(file), "--from", "1999-01-01", "--to", "1999-02-01"
    )
    assert (told["reports"], told["list"]) == (0, [])
    said = waggle("whatif", "rulebook", str(file), "--from", "yesterday")
    assert said.code == 2
    assert "is no moment" in said.err


def test_what_the_rules_could_not_place_is_counted_with_the_reason(waggle: Waggle) -> None:
    kind = f"ufo-{new_id()[-8:].lower()}"
    cases = {reported(waggle, kind, 29.7721, 121.3021) for _ in range(2)}
    give_up = monotonic() + 30
    mine: list[dict[str, Any]] = []
    while sum(gap["cases"] for gap in mine) < len(cases) and monotonic() < give_up:
        told = waggle.json("rulebook", "gaps")
        mine = [gap for gap in told["gaps"] if gap["kind"] == kind]
    assert [(gap["why"], gap["area"], gap["cases"]) for gap in mine] == [
        ("service_unknown", "330299001", 2)
    ]
    assert kind in mine[0]["words"]
    assert mine[0]["last_case"] in cases
    assert told["cases"] >= 2
