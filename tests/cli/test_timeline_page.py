"""A timeline as a page: whole in itself, escaped, with both times of every fact."""

from __future__ import annotations

import re
from datetime import UTC
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cli.demo.names import Names
from cli.timeline_page import Setting, page
from cli.wording import Told
from contracts.envelope import Sealed
from contracts.rulebook import Rulebook
from tests.cli.waggle import Waggle
from tests.contracts.examples import EXAMPLES
from tests.district import document
from tests.given import NOON, recorded

BOOK = Rulebook.model_validate(document())
LANGUAGES = ("en", "zh")
FACTS = [Told(recorded(fact, n), fact, f"#{n - 1}") for n, fact in enumerate(EXAMPLES, start=1)]


def setting(language: str) -> Setting:
    return Setting(language, Names(BOOK), NOON.tzinfo or UTC)


class Read(HTMLParser):
    """What a browser would see."""

    VOID = frozenset({"meta", "br"})

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] != "style":
            self.words.append(data)

    @property
    def text(self) -> str:
        return "".join(self.words)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_fact_stands_in_it_with_both_times_and_everything_else(language: str) -> None:
    seen = Read(page("r-1", FACTS, setting(language)))
    rows = [attrs["id"] for tag, attrs in seen.tags if tag == "tr" and "id" in attrs]
    assert rows == [f"f{told.fact.sequence}" for told in FACTS]
    times = [attrs["datetime"] for tag, attrs in seen.tags if tag == "time"]
    assert times == [
        at.isoformat() for t in FACTS for at in (t.fact.happened_at, t.fact.recorded_at)
    ]
    for told in FACTS:
        assert told.fact.type in seen.text
        assert told.fact.actor in seen.text
        assert (getattr(told.body, "rulebook", None) or "") in seen.text


def test_it_asks_for_no_other_file_and_runs_nothing() -> None:
    for language in LANGUAGES:
        text = page("r-1", FACTS, setting(language))
        seen = Read(text)
        tags = {tag for tag, _ in seen.tags}
        assert not tags & {"script", "link", "img", "iframe", "object", "embed", "base", "form"}
        said = {name for _, attrs in seen.tags for name in attrs}
        assert said <= {"lang", "charset", "name", "content", "class", "id", "datetime", "href"}
        assert all((attrs.get("href") or "#").startswith("#") for _, attrs in seen.tags)
        style = text[text.index("<style>") : text.index("</style>")]
        assert not re.search(r"url\(|@import", style)


def test_a_cause_leads_to_its_fact_where_the_page_has_it() -> None:
    text = page(
        "r-1", [*FACTS[:2], Told(FACTS[5].fact, FACTS[5].body, "case.x.k.0")], setting("en")
    )
    seen = Read(text)
    assert [attrs["href"] for tag, attrs in seen.tags if tag == "a"] == ["#f1"]
    assert "case.x.k.0" in seen.text


HOSTILE = "<script>alert('1')</script> & \"</td><b onclick=x>"


@given(words=st.one_of(st.just(HOSTILE), st.text()))
def test_whatever_somebody_wrote_is_text_and_nothing_else(words: str) -> None:
    fact = next(told for told in FACTS if "text" in told.body.personal)
    body = fact.body.model_copy(update={"text": words or "-"})
    plain = {tag for tag, _ in Read(page("r-1", [fact], setting("zh"))).tags}
    seen = Read(page(words, [Told(fact.fact, body, words)], setting("zh")))
    assert {tag for tag, _ in seen.tags} - {"blockquote", "br"} == plain - {"blockquote", "br", "a"}
    if words.isprintable() and words:
        assert words in seen.text


def test_what_is_sealed_stays_sealed() -> None:
    fact = next(told for told in FACTS if "text" in told.body.personal)
    body = fact.body.model_copy(update={"text": Sealed(key="rider-1", box="c2VjcmV0")})
    for language, words in (("en", "(sealed)"), ("zh", "（已加密）")):
        seen = Read(page("r-1", [Told(fact.fact, body, None)], setting(language)))
        assert words in seen.text
        assert "c2VjcmV0" not in seen.text


def test_the_command_writes_the_page_for_its_owner_alone(waggle: Waggle, tmp_path: Path) -> None:
    report = waggle.json(
        *("submit", "--rider", "rider-page", "--service", "exposed-garbage"),
        *("--lat", "29.7755", "--lng", "121.3055", "--text", HOSTILE),
    )["id"]
    file = tmp_path / "r.html"
    facts = waggle.json("timeline", report, "--html", str(file), "--language", "zh")["facts"]
    seen = Read(file.read_text("utf-8"))
    assert HOSTILE in seen.text
    ids = [attrs.get("id") for tag, attrs in seen.tags if tag == "tr"]
    assert f"f{facts[0]['sequence']}" in ids
    assert file.stat().st_mode & 0o077 == 0
    assert [p.name for p in tmp_path.iterdir()] == ["r.html"]

    assert waggle("timeline", report, "--html", str(file), "--sealed").code == 0
    again = Read(file.read_text("utf-8"))
    assert "(sealed)" in again.text
    assert "alert" not in again.text
    assert waggle("timeline", report, "--html", str(tmp_path / "none" / "r.html")).code == 2


def test_a_line_for_each_fact_tells_by_which_rules_it_was_decided(waggle: Waggle) -> None:
    report = waggle.json(
        *("submit", "--rider", "rider-page", "--service", "exposed-garbage"),
        *("--lat", "29.7765", "--lng", "121.3065", "--text", "x"),
    )["id"]
    timeline = waggle.json("timeline", report)["facts"]
    (rules,) = {fact["rulebook"] for fact in timeline if fact["rulebook"]}
    said = waggle("timeline", report, "--table").out
    assert rules.partition("@")[0] in said  # a long cause may fold the rest of it
    assert all(fact["type"] in said for fact in timeline)
