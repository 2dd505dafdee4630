"""A published handling standard: every row a condition, or reported with the reason."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from cli.imports.standard import COLUMNS, NotAStandard, Readings, Standard, read_standard
from cli.main import app
from contracts.rulebook import LimitUnit, Rulebook, contradictions
from deploy.rulebooks import load_rulebook

BOOK = Rulebook.model_validate(load_rulebook())
GOOD = {
    "kind": "部件",
    "big_code": "01",
    "big_name": "公用设施",
    "small_code": "07",
    "small_name": "消防井盖",
    "units": "市政园林管理中心、各产权单位",
    "open_condition": "缺失",
    "close_condition": "恢复",
    "limit": "2紧急工作时",
}


def row(**changes: str) -> dict[str, str]:
    return {**GOOD, **changes}


def as_csv(rows: Iterable[dict[str, str]]) -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def read(*rows: dict[str, str], how: Readings | None = None) -> Standard:
    return read_standard(io.StringIO(as_csv(rows), newline=""), BOOK, how)


def only_rejection(**changes: str) -> tuple[str, str, str]:
    found = read(row(**changes))
    (rejected,) = found.rejected
    assert (found.read, found.conditions) == (1, 0)
    return rejected.column, rejected.text, rejected.reason


def test_a_row_becomes_a_condition_under_its_classes() -> None:
    catalogue = read(row()).catalogue
    assert catalogue is not None
    (service,) = catalogue.services
    (condition,) = service.conditions
    assert (service.code, service.big_class, service.small_class) == ("C0107", "C01", "07")
    assert (service.name.zh, condition.opens_when.zh, condition.closes_when.zh) == (
        "消防井盖",
        "缺失",
        "恢复",
    )
    assert str(condition.limit) == "2 urgent_hours"


def test_the_first_unit_named_is_accountable_and_the_others_support_it() -> None:
    catalogue = read(row(units="市政园林管理中心、所属街办、各产权单位")).catalogue
    assert catalogue is not None
    (service,) = catalogue.services
    assert (service.accountable, service.supporting) == ("municipal", ("street", "asset-owner"))


def test_units_may_stand_on_lines_of_their_own() -> None:
    found = read(row(units="\n市政园林管理中心\n各产权单位"))
    assert [name.ref for name in found.names] == ["municipal", "asset-owner"]


def test_conditions_of_a_class_may_have_units_of_their_own() -> None:
    catalogue = read(row(), row(open_condition="破损", units="消防救援大队")).catalogue
    assert catalogue is not None
    whole, broken = catalogue.services[0].conditions
    assert (whole.accountable, broken.accountable, broken.supporting) == (None, "fire", ())


@pytest.mark.parametrize(
    ("text", "read_as"),
    [
        ("4小时", "4 work_hours"),
        ("1天", "1 work_day"),
        ("2紧急工作时", "2 urgent_hours"),
        ("1紧急工作日", "1 natural_day"),
        ("1紧急工作时\n", "1 urgent_hour"),
        ("15 工作日", "15 work_days"),
    ],
)
def test_a_limit_is_read_in_the_unit_that_it_is_written_in(text: str, read_as: str) -> None:
    catalogue = read(row(limit=text)).catalogue
    assert catalogue is not None
    assert str(catalogue.services[0].conditions[0].limit) == read_as


def test_a_city_may_count_its_days_otherwise() -> None:
    how = Readings({"天": LimitUnit.NATURAL_DAY})
    catalogue = read(row(limit="3天"), how=how).catalogue
    assert catalogue is not None
    assert catalogue.services[0].conditions[0].limit.unit is LimitUnit.NATURAL_DAY


@pytest.mark.parametrize(
    ("changes", "column", "why"),
    [
        ({"limit": "1紧急工作时制止"}, "limit", "words stand behind the limit: '制止'"),
        ({"limit": "尽快"}, "limit", "is no number with a unit"),
        ({"limit": "3周"}, "limit", "'周' is none of"),
        ({"limit": "0天"}, "limit", "is no time at all"),
        ({"limit": ""}, "limit", "is empty"),
        ({"units": "甲中心及各供油管理部门"}, "units", "'及' within"),
        ({"units": "甲中心 乙中心"}, "units", "a blank within"),
        ({"units": "、"}, "units", "names nobody"),
        ({"kind": "别的"}, "kind", "is none of 部件, 事件"),
        ({"small_code": "七"}, "small_code", "is no code"),
        ({"open_condition": " "}, "open_condition", "is empty"),
    ],
)
def test_what_cannot_be_read_is_rejected_with_its_place(
    changes: dict[str, str], column: str, why: str
) -> None:
    at, text, reason = only_rejection(**changes)
    assert at == column
    assert text == changes[column]
    assert why in reason


def test_everything_wrong_with_a_row_is_told_at_once() -> None:
    (rejected,) = read(row(limit="尽快", kind="别的")).rejected
    assert {rejected.column, *(also.column for also in rejected.also)} == {"limit", "kind"}


def test_a_row_that_stands_twice_is_a_condition_once() -> None:
    found = read(row(), row())
    assert (found.read, found.conditions) == (2, 1)
    assert "stands on line 2 already" in found.rejected[0].reason


def test_a_row_is_found_by_the_line_on_which_it_begins() -> None:
    found = read(row(small_name="烟头\n收集器"), row(limit="尽快"))
    assert [rejected.row for rejected in found.rejected] == [4]


def test_names_that_may_be_the_same_are_shown_and_not_merged() -> None:
    other = row(open_condition="破损", units="市政公用服务中心")
    found = read(row(units="某市市政公用服务中心"), other)
    assert {name.text: name.similar for name in found.names} == {
        "某市市政公用服务中心": ("市政公用服务中心",),
        "市政公用服务中心": ("某市市政公用服务中心",),
    }
    assert len({name.ref for name in found.names}) == 2


def test_a_standard_of_known_units_makes_a_catalogue_that_holds_together() -> None:
    catalogue = read(row(), row(small_code="08", units="所属街办、属地行政执法部门")).catalogue
    assert catalogue is not None
    book = BOOK.model_copy(
        update={
            "catalogue": catalogue,
            "routing": BOOK.routing.model_copy(update={"roles": _without_services()}),
            "earning": BOOK.earning.model_copy(update={"bonuses": ()}),
        }
    )
    assert contradictions(book) == []


def _without_services() -> tuple[object, ...]:
    """The roles, without the holders that name services of another catalogue."""
    return tuple(
        role.model_copy(update={"holders": tuple(h for h in role.holders if not h.service)})
        for role in BOOK.routing.roles
    )


def test_a_file_without_the_columns_is_no_standard() -> None:
    with pytest.raises(NotAStandard, match="there is no column kind"):
        read_standard(io.StringIO("a,b\n1,2\n"), BOOK)
    with pytest.raises(NotAStandard, match="empty"):
        read_standard(io.StringIO(""), BOOK)


CELLS = st.text(st.sampled_from("部件事01、及天小时2紧急工作 \n各单位"), max_size=12)
ROWS = st.lists(
    st.fixed_dictionaries({column: st.one_of(st.just(GOOD[column]), CELLS) for column in COLUMNS}),
    max_size=6,
)


@given(ROWS)
def test_no_row_is_lost_and_none_is_guessed(rows: list[dict[str, str]]) -> None:
    found = read(*rows)
    assert found.read == len(rows)
    assert found.conditions + len(found.rejected) == len(rows)
    services = found.catalogue.services if found.catalogue else ()
    assert sum(len(service.conditions) for service in services) == found.conditions


def test_the_verb_tells_what_was_read_and_writes_the_catalogue(tmp_path: Path) -> None:
    file = tmp_path / "standard.csv"
    file.write_text("\ufeff" + as_csv([row(), row(limit="1紧急工作时制止")]), "utf-8")
    told = CliRunner().invoke(
        app, ["import", "standard", str(file), "--out", str(tmp_path / "out"), "--json"]
    )
    assert told.exit_code == 0
    assert '"read": 2, "conditions": 1, "rejected": [{"row": 3, "column": "limit"' in told.stdout
    assert (tmp_path / "out" / "catalogue.json").exists()
