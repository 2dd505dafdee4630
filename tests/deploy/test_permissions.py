from __future__ import annotations

import pytest

from deploy.permissions import HOUSE, ROOM_STREAMS, Kind, Party, permissions

ROUTER = Party("router", Kind.SERVICE, ("router-on-report", "INBOX.router-drop"))
GUARDED = [("LOG", "points-on-case")]
EVERYBODY = [
    Party("provisioner", Kind.PROVISIONER),
    *(Party(room, Kind.SERVICE) for room in ROOM_STREAMS),
    Party("projector", Kind.PROJECTOR),
    Party("auditor", Kind.AUDITOR),
    Party("audit-office", Kind.AUDIT_OFFICE),
    Party("sealer", Kind.SEALER),
    Party("platform-kite", Kind.PLATFORM),
    Party("sanitation", Kind.UNIT),
    Party("archive", Kind.ARCHIVE),
    Party("officer", Kind.OFFICER),
]


def covers(pattern: str, subject: str) -> bool:
    """Whether a subject pattern of NATS matches a plain subject."""
    wanted, given = pattern.split("."), subject.split(".")
    for place, token in enumerate(wanted):
        if token == ">":
            return len(given) > place
        if place >= len(given) or token not in ("*", given[place]):
            return False
    return len(wanted) == len(given)


def may_publish(party: Party, subject: str) -> bool:
    rights = permissions(party, GUARDED)
    allowed = any(covers(pattern, subject) for pattern in rights.publish)
    return allowed and not any(covers(pattern, subject) for pattern in rights.deny_publish)


def publishers(subject: str) -> set[str]:
    return {party.name for party in EVERYBODY if may_publish(party, subject)}


def test_a_unit_reaches_its_commands_its_queue_and_the_outbox_and_nothing_else() -> None:
    rights = permissions(Party("sanitation", Kind.UNIT))

    assert set(rights.publish) == {
        "cmd.sanitation.>",
        "$JS.API.CONSUMER.INFO.WORK.sanitation",
        "$JS.API.CONSUMER.MSG.NEXT.WORK.sanitation",
        "$JS.ACK.WORK.sanitation.>",
        "$JS.ACK.*.*.WORK.sanitation.>",
        "$JS.API.STREAM.INFO.OUTBOX",
        "$JS.API.STREAM.MSG.GET.OUTBOX",
        "$JS.API.DIRECT.GET.OUTBOX",
        "$JS.API.DIRECT.GET.OUTBOX.>",
    }
    assert rights.subscribe == ("_INBOX_sanitation.>",)
    assert not rights.allow_responses


def test_a_platform_drops_into_its_inbox_and_reads_its_answers() -> None:
    rights = permissions(Party("platform-kite", Kind.PLATFORM)).publish

    assert "inbox.platform-kite" in rights
    assert "$JS.API.CONSUMER.MSG.NEXT.ANSWER.platform-kite" in rights
    assert not any("WORK" in subject for subject in rights)


@pytest.mark.parametrize(
    ("subject", "writer"),
    [(f"log.{stream}.1", room) for room, streams in ROOM_STREAMS.items() for stream in streams]
    + [("work.sanitation", "router"), ("answer.kite", "intake"), ("notice.outbox.1", "notify")],
)
def test_one_room_writes_a_stream_and_nobody_else_does(subject: str, writer: str) -> None:
    assert publishers(subject) == {writer}


@pytest.mark.parametrize(
    "subject",
    [
        f"$JS.API.STREAM.{verb}.{stream}"
        for verb in ("CREATE", "UPDATE", "DELETE", "PURGE", "RESTORE", "MSG.DELETE")
        for stream in ("LOG", "WORK")
    ],
)
def test_only_the_provisioner_changes_streams(subject: str) -> None:
    assert publishers(subject) == {"provisioner"}


@pytest.mark.parametrize(
    "subject",
    [
        "$JS.API.CONSUMER.CREATE.LOG.points-on-case",
        "$JS.API.CONSUMER.CREATE.LOG.points-on-case.log.case.>",
        "$JS.API.CONSUMER.DELETE.LOG.points-on-case",
    ],
)
def test_a_reader_of_the_log_cannot_touch_the_durable_of_a_room(subject: str) -> None:
    assert publishers(subject) == {"provisioner"}
    assert may_publish(Party("auditor", Kind.AUDITOR), "$JS.API.CONSUMER.CREATE.LOG.my-own")


def test_everybody_hears_their_own_inbox_only() -> None:
    for party in EVERYBODY:
        heard = permissions(party).subscribe
        inboxes = [subject for subject in heard if subject.startswith("_INBOX")]
        assert inboxes == [f"_INBOX_{party.name}.>"]


def test_whoever_audits_tells_history_to_nobody_else() -> None:
    for name in ("auditor", "audit-office"):
        assert publishers(f"replay.{name}.may.log.case.1") == {name}
        hears = [p.name for p in EVERYBODY if f"replay.{name}.>" in permissions(p).subscribe]
        assert hears == [name]


def test_an_audit_office_has_no_right_but_to_read_and_to_witness() -> None:
    rights = permissions(Party("audit-office", Kind.AUDIT_OFFICE)).publish
    reads = [subject for subject in rights if subject.startswith("$JS.API.")]
    assert {*rights} - {*reads} == {"replay.audit-office.>", "cmd.audit-office.sealer.>"}
    verbs = {"STREAM.INFO", "STREAM.MSG", "DIRECT.GET"}
    assert {".".join(subject.split(".")[2:4]) for subject in reads} == verbs


def test_only_a_room_and_the_sealer_hear_what_is_theirs_and_answer() -> None:
    for party in EVERYBODY:
        rights = permissions(party)
        hears = any(covers(subject, "cmd.sanitation.router.Accept") for subject in rights.subscribe)
        assert hears == (party.name == "router")
        assert rights.allow_responses == (party.kind in {Kind.SERVICE, Kind.SEALER})


def test_no_room_commands_another() -> None:
    assert publishers("cmd.router.points.AwardPoints") == set()


def test_a_room_binds_its_durables_and_acknowledges_in_both_forms() -> None:
    for subject in (
        "$JS.API.CONSUMER.INFO.LOG.router-on-report",
        "$JS.ACK.LOG.router-on-report.1.2.3.4.5",
        "$JS.ACK._.hash.LOG.router-on-report.1.2.3.4.5",
        "$JS.API.CONSUMER.INFO.INBOX.router-drop",
        "$JS.ACK.INBOX.router-drop.1.2.3.4.5",
    ):
        assert may_publish(ROUTER, subject)
    assert not may_publish(ROUTER, "$JS.ACK.LOG.points-on-case.1.2.3.4.5")


def test_whoever_reads_in_order_may_answer_flow_control() -> None:
    readers = publishers("$JS.FC.LOG.abc.def")
    assert readers == {*ROOM_STREAMS, "projector", "auditor", "sealer"}


def test_the_house_shares_no_account_with_anybody_else() -> None:
    assert {party.name for party in EVERYBODY if party.account != HOUSE} == {
        "audit-office",
        "platform-kite",
        "sanitation",
        "archive",
        "officer",
    }


@pytest.mark.parametrize("name", ["", "a.b", ">", "*", "a b", "环卫", "HOUSE", "$SYS"])
def test_a_name_that_would_widen_subjects_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="party name"):
        Party(name, Kind.UNIT)


def test_a_name_of_digits_is_refused_since_it_could_pass_for_a_sequence_number() -> None:
    with pytest.raises(ValueError, match="at least one letter"):
        Party("330299001", Kind.UNIT)


def test_a_durable_that_would_widen_subjects_is_refused() -> None:
    with pytest.raises(ValueError, match=r"NAME or STREAM\.NAME"):
        Party("router", Kind.SERVICE, ("LOG.>",))


def test_a_service_must_be_a_room_of_the_house() -> None:
    with pytest.raises(ValueError, match="the rooms are intake, router, points, notify"):
        permissions(Party("kitchen", Kind.SERVICE))
