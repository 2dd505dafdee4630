"""Every message is there in every language, with the same parameters."""

from __future__ import annotations

from typing import get_args

import pytest

from contracts.notice import NoticeKind
from contracts.party import Language
from services.notify.words import (
    CATALOGUES,
    LANGUAGES,
    MESSAGES,
    IncompleteCatalogue,
    load,
    read,
)


def altered(old: str, new: str, language: str = "en") -> str:
    po = read(language)
    assert old in po
    return po.replace(old, new)


def test_the_house_speaks_every_language_that_a_party_can_ask_for() -> None:
    assert set(LANGUAGES) == set(get_args(Language)) == set(CATALOGUES)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", NoticeKind)
def test_every_kind_of_notice_has_title_and_text(kind: NoticeKind, language: str) -> None:
    keys = [key for key in MESSAGES if key.split(".")[0] == kind]
    said = {key.rpartition(".")[2] for key in keys if not key.endswith("suggestion")}
    assert said == {"title", "text"}
    for key in keys:
        parameters = dict.fromkeys(MESSAGES[key], 3)
        assert CATALOGUES[language].say(key, **parameters) not in ("", key)


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_message_uses_all_its_parameters(language: str) -> None:
    for key, declared in MESSAGES.items():
        marks = {name: 900 + index for index, name in enumerate(sorted(declared))}
        said = CATALOGUES[language].say(key, **marks)
        assert all(str(mark) in said for mark in marks.values()), key


def test_a_missing_message_does_not_load() -> None:
    po = altered('msgid "work_resolved.title"\nmsgstr "Done, waiting for a check"\n', "")
    with pytest.raises(
        IncompleteCatalogue, match=r"catalogue 'en': work_resolved\.title: is missing"
    ):
        load("en", po)


def test_an_empty_message_does_not_load() -> None:
    po = altered('"Done, waiting for a check"', '""')
    with pytest.raises(IncompleteCatalogue, match=r"work_resolved\.title: is not finished"):
        load("en", po)


def test_a_fuzzy_message_does_not_load() -> None:
    po = altered('msgid "work_resolved.title"', '#, fuzzy\nmsgid "work_resolved.title"')
    with pytest.raises(IncompleteCatalogue, match=r"work_resolved\.title: is not finished"):
        load("en", po)


def test_a_parameter_that_is_left_out_does_not_load() -> None:
    po = altered("核查未通过，第 {reworks} 次返工", "核查未通过", "zh")
    with pytest.raises(
        IncompleteCatalogue,
        match=r"rework_ordered\.text: has \{report\} \{unit\}, should have "
        r"\{report\} \{reworks\} \{unit\}",
    ):
        load("zh", po)


def test_a_parameter_that_nobody_gives_does_not_load() -> None:
    po = altered("上报已收到", "{rider}，上报已收到", "zh")
    with pytest.raises(
        IncompleteCatalogue,
        match=r"report_received\.title: has \{rider\}, should have no parameter",
    ):
        load("zh", po)


def test_a_message_that_nobody_says_does_not_load() -> None:
    with pytest.raises(IncompleteCatalogue, match=r"weather\.title: is not a message of the house"):
        load("en", read("en") + '\nmsgid "weather.title"\nmsgstr "Rain"\n')


def test_a_missing_plural_does_not_load() -> None:
    po = altered('msgid_plural "points_awarded.title"\nmsgstr[0]', "msgstr").replace(
        'msgstr[1] "Fixed: +{points} points"\n', ""
    )
    with pytest.raises(
        IncompleteCatalogue, match=r"points_awarded\.title: needs singular and plural"
    ):
        load("en", po)


def test_everything_wrong_is_said_at_once() -> None:
    po = altered('"We have your report"', '""').replace('"Done, waiting for a check"', '""')
    with pytest.raises(IncompleteCatalogue, match=r"report_received.*work_resolved"):
        load("en", po)
