"""Whether the questions of a condition were answered, each as it was asked. Pure.

The questions are the attributes of Open311: a text, a number, a moment, one or several choices.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from math import isfinite

from contracts.envelope import Reason
from contracts.report import RefusalCode
from contracts.rulebook import Question

Answer = str | tuple[str, ...]


def objections(answers: Mapping[str, Answer], questions: Sequence[Question]) -> Iterator[Reason]:
    """Every reason against the answers to these questions."""
    asked = {question.code: question for question in questions if question.variable}
    for code in answers:
        if code not in asked:
            there = f"asked are {', '.join(asked)}" if asked else "nothing more is asked for it"
            yield _reason(RefusalCode.ANSWER_UNKNOWN, code, f"nobody asks that; {there}")
    for code, question in asked.items():
        answer = answers.get(code, ())
        if not answer or (isinstance(answer, str) and not answer.strip()):
            if question.required:
                detail = f"must be answered: {question.description.en}"
                yield _reason(RefusalCode.ANSWER_MISSING, code, detail)
        elif wrong := _wrong(answer, question):
            yield _reason(RefusalCode.ANSWER_WRONG, code, wrong)


def _wrong(answer: Answer, question: Question) -> str | None:
    """Why it is no answer to the question."""
    several = question.datatype == "multivaluelist"
    given = (answer,) if isinstance(answer, str) else answer
    if len(given) > 1 and not several:
        return "one answer is asked for"
    match question.datatype:
        case "number" if not _is_number(given[0]):
            return f"'{given[0]}' is no number"
        case "datetime" if not _is_moment(given[0]):
            return f"'{given[0]}' is no moment; write it as 2026-11-01T08:30:00+08:00"
        case "singlevaluelist" | "multivaluelist":
            keys = [choice.key for choice in question.values]
            if strange := [one for one in given if one not in keys]:
                return f"'{strange[0]}' is none of {', '.join(keys)}"
    return None


def _is_number(text: str) -> bool:
    try:
        return isfinite(float(text))
    except ValueError:
        return False


def _is_moment(text: str) -> bool:
    try:
        return datetime.fromisoformat(text).tzinfo is not None
    except ValueError:
        return False


def _reason(code: RefusalCode, question: str, detail: str) -> Reason:
    return Reason(code=code, field=f"answers.{question}", detail=detail)
