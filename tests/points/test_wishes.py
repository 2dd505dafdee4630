"""The wish list: suggested, listed, supported, merged, answered, and become an item."""

from __future__ import annotations

from contracts.reward import (
    MOST_SUPPORTERS,
    ApproveWish,
    DeclineReason,
    DeclineWish,
    ItemOffered,
    ListWish,
    MergeWish,
    OfferItem,
    RewardKind,
    SuggestWish,
    SupportWish,
    WishApproved,
    WishDeclined,
    WishFulfilled,
    WishGathered,
    WishListed,
    WishMerged,
    WishStep,
    WishSuggested,
    WishSupported,
)
from tests.district import KITE, SWIFT
from tests.given import a
from tests.points.store import ANN, BO, CAI, KETTLE, OFFICER, SHADE, given, terms, words

OTHER = "wish-roof"
SUGGEST = SuggestWish(reward_id=SHADE, rider_id=ANN, kind=RewardKind.GOODS, text="想要遮阳棚")
NAME = words("遮阳棚")


def suggested(wish: str = SHADE, rider: str = ANN) -> WishSuggested:
    return WishSuggested(
        reward_id=wish, rider_id=rider, platform=KITE, kind=RewardKind.GOODS, text="想要遮阳棚"
    )


def listed(wish: str = SHADE, rider: str = ANN) -> WishListed:
    return WishListed(reward_id=wish, rider_id=rider, name=NAME, by=OFFICER)


def supported(rider: str, wish: str = SHADE) -> WishSupported:
    return WishSupported(reward_id=wish, rider_id=rider, platform=KITE)


APPROVED = WishApproved(reward_id=SHADE, rider_id=ANN, supporters=(BO,), name=NAME, by=OFFICER)
DECLINED = WishDeclined(
    reward_id=SHADE,
    rider_id=ANN,
    supporters=(),
    name=NAME,
    reason=DeclineReason.NO_SPONSOR,
    note=words("暂无赞助"),
    by=OFFICER,
)
ON_LIST = (suggested(), listed(), supported(BO))


def test_a_rider_has_a_wish_through_the_own_platform() -> None:
    given().when(SUGGEST, by=KITE).then(suggested())


def test_a_wish_is_handed_in_by_nobody_else() -> None:
    given().when(SUGGEST, by=SWIFT).then_refused("not_your_rider")
    given().when(SUGGEST, by=OFFICER).then_refused("not_your_rider")


def test_a_rider_whom_nobody_registered_has_no_wishes() -> None:
    stranger = SUGGEST.model_copy(update={"rider_id": "rider-99"})
    given().when(stranger, by=KITE).then_refused("unknown_rider")


def test_a_wish_is_suggested_once() -> None:
    given(suggested()).when(SUGGEST, by=KITE).then_nothing()


def test_an_id_is_one_wish_of_one_rider() -> None:
    theirs = SUGGEST.model_copy(update={"rider_id": CAI})
    given(suggested()).when(theirs, by=KITE).then_refused("exists_already")


def test_an_officer_puts_it_on_the_list_in_words_of_the_office() -> None:
    list_it = ListWish(reward_id=SHADE, name=NAME)
    given(suggested()).when(list_it, by=OFFICER).then(listed())
    given(suggested()).when(list_it, by=KITE).then_refused("not_allowed")
    given(suggested(), listed()).when(list_it, by=OFFICER).then_nothing()
    given().when(list_it, by=OFFICER).then_refused("not_there")


def test_the_words_of_a_listed_wish_can_be_bettered() -> None:
    better = ListWish(reward_id=SHADE, name=words("移动遮阳棚"))
    given(*ON_LIST).when(better, by=OFFICER).then(a(WishListed, name=words("移动遮阳棚")))


def test_riders_stand_behind_a_listed_wish_each_once() -> None:
    support = SupportWish(reward_id=SHADE, rider_id=BO)
    given(suggested(), listed()).when(support, by=SWIFT).then(
        a(WishSupported, rider_id=BO, platform=SWIFT)
    )
    given(*ON_LIST).when(support, by=SWIFT).then_nothing()
    given(*ON_LIST).when(support, by=KITE).then_refused("not_your_rider")


def test_a_wisher_stands_behind_the_own_wish_already() -> None:
    own = SupportWish(reward_id=SHADE, rider_id=ANN)
    given(suggested(), listed()).when(own, by=KITE).then_nothing()


def test_a_wish_that_is_not_on_the_list_cannot_be_supported() -> None:
    support = SupportWish(reward_id=SHADE, rider_id=BO)
    given(suggested()).when(support, by=SWIFT).then_refused("not_now")
    given(*ON_LIST[:2], DECLINED).when(support, by=SWIFT).then_refused("not_now")
    given().when(support, by=SWIFT).then_refused("not_there")


def test_support_has_an_end() -> None:
    crowd = [supported(f"r-{n}") for n in range(MOST_SUPPORTERS)]
    support = SupportWish(reward_id=SHADE, rider_id=BO)
    given(suggested(), listed(), *crowd[1:]).when(support, by=SWIFT).then(WishSupported)
    given(suggested(), listed(), *crowd).when(support, by=SWIFT).then_refused("enough_support")


def test_merged_wishes_count_every_rider_once() -> None:
    two = (suggested(OTHER, CAI), listed(OTHER, CAI), supported(BO, OTHER))
    merge = MergeWish(reward_id=OTHER, into=SHADE)
    world = given(*ON_LIST, *two)
    world.when(merge, by=OFFICER).then(
        WishMerged(reward_id=OTHER, rider_id=CAI, into=SHADE, name=NAME, by=OFFICER),
        WishGathered(reward_id=SHADE, other=OTHER, riders=(CAI,)),
    )
    after = world.doing(merge, by=OFFICER)
    assert after.thing(SHADE).riders == {ANN, BO, CAI}
    assert after.thing(OTHER).step is WishStep.MERGED
    after.when(merge, by=OFFICER).then_nothing()


def test_a_wish_is_merged_by_an_officer_into_another_listed_one() -> None:
    merge = MergeWish(reward_id=OTHER, into=SHADE)
    given(*ON_LIST, suggested(OTHER, CAI)).when(merge, by=KITE).then_refused("not_allowed")
    given(suggested(), suggested(OTHER, CAI)).when(merge, by=OFFICER).then_refused("not_now")
    given(suggested(OTHER, CAI)).when(merge, by=OFFICER).then_refused("not_there")
    self = MergeWish(reward_id=SHADE, into=SHADE)
    given(*ON_LIST).when(self, by=OFFICER).then_refused("same_wish")


def test_a_yes_is_told_to_everybody_who_stands_behind_it() -> None:
    approve = ApproveWish(reward_id=SHADE)
    given(*ON_LIST).when(approve, by=OFFICER).then(APPROVED)
    given(*ON_LIST).when(approve, by=SWIFT).then_refused("not_allowed")
    given(*ON_LIST, APPROVED).when(approve, by=OFFICER).then_nothing()
    given(suggested()).when(approve, by=OFFICER).then_refused("not_now")


def test_a_no_has_a_reason() -> None:
    decline = DeclineWish(reward_id=SHADE, reason=DeclineReason.NO_SPONSOR, note=words("暂无赞助"))
    given(suggested(), listed()).when(decline, by=OFFICER).then(DECLINED)
    given(suggested()).when(decline, by=OFFICER).then(a(WishDeclined, name=None))
    given(*ON_LIST, APPROVED).when(decline, by=OFFICER).then(a(WishDeclined, supporters=(BO,)))
    given(suggested(), DECLINED).when(decline, by=OFFICER).then_nothing()
    given(suggested()).when(decline, by=KITE).then_refused("not_allowed")


def test_a_wish_becomes_an_item_in_one_decision() -> None:
    offer = OfferItem(reward_id=KETTLE, terms=terms(price=12), stock=3, wish=SHADE)
    world = given(*ON_LIST, APPROVED)
    world.when(offer, by=OFFICER).then(
        ItemOffered(reward_id=KETTLE, terms=terms(price=12), stock=3, wish=SHADE, by=OFFICER),
        a(WishFulfilled, item_id=KETTLE, price=12, supporters=(BO,), rider_id=ANN),
    )
    assert world.doing(offer, by=OFFICER).thing(SHADE).step is WishStep.FULFILLED


def test_only_a_wish_on_the_list_becomes_an_item() -> None:
    offer = OfferItem(reward_id=KETTLE, terms=terms(), stock=3, wish=SHADE)
    given(suggested()).when(offer, by=OFFICER).then_refused("not_now")
    given(*ON_LIST, DECLINED).when(offer, by=OFFICER).then_refused("not_now")
