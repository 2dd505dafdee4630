"""Anybody says anything in any order, again and again; facts are heard late, twice, shuffled."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import Enum
from itertools import product
from random import Random
from typing import Any, Final

from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)

from contracts.case import (
    AcceptWork,
    CloseCase,
    DispatchCase,
    RecordHandling,
    ResolveWork,
    ReturnReason,
    ReturnWork,
    VerifyWork,
)
from contracts.envelope import Command, Issued
from contracts.report import SubmitReport
from contracts.rulebook import PublishRulebook
from eventlog.receiving import ARCHIVE
from services.router.decider.case import Step
from tests.district import (
    BOOK,
    EAST,
    FIRE,
    IN_EAST,
    IN_WEST,
    INSPECTION,
    KITE,
    NOWHERE,
    RIDER,
    SANITATION,
    SWIFT,
    TRIAGE,
    WEST,
    document,
)
from tests.loop.laws import MARK, Broken, all_hold, everything_heard_has_had_its_effect
from tests.loop.miniature import Came, House, Rooms

UNITS: Final = [unit.code for unit in BOOK.units]
PARTIES: Final = [*UNITS, KITE, SWIFT, RIDER, "stranger"]
WORDS: Final = f"{MARK}：说的话"
REACTIONS: Final = ("open_case", "award")
NAMES: Final = ("{}", "renamed-{}")
"""What a reaction goes by, before and after somebody renamed it: its command ids change."""
SOON: Final = [{"level": 1, "returns": 1, "reworks": 2}]
"""How many times until a case is escalated, when a day begins."""
REUSED: Final = Came(refused=("command_id_reused",))
LONG_AGO: Final = timedelta(days=900)

numbers = st.integers(0, 999)
reports = st.sampled_from(["r-1", "r-2", "r-3", "r-4", "r-5"])
kinds = st.sampled_from(["garbage", "bare-wires", "garbage", "bulky", "opinion", "ufo", None])
positions = st.sampled_from([IN_WEST, IN_EAST, IN_WEST, NOWHERE])
senders = st.sampled_from([KITE, SWIFT, WEST, ARCHIVE])
parties = st.sampled_from(PARTIES)
the_holder = st.none()
first_reports = st.fixed_dictionaries(
    {"platform": senders, "service_code": kinds, "position": positions}
)


def on_a_case(case_ids: st.SearchStrategy[str]) -> st.SearchStrategy[Command]:
    """Any command that a party may send about a case."""
    words = st.just(WORDS)
    reasons = st.sampled_from(ReturnReason)
    units = st.sampled_from([*UNITS, "nobody"])
    return st.one_of(
        st.builds(AcceptWork, case_id=case_ids),
        st.builds(DispatchCase, case_id=case_ids, unit=units, service_code=kinds),
        st.builds(ReturnWork, case_id=case_ids, reason=reasons, note=words),
        st.builds(ResolveWork, case_id=case_ids, result=words, photo=words),
        st.builds(VerifyWork, case_id=case_ids, passed=st.booleans(), note=words),
        st.builds(CloseCase, case_id=case_ids, note=words),
        st.builds(RecordHandling, case_id=case_ids, result=words),
    )


class Way(Enum):
    """What becomes of a case that a unit holds."""

    HANDLE = "handle"
    GIVE_BACK = "give back"
    HAND_ON = "hand on"
    END = "end"
    """There was nothing to handle; or, in history, the office replied."""


@dataclass(frozen=True)
class Move:
    """Which case moves, how where it is held, and by whose word where it is resolved."""

    pick: int
    way: Way
    by: str | None
    to: str
    kind: str | None
    verifier: str | None
    passed: bool


moves = st.builds(
    Move,
    pick=numbers,
    way=st.sampled_from(Way),
    by=st.one_of(the_holder, the_holder, parties),
    to=st.sampled_from([SANITATION, FIRE, EAST]),
    kind=kinds,
    verifier=st.one_of(st.just(INSPECTION), the_holder, parties),
    passed=st.sampled_from([True, False, True]),
)


class Loop(RuleBasedStateMachine):
    """One house, and everybody who has to do with it."""

    def __init__(self, rooms: Rooms | None = None) -> None:
        super().__init__()
        self.house = House(rooms or Rooms())
        self.taken: list[tuple[Issued[Any], Came]] = []
        """Every command that came to facts."""
        self.commands = 0
        self.judged = 0
        """How many facts the laws have seen."""
        self.prompt = True
        """Whether the rooms hear of a fact at once, or only when a rule says so."""
        self.say("provisioner", PublishRulebook(document=document(routing={"escalation": SOON})))

    def say(
        self, by: str, command: Any, *, command_id: str = "", history_at: datetime | None = None
    ) -> None:
        """A party gives a command, and gives it again at once."""
        self.commands += 1
        self.house.now += timedelta(minutes=1)
        issued = Issued(
            command=command,
            command_id=command_id or f"c-{self.commands}",
            actor=by,
            at=history_at or self.house.now,
            history=history_at is not None,
        )
        written = len(self.house.log)
        came = self.house.carry_out(issued)
        self.comes_again_to(came, issued)
        if came.facts:
            self.taken.append((issued, came))
        if self.prompt:
            self.everybody_hears(written)

    def comes_again_to(self, came: Came, issued: Issued[Any]) -> None:
        """The same command changes nothing and gets the same answer."""
        before = len(self.house.log)
        answer = self.house.carry_out(replace(issued, at=self.house.now))
        if (answer, len(self.house.log)) != (came, before):
            raise Broken("the_same_command_twice_changes_nothing", f"{issued} came to {answer}")

    def say_of_old(self, command: Any) -> None:
        """The archive gives a command in its own time."""
        self.say(ARCHIVE, command, history_at=self.house.now - LONG_AGO)

    def report(self, report_id: str, platform: str, text: str, **said: Any) -> None:
        """A report comes in, from the archive as history."""
        history_at = self.house.now - LONG_AGO if platform == ARCHIVE else None
        seen_at = history_at or self.house.now
        command = SubmitReport(report_id=report_id, seen_at=seen_at, text=text, **said)
        self.say(platform, command, command_id=report_id, history_at=history_at)

    def cases(self) -> list[str]:
        """Every case there is or was."""
        found = {s.fact.body.stream_id for s in self.house.log if s.fact.type == "CaseOpened"}
        return sorted(found)

    def everybody_hears(self, after: int, random: Random | None = None) -> None:
        """Every room hears every fact after this one, and what follows from it, too."""
        while after < len(self.house.log):
            news = list(product(self.house.log[after:], REACTIONS, NAMES))
            after = len(self.house.log)
            if random:
                random.shuffle(news)
            for stored, reaction, name in news:
                self.house.hear(stored.fact, reaction, name.format(reaction))

    @initialize(prompt=st.booleans(), first=st.lists(first_reports, min_size=1, max_size=4))
    def a_day_begins(self, prompt: bool, first: list[dict[str, Any]]) -> None:
        """Some reports have come in, and their cases are open."""
        for number, said in enumerate(first, start=1):
            self.report(f"r-{number}", text=WORDS, rider_id=RIDER, **said)
        self.prompt = prompt

    @rule(
        report_id=reports,
        platform=senders,
        rider_id=st.sampled_from([RIDER, "rider-02", INSPECTION]),
        service_code=kinds,
        position=positions,
        text=st.sampled_from([WORDS, WORDS, WORDS, ""]),
    )
    def somebody_reports(self, report_id: str, platform: str, text: str, **said: Any) -> None:
        """Sometimes without a word, sometimes under an id that is taken."""
        self.report(report_id, platform, text, **said)

    @precondition(lambda self: self.cases())
    @rule(move=moves)
    def a_case_moves_on(self, move: Move) -> None:
        """Its holder does something apt, or somebody else tries to; then anybody verifies.

        The handler, too; and once more when all is over.
        """
        case_id = _one_of(self.cases(), move.pick)
        case = self.house.case(case_id)
        by = move.by or case.unit
        may_handle = case.unit != TRIAGE
        if case.step in (Step.RESOLVED, Step.CLOSED):
            verify = VerifyWork(case_id=case_id, passed=move.passed, note=WORDS)
            self.say(move.verifier or case.unit, verify)
        elif move.way is Way.HANDLE and may_handle:
            self.say(by, AcceptWork(case_id=case_id))
            self.say(by, ResolveWork(case_id=case_id, result=WORDS, photo=WORDS))
        elif move.way is Way.GIVE_BACK and may_handle:
            reason = ReturnReason.NOT_OUR_AREA
            self.say(by, ReturnWork(case_id=case_id, reason=reason, note=WORDS))
        elif move.way is Way.END and case.platform == ARCHIVE:
            self.say_of_old(RecordHandling(case_id=case_id, result=WORDS))
        elif move.way is Way.END:
            self.say(by, CloseCase(case_id=case_id, note=WORDS))
        else:
            self.say(by, DispatchCase(case_id=case_id, unit=move.to, service_code=move.kind))

    @rule(by=st.one_of(the_holder, parties, st.just(ARCHIVE)), command=on_a_case(reports))
    def anybody_says_anything(self, by: str | None, command: Any) -> None:
        """Most of it is refused. What the archive says happened long ago."""
        if by == ARCHIVE:
            self.say_of_old(command)
        else:
            self.say(by or self.house.case(command.case_id).unit or "stranger", command)

    @rule(pick=numbers, reaction=st.sampled_from(REACTIONS), name=st.sampled_from(NAMES))
    def a_fact_is_heard(self, pick: int, reaction: str, name: str) -> None:
        """Any fact, at any time, any number of times."""
        self.house.hear(_one_of(self.house.log, pick).fact, reaction, name.format(reaction))

    @rule(random=st.randoms(use_true_random=True))
    def everything_is_heard(self, random: Random) -> None:
        """Once more, in any order."""
        self.everybody_hears(0, random)
        for how in everything_heard_has_had_its_effect(self.house):
            raise Broken(everything_heard_has_had_its_effect.__name__, how)

    @rule(pick=numbers, otherwise=st.booleans())
    def an_id_is_used_again(self, pick: int, otherwise: bool) -> None:
        """A command of long ago comes once more, as it was or with other words."""
        issued, came = _one_of(self.taken, pick)
        if otherwise:
            self.comes_again_to(REUSED, replace(issued, command=_otherwise(issued.command)))
        else:
            self.comes_again_to(came, issued)

    @precondition(lambda self: len(self.house.published.documents) < 5 + 2 * 3)
    @rule(returns=st.integers(1, 3), leave_out=st.sampled_from(["garbage", "bulky", None]))
    def the_rules_change(self, returns: int, leave_out: str | None) -> None:
        """A newer rulebook: stricter, looser, with one kind less or with all again."""
        catalogue = document()["catalogue"]
        services = [s for s in catalogue["services"] if s["code"] != leave_out]
        number = len(self.house.published.documents)
        escalation = [{"level": 1, "returns": returns, "reworks": 2}]
        parts = document(
            catalogue={"version": number, "services": services},
            routing={"version": number, "escalation": escalation},
        )
        newer = {kind: parts[kind] for kind in ("catalogue", "routing")}
        self.say("provisioner", PublishRulebook(document=newer))

    @invariant()
    def every_law_holds(self) -> None:
        """After every step that wrote something."""
        if len(self.house.log) > self.judged:
            all_hold(self.house)
            self.judged = len(self.house.log)


def _one_of(things: list[Any], pick: int) -> Any:
    return things[pick % len(things)]


def _otherwise(command: Any) -> Command:
    """Another command on the same stream id."""
    match command:
        case SubmitReport():
            return command.model_copy(update={"text": f"{command.text}！"})
        case PublishRulebook():
            return PublishRulebook(
                document={"calendar": {**document()["calendar"], "version": 9, "time_zone": "UTC"}}
            )
        case _:
            return CloseCase(case_id=command.case_id, note=f"{MARK}：别的话")
