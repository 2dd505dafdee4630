"""The rooms decide every report and every act of the story as the story says they will."""

from __future__ import annotations

from datetime import datetime

import pytest

from cli.story.story import Fate, StoryReport, day
from contracts.case import OpenCase, Step
from contracts.envelope import Command, Fact, Issued
from contracts.report import ReportRefused
from contracts.rulebook import Rulebook
from deploy.rulebooks import load_rulebook
from services.intake.decider.report import REPORT
from services.router.decider.case import CASE, Case
from services.router.rules import Rules

SEEDS = [7, *range(1, 7)]


@pytest.fixture(scope="module")
def book() -> Rulebook:
    return Rulebook.model_validate(load_rulebook())


def told_to_intake(report: StoryReport, book: Rulebook) -> Fact:
    issued = issue(report.submit, report.rider.platform, report.sent_at)
    [fact] = REPORT.decide(issued, REPORT.initial_state, book)
    return fact


def told_to_router(report: StoryReport, rules: Rules) -> Case:
    opening = OpenCase(
        report_id=report.report_id,
        rider_id=report.rider.id,
        platform=report.rider.platform,
        service_code=report.submit.service_code,
        position=report.submit.position,
    )
    acts: list[tuple[str, datetime, Command]] = [("router", report.sent_at, opening)]
    acts += [(step.by, step.at, step.command) for step in report.steps]
    case = CASE.initial_state
    for by, at, command in acts:
        facts = CASE.decide(issue(command, by, at), case, rules)
        assert facts, command
        case = CASE.fold(facts, case)
    return case


def issue(command: Command, actor: str, at: datetime) -> Issued[Command]:
    return Issued(command=command, command_id="told", actor=actor, at=at)


@pytest.mark.parametrize("seed", SEEDS)
def test_intake_refuses_whom_the_story_refuses_for_that_reason_and_nobody_else(
    book: Rulebook, seed: int
) -> None:
    for report in day(book, seed=seed).reports:
        match told_to_intake(report, book):
            case ReportRefused(reasons=reasons):
                assert [reason.code for reason in reasons] == [report.refusal]
            case _:
                assert report.fate is not Fate.REFUSED


@pytest.mark.parametrize("seed", SEEDS)
def test_router_takes_every_act_and_the_case_ends_as_told(book: Rulebook, seed: int) -> None:
    rules = Rules(book)
    for report in day(book, seed=seed).reports:
        if report.fate is Fate.REFUSED:
            continue
        case = told_to_router(report, rules)
        given_back = report.fate in (Fate.RETURNED, Fate.RETURNED_AND_REWORKED)
        done_again = report.fate in (Fate.REWORKED, Fate.RETURNED_AND_REWORKED)
        assert (case.returns, case.reworks) == (given_back, done_again)
        assert (case.step is Step.CLOSED) is (report.fate is not Fate.LEFT_OPEN)
        if case.step is Step.CLOSED:
            assert case.service_code in rules.services, "a known kind of hazard earns its points"
