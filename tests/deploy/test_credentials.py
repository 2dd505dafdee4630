from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from deploy.credentials import Credentials
from deploy.errors import CredentialError
from deploy.nats_config import User
from deploy.permissions import Kind, Party


def test_a_key_is_made_once_and_kept(house: Path) -> None:
    first = Credentials(house).nkey("sanitation")
    assert first.startswith("U")
    assert Credentials(house).nkey("sanitation") == first
    assert Credentials(house).nkey("water") != first


def test_secrets_are_for_their_owner_only(house: Path) -> None:
    credentials = Credentials(house)
    credentials.nkey("sanitation")
    credentials.password("router")
    assert credentials.folder.stat().st_mode & 0o777 == 0o700
    for file in (credentials.seed_file("sanitation"), credentials.password_file("router")):
        assert file.stat().st_mode & 0o777 == 0o600


def test_the_master_key_is_made_once_and_for_its_owner_only(house: Path) -> None:
    file = Credentials(house).master_key_file(lambda: b"first" * 4)
    assert Credentials(house).master_key_file(lambda: b"other" * 4) == file
    assert file.read_bytes() == b"first" * 4
    assert file.stat().st_mode & 0o777 == 0o600
    assert [other.name for other in file.parent.iterdir()] == [file.name]


def test_a_file_that_became_readable_is_closed_again(house: Path) -> None:
    credentials = Credentials(house)
    credentials.nkey("sanitation")
    credentials.seed_file("sanitation").chmod(0o644)
    credentials.nkey("sanitation")
    assert credentials.seed_file("sanitation").stat().st_mode & 0o777 == 0o600


def test_starts_that_race_agree_on_one_key(house: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        keys = set(pool.map(lambda _: Credentials(house).nkey("sanitation"), range(32)))
    assert len(keys) == 1
    assert [file.name for file in Credentials(house).folder.iterdir()] == ["sanitation.nk"]


@pytest.mark.parametrize("damage", ["", "SUAAAA", "not a seed", "{flipped}"])
def test_a_damaged_key_is_an_error_and_never_replaced(house: Path, damage: str) -> None:
    credentials = Credentials(house)
    credentials.nkey("sanitation")
    file = credentials.seed_file("sanitation")
    seed = file.read_text().strip()
    other = "A" if seed[20] != "A" else "B"
    damaged = damage.format(flipped=seed[:20] + other + seed[21:])
    file.write_text(damaged)
    with pytest.raises(CredentialError, match="from a backup"):
        credentials.nkey("sanitation")
    assert file.read_text() == damaged


def test_the_server_is_told_public_keys_only(house: Path) -> None:
    party = Party("sanitation", Kind.UNIT)
    credentials = Credentials(house)
    (user,) = credentials.users([party])
    assert user == User(party, credentials.nkey("sanitation"))
    assert credentials.seed_file("sanitation").read_text().strip() not in repr(user)


def test_a_password_is_long_and_fits_into_an_address(house: Path) -> None:
    password = Credentials(house).password("router")
    assert len(password) >= 40
    assert password.replace("-", "").replace("_", "").isalnum()
