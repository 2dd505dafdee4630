"""In which words."""

from __future__ import annotations

import pytest

from contracts.case import CloseOutcome, UnitKind, Why
from contracts.envelope import Fact
from contracts.notice import NoticeKind as Kind
from contracts.report import RefusalCode
from contracts.rulebook import Rulebook
from services.notify.phrases import Speaker, phrase
from tests.notify.given import (
    RULES,
    accepted,
    awarded,
    closed,
    dispatched,
    refused,
    rejected,
    resolved,
    reworked,
)

DEPARTMENT = ("sanitation", UnitKind.DEPARTMENT, Why.BY_DISPATCHER)
TRIAGE = ("triage", UnitKind.TRIAGE, Why.SERVICE_UNKNOWN)
RETURNED = ("street-taoyuan", UnitKind.STREET, Why.RETURNED)


def zh(kind: Kind, fact: Fact, rules: Rulebook | None = RULES) -> str:
    """Title and text in Chinese."""
    return "｜".join(phrase(kind, fact, Speaker.of("zh", rules)))


def en(kind: Kind, fact: Fact, rules: Rulebook | None = RULES) -> str:
    """Title and text in English."""
    return " | ".join(phrase(kind, fact, Speaker.of("en", rules)))


@pytest.mark.parametrize(
    ("kind", "fact", "chinese", "english"),
    [
        pytest.param(
            Kind.REPORT_RECEIVED,
            accepted(),
            "上报已收到｜您上报的“暴露垃圾”（编号 demo-0001）已收到，"
            "我们会按类别和地点转交负责单位，有进展就告诉您。谢谢您。",
            "We have your report | We have your report “Exposed garbage” (no. demo-0001) and will "
            "pass it to the office in charge. We will tell you what happens. Thank you.",
            id="received",
        ),
        pytest.param(
            Kind.REPORT_REFUSED,
            refused("no_content", "too_old"),
            "上报未能受理｜您上报的“暴露垃圾”（编号 demo-0001）未能受理。"
            "原因：没有文字说明，也没有照片，请至少补上一样后重新上报；"
            "发现时间太早，已超过受理期限，如果问题还在，请到现场重新上报。",
            "We could not take your report | We could not take your report “Exposed garbage” "
            "(no. demo-0001). Why: it has neither words nor a photo, so please add one and report "
            "again; it was seen too long ago: if the problem is still there, please report it "
            "again on the spot.",
            id="refused with every reason",
        ),
        pytest.param(
            Kind.CASE_REJECTED,
            rejected("service_opens_no_case"),
            "上报已记录，未立案｜您上报的“暴露垃圾”（编号 demo-0001）已记录在册，但没有立案。"
            "原因：这一类内容只作记录，供研究改进，不立案处置。",
            "Your report is kept, but no case was opened | Your report “Exposed garbage” "
            "(no. demo-0001) is kept, but no case was opened. Why: what you told us is recorded to "
            "learn from, and nobody is sent out for it.",
            id="no case",
        ),
        pytest.param(
            Kind.CASE_DISPATCHED,
            dispatched(),
            "上报已转交桃园街道办事处｜您上报的“暴露垃圾”（编号 demo-0001）已转交桃园街道办事处，"
            "由其接单并安排处置，有进展就告诉您。",
            "Your report is with Taoyuan Street Office | Your report “Exposed garbage” "
            "(no. demo-0001) is with Taoyuan Street Office, which will arrange the work. "
            "We will tell you what happens.",
            id="dispatched to a street",
        ),
        pytest.param(
            Kind.CASE_DISPATCHED,
            dispatched(*DEPARTMENT),
            "上报已派给环境卫生管理中心｜您上报的“暴露垃圾”（编号 demo-0001）"
            "已派给环境卫生管理中心处置，应于5月3日 16:00前办结。",
            "Your report was given to Sanitation Centre | Your report “Exposed garbage” "
            "(no. demo-0001) was given to Sanitation Centre, which will do the work. "
            "Due by 3 May, 16:00.",
            id="dispatched to a department",
        ),
        pytest.param(
            Kind.CASE_DISPATCHED,
            dispatched(*TRIAGE),
            "上报正在研判｜人工分派台正在研判您上报的“暴露垃圾”（编号 demo-0001），"
            "确定负责单位后会告诉您。",
            "Your report is being looked at | Triage desk is looking at your report “Exposed "
            "garbage” (no. demo-0001) to find the right office. We will tell you which.",
            id="dispatched to triage",
        ),
        pytest.param(
            Kind.CASE_DISPATCHED,
            dispatched(*RETURNED),
            "上报正在重新安排｜您上报的“暴露垃圾”（编号 demo-0001）被原承办单位退回，"
            "现由桃园街道办事处重新安排，确定承办单位后会告诉您。",
            "Your report needs another office | Your report “Exposed garbage” (no. demo-0001) was "
            "given back by the office that had it. Taoyuan Street Office is choosing another one. "
            "We will tell you which.",
            id="given back",
        ),
        pytest.param(
            Kind.WORK_RESOLVED,
            resolved(),
            "已处置，等待核查｜您上报的问题（编号 demo-0001）已由环境卫生管理中心处置，"
            "正在等待核查，核查通过后结案。",
            "Done, waiting for a check | Sanitation Centre says the work on your report "
            "(no. demo-0001) is done. Somebody else will check it; the case closes when the check "
            "is passed.",
            id="resolved",
        ),
        pytest.param(
            Kind.CASE_CLOSED,
            closed(CloseOutcome.UNFOUNDED),
            "上报已结案｜您上报的“暴露垃圾”（编号 demo-0001）经查看没有需要处置的情况，"
            "现已结案。如果问题还在，请拍照重新上报。",
            "Your report is closed | Somebody looked into your report “Exposed garbage” "
            "(no. demo-0001) and found nothing to be done, so it is closed. If the problem is "
            "still there, please take a photo and report it again.",
            id="unfounded",
        ),
        pytest.param(
            Kind.CASE_CLOSED,
            closed(CloseOutcome.ANSWERED),
            "上报已答复｜您上报的“暴露垃圾”（编号 demo-0001）已由主管单位答复，现已结案。",
            "Your report was answered | Your report “Exposed garbage” (no. demo-0001) was answered "
            "by the office in charge and closed.",
            id="answered",
        ),
        pytest.param(
            Kind.CASE_CLOSED,
            closed(CloseOutcome.FIXED, None),
            "问题已解决｜您上报的“未分类问题”（编号 demo-0001）已处置并通过核查，"
            "现已结案。谢谢您。",
            "Your report was fixed | Your report “Uncategorised problem” (no. demo-0001) was "
            "fixed, checked and closed. Thank you.",
            id="fixed without points",
        ),
        pytest.param(
            Kind.POINTS_AWARDED,
            awarded(5),
            "问题已解决，积分 +5｜您上报的“暴露垃圾”（编号 demo-0001）已处置并通过核查，"
            "现已结案。您获得 5 积分，谢谢您。",
            "Fixed: +5 points | Your report “Exposed garbage” (no. demo-0001) was fixed, checked "
            "and closed. You have earned 5 points. Thank you.",
            id="points",
        ),
        pytest.param(
            Kind.WORK_ORDERED,
            dispatched(*DEPARTMENT),
            "新工单：暴露垃圾｜案件 demo-0001：暴露垃圾，地点：桃园街道。请接单处置，"
            "并于5月3日 16:00前办结。派遣依据：派遣人员指定。",
            "New work order: Exposed garbage | Case demo-0001: Exposed garbage. Place: Taoyuan "
            "Street. Please accept it and handle it by 3 May, 16:00. "
            "Why it is with you: a dispatcher chose you.",
            id="order for a department",
        ),
        pytest.param(
            Kind.WORK_ORDERED,
            dispatched(),
            "待派遣：暴露垃圾｜案件 demo-0001：暴露垃圾，地点：桃园街道。请接单，"
            "并于5月3日 16:00前派遣承办部门或自行处置。派遣依据：该区域由属地街道先接单。"
            "建议承办：环境卫生管理中心。",
            "To dispatch: Exposed garbage | Case demo-0001: Exposed garbage. Place: Taoyuan "
            "Street. Please accept it, and dispatch it to a department or handle it by "
            "3 May, 16:00. Why it is with you: here the street office takes orders first. "
            "Suggested department: Sanitation Centre.",
            id="order for a street",
        ),
        pytest.param(
            Kind.WORK_ORDERED,
            dispatched(*TRIAGE, service_code=None, area=None, suggested=None),
            "待研判：未分类问题｜案件 demo-0001：未分类问题，地点：未能确定。"
            "请于5月3日 16:00前研判并派遣承办单位。转来原因：上报的类别不在目录中。",
            "For triage: Uncategorised problem | Case demo-0001: Uncategorised problem. Place: not "
            "known. Please decide who handles it and dispatch it by 3 May, 16:00. Why it is with "
            "you: the catalogue does not know the kind of problem that the report names.",
            id="order for triage",
        ),
        pytest.param(
            Kind.REWORK_ORDERED,
            reworked(2),
            "第 2 次返工｜案件 demo-0001 核查未通过，第 2 次返工。"
            "请环境卫生管理中心重新处置，完成后再报结果。",
            "Rework no. 2 | Case demo-0001 did not pass the check: rework no. 2 for Sanitation "
            "Centre. Please handle it again and report the result.",
            id="rework",
        ),
    ],
)
def test_it_is_told_in_these_words(kind: Kind, fact: Fact, chinese: str, english: str) -> None:
    assert zh(kind, fact) == chinese
    assert en(kind, fact) == english


def test_one_point_is_a_point() -> None:
    assert en(Kind.POINTS_AWARDED, awarded(1)).startswith("Fixed: +1 point |")
    assert "earned 1 point." in en(Kind.POINTS_AWARDED, awarded(1))


@pytest.mark.parametrize("code", RefusalCode)
def test_every_reason_of_intake_is_put_in_words(code: RefusalCode) -> None:
    for said in (zh, en):
        assert code not in said(Kind.REPORT_REFUSED, refused(code))


def test_a_reason_without_words_is_told_by_its_code_and_without_its_detail() -> None:
    assert "原因：其他原因（代码 solar_eclipse）。" in zh(
        Kind.REPORT_REFUSED, refused("solar_eclipse")
    )
    assert "Why: another reason (code solar_eclipse)." in en(
        Kind.REPORT_REFUSED, refused("solar_eclipse")
    )
    assert "detail" not in en(Kind.REPORT_REFUSED, refused("solar_eclipse"))


@pytest.mark.parametrize("why", Why)
def test_every_rule_by_which_a_unit_holds_a_case_is_put_in_words(why: Why) -> None:
    for said in (zh, en):
        assert why not in said(Kind.WORK_ORDERED, dispatched(why=why))


def test_a_notice_never_tells_the_exact_place() -> None:
    fact = dispatched(*TRIAGE)
    assert "29.05" in fact.explanation.zh
    assert "29.05" not in zh(Kind.WORK_ORDERED, fact) + zh(Kind.CASE_DISPATCHED, fact)


@pytest.mark.parametrize("kind", UnitKind)
def test_no_kind_of_unit_is_without_words(kind: UnitKind) -> None:
    for notice in (Kind.CASE_DISPATCHED, Kind.WORK_ORDERED):
        assert all(phrase(notice, dispatched(kind=kind), Speaker.of("en", RULES)))


def test_nobody_is_advised_to_dispatch_to_themselves() -> None:
    itself = dispatched(suggested="street-taoyuan")
    assert "建议承办" not in zh(Kind.WORK_ORDERED, itself)


def test_without_a_rulebook_names_are_codes_and_times_are_in_utc() -> None:
    told = zh(Kind.WORK_ORDERED, dispatched(), rules=None)
    assert "5月3日 08:00（协调世界时）" in told
    assert "建议承办：sanitation" in told
    assert "3 May, 08:00 UTC" in en(Kind.WORK_ORDERED, dispatched(), rules=None)


def test_in_a_time_zone_that_nobody_knows_times_are_told_in_utc() -> None:
    nowhere = RULES.model_copy(
        update={"calendar": RULES.calendar.model_copy(update={"time_zone": "Mars/Olympus"})}
    )
    assert "3 May, 08:00 UTC" in en(Kind.WORK_ORDERED, dispatched(), nowhere)


def test_braces_in_a_name_are_only_braces() -> None:
    strange = RULES.services[0].model_copy(
        update={"name": RULES.services[0].name.model_copy(update={"en": "{report.__class__}"})}
    )
    rules = RULES.model_copy(
        update={"catalogue": RULES.catalogue.model_copy(update={"services": (strange,)})}
    )
    assert "“{report.__class__}”" in en(Kind.REPORT_RECEIVED, accepted(), rules)


def test_a_language_that_the_house_does_not_speak_is_told_in_chinese() -> None:
    title, _ = phrase(Kind.REPORT_RECEIVED, accepted(), Speaker.of("fr", RULES))
    assert title == "上报已收到"


def test_a_kind_that_does_not_fit_the_fact_is_a_mistake() -> None:
    with pytest.raises(TypeError, match="points_awarded does not tell about a ReportAccepted"):
        phrase(Kind.POINTS_AWARDED, accepted(), Speaker.of("zh", RULES))
