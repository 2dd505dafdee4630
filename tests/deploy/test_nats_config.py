from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from deploy.nats_config import Cluster, ServerSettings, User, render, server_config
from deploy.permissions import Kind, Party

SETTINGS = ServerSettings(
    name="waggle-1",
    port=4222,
    monitor_port=8222,
    store=Path("/house/nats/store"),
    log_file=Path("/house/log/nats.log"),
)
USERS = (
    User(Party("router", Kind.SERVICE, ("router-on-report",)), "UROUTER"),
    User(Party("auditor", Kind.AUDITOR), "UAUDITOR"),
    User(Party("sanitation", Kind.UNIT), "USANITATION"),
    User(Party("water", Kind.UNIT), "UWATER"),
)


PEERS = ("127.0.0.1:6001", "127.0.0.1:6002", "127.0.0.1:6003")


def config(users: tuple[User, ...] = USERS) -> dict[str, Any]:
    return server_config(SETTINGS, users)


def test_an_acknowledged_message_is_on_disk() -> None:
    assert config()["jetstream"]["sync_interval"] == "always"


def test_every_port_is_on_loopback() -> None:
    document = config()
    assert document["listen"] == "127.0.0.1:4222"
    assert document["http"] == "127.0.0.1:8222"


def test_the_file_says_what_the_document_says() -> None:
    assert json.loads(render(SETTINGS, USERS)) == config()


def test_only_the_account_of_the_house_has_streams() -> None:
    accounts = config()["accounts"]
    assert [name for name, account in accounts.items() if "jetstream" in account] == ["HOUSE"]
    assert [user["nkey"] for user in accounts["HOUSE"]["users"]] == ["UROUTER", "UAUDITOR"]


def test_a_unit_has_an_account_with_nothing_in_it_but_its_own() -> None:
    account = config()["accounts"]["sanitation"]
    imported = {entry["service"]["subject"] for entry in account["imports"]}
    assert imported == {
        "$JS.API.>",
        "$JS.ACK.WORK.sanitation.>",
        "$JS.ACK.*.*.WORK.sanitation.>",
        "cmd.sanitation.>",
    }
    assert [user["nkey"] for user in account["users"]] == ["USANITATION"]


def test_the_house_gives_each_account_its_own_subjects_only() -> None:
    exports = {entry["service"]: entry for entry in config()["accounts"]["HOUSE"]["exports"]}
    assert exports["cmd.water.>"]["accounts"] == ["water"]
    assert exports["$JS.ACK.WORK.sanitation.>"]["accounts"] == ["sanitation"]
    assert exports["$JS.API.>"]["accounts"] == ["sanitation", "water"]


def test_the_durables_of_the_rooms_are_guarded_from_every_reader() -> None:
    for user in config()["accounts"]["HOUSE"]["users"]:
        denied = user["permissions"]["publish"]["deny"]
        assert "$JS.API.CONSUMER.DELETE.LOG.router-on-report" in denied


@pytest.mark.parametrize(
    "double",
    [User(Party("water", Kind.UNIT), "UOTHER"), User(Party("parks", Kind.UNIT), "UWATER")],
)
def test_two_parties_cannot_share_a_name_or_a_key(double: User) -> None:
    with pytest.raises(ValueError, match="two parties share one"):
        config((*USERS, double))


def test_a_member_of_a_cluster_dials_the_others_and_proves_itself() -> None:
    member = Cluster("waggle", 6001, PEERS, secret="s3cret")
    cluster = server_config(replace(SETTINGS, cluster=member), ())["cluster"]
    assert cluster["routes"] == [
        "nats-route://route:s3cret@127.0.0.1:6002",
        "nats-route://route:s3cret@127.0.0.1:6003",
    ]
    assert cluster["authorization"]["password"] == "s3cret"
    assert "s3cret" not in repr(member)
