"""Who is told about wishes and redemptions, and in which words."""

from __future__ import annotations

from datetime import timedelta

import pytest

from contracts import reward as r
from contracts.envelope import Fact, Words
from contracts.notice import NoticeKind
from contracts.party import PartyKind, PartyRegistered
from services.notify.directory import Directory
from services.notify.reactions import notices
from tests.contracts.reward_examples import REWARD_EXAMPLES
from tests.given import NOON, recorded
from tests.notify.given import RULES

ANN, BO = "rider-01", "rider-02"
CAPE = Words(zh="雨披", en="Rain cape")
TAKE, WISH = "take-1", "wish-cape"
ENGLISH = PartyRegistered(party_id=BO, kind=PartyKind.RIDER, language="en", platform="kite")
DIRECTORY = Directory.of([recorded(ENGLISH)])


def told(fact: Fact, *, history: bool = False) -> dict[str, tuple[NoticeKind, str]]:
    """Whom, and what, in their own language."""
    found = notices(recorded(fact, history=history), DIRECTORY, RULES)
    return {notice.receiver: (notice.kind, notice.text) for notice in found}


def declined(**changes: object) -> r.WishDeclined:
    given = {
        "reward_id": WISH,
        "rider_id": ANN,
        "supporters": (BO,),
        "name": CAPE,
        "reason": r.DeclineReason.NO_SPONSOR,
        "note": Words(zh="明年再议", en="Ask again next year"),
        "by": "officer",
    }
    return r.WishDeclined.model_validate(given | changes)


def test_wisher_and_supporters_are_told_of_a_no_with_its_reason_in_their_language() -> None:
    said = told(declined())
    assert set(said) == {ANN, BO}
    assert said[ANN] == (
        NoticeKind.WISH_DECLINED,
        "“雨披”未被采纳。原因：暂无出资方。明年再议",
    )
    assert said[BO][1] == "“Rain cape” is declined. Why: nobody pays for it. Ask again next year"


def test_a_wish_that_was_never_listed_has_no_name_to_tell() -> None:
    assert told(declined(name=None, supporters=()))[ANN][1].startswith("“您的心愿”")


def test_a_wish_come_true_is_told_with_its_price() -> None:
    fact = r.WishFulfilled(
        reward_id=WISH,
        rider_id=ANN,
        supporters=(BO,),
        item_id="item-cape",
        name=CAPE,
        price=18,
        by="officer",
    )
    assert told(fact)[BO] == (
        NoticeKind.WISH_FULFILLED,
        "“Rain cape” is in the store, for 18 points.",
    )


def test_a_notice_tells_that_there_is_a_code_but_never_which() -> None:
    fact = r.CodeIssued(
        reward_id=TAKE,
        rider_id=ANN,
        name=CAPE,
        issue=1,
        code_hash="7a" * 32,
        use_by=NOON + timedelta(days=30),
        by="kite",
    )
    kind, text = told(fact)[ANN]
    assert kind is NoticeKind.CODE_ISSUED
    assert "7a" not in text


def test_what_waits_for_an_approval_is_told_and_what_does_not_is_told_with_its_code() -> None:
    (example,) = [fact for fact in REWARD_EXAMPLES if isinstance(fact, r.RedemptionHeld)]
    assert [kind for kind, _ in told(example).values()] == [NoticeKind.REDEMPTION_HELD]
    assert told(example.model_copy(update={"hold_until": None})) == {}


@pytest.mark.parametrize("ended_by", [r.EndedBy.HOLD_RAN_OUT, r.EndedBy.CODE_RAN_OUT])
def test_a_redemption_that_ran_out_is_told(ended_by: r.EndedBy) -> None:
    (example,) = [fact for fact in REWARD_EXAMPLES if isinstance(fact, r.RedemptionExpired)]
    kind, text = next(iter(told(example.model_copy(update={"ended_by": ended_by})).values()))
    assert kind is NoticeKind.REDEMPTION_EXPIRED
    assert "积分已退回" in text


def test_a_notice_names_the_wish_or_the_redemption_that_it_is_about() -> None:
    (notice, _) = notices(recorded(declined()), DIRECTORY, RULES)
    assert notice.report_id == WISH


def test_history_is_told_to_nobody() -> None:
    assert told(declined(), history=True) == {}
