import asyncio
import time
from contextlib import closing
from pathlib import Path

import pytest

from regista.core.errors import AuthenticationError, NotAllowedError, NotFoundError, RequestError
from regista.store import Database, connect, keys
from regista.store.keys import DAY_NS, Keyring, add, listing, revoke


async def refused(ring: Keyring, token: str) -> AuthenticationError:
    with pytest.raises(AuthenticationError) as caught:
        await ring.check(token)
    assert caught.value.status == 401
    return caught.value


async def test_a_key_opens_and_names_its_tenant(database: Database) -> None:
    token = add(database, "web", "acme")
    key = await Keyring(database).check(token)
    assert (key.name, key.tenant, key.prefix) == ("web", "acme", token[:9])


def test_keys_are_long_and_differ(database: Database) -> None:
    tokens = {add(database, f"key {number}") for number in range(20)}
    assert len(tokens) == 20
    assert all(token.startswith("rk-") and len(token) >= 35 for token in tokens)


def test_a_key_is_nowhere_in_the_files(database: Database, tmp_path: Path) -> None:
    token = add(database, "web")
    assert all(token[10:].encode() not in file.read_bytes() for file in tmp_path.iterdir())


async def test_no_key_is_required_until_one_was_made_and_ever_after(database: Database) -> None:
    assert not Keyring(database).required
    add(database, "web")
    assert Keyring(database).required
    revoke(database, "web")
    assert Keyring(database).required


async def test_a_missing_and_an_unknown_key_are_told_apart(database: Database) -> None:
    add(database, "web")
    ring = Keyring(database)
    missing, unknown = await refused(ring, ""), await refused(ring, "rk-unknown")
    assert (missing.code, unknown.code) == ("missing_api_key", "invalid_api_key")
    assert "Authorization: Bearer" in missing.message
    assert "rk-unknown" not in unknown.message


async def test_an_expired_key_says_since_when(database: Database) -> None:
    token = add(database, "web", expires_days=1)
    now = time.time_ns()
    assert (await Keyring(database, lambda: now).check(token)).name == "web"
    error = await refused(Keyring(database, lambda: now + 2 * DAY_NS), token)
    day = time.strftime("%Y-%m-%d", time.gmtime((listing(database)[0].expires_ns or 0) // 10**9))
    assert error.code == "expired_api_key"
    assert f"expired on {day}" in error.message


async def test_a_revoked_key_says_so(database: Database) -> None:
    token = add(database, "web")
    revoke(database, "web")
    assert (await refused(Keyring(database), token)).code == "revoked_api_key"


async def test_a_key_made_by_another_process_opens_at_once(database: Database, url: str) -> None:
    ring = Keyring(database)
    other = connect(url)
    token = add(other, "late")
    other.close()
    assert (await ring.check(token)).name == "late"
    assert ring.required


async def test_a_running_server_hears_of_a_revoked_key(database: Database, url: str) -> None:
    token = add(database, "web")
    ring = Keyring(database)
    watching = asyncio.create_task(ring.watch())
    other = connect(url)
    revoke(other, "web")
    other.close()
    with pytest.raises(AuthenticationError) as caught:
        while True:
            await ring.check(token)
            await asyncio.sleep(0.02)
    assert caught.value.code == "revoked_api_key"
    watching.cancel()


async def test_a_running_server_hears_of_a_revoked_key_though_the_table_was_away_meanwhile(
    database: Database, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As while a copy is restored."""
    monkeypatch.setattr(keys, "_WATCH_S", 0.02)
    token = add(database, "web")
    ring = Keyring(database)
    watching = asyncio.create_task(ring.watch())
    with closing(connect(url)) as other:
        with other.transaction() as transaction:
            transaction.execute("ALTER TABLE keys RENAME TO kept")
        await asyncio.sleep(0.5)
        with other.transaction() as transaction:
            transaction.execute("ALTER TABLE kept RENAME TO keys")
        assert (await ring.check(token)).name == "web"
        revoke(other, "web")
    with pytest.raises(AuthenticationError, match="was revoked"):
        async with asyncio.timeout(10):
            while await ring.check(token):  # noqa: ASYNC110 - nobody is told
                await asyncio.sleep(0.02)
    watching.cancel()


async def test_many_unknown_keys_share_a_look_into_the_database(database: Database) -> None:
    add(database, "web")
    ring = Keyring(Counting(database))
    asked = Counting.asked
    await asyncio.gather(*(refused(ring, f"rk-{number}") for number in range(200)))
    await asyncio.gather(*(refused(ring, f"rk-{number}") for number in range(200)))
    assert Counting.asked - asked <= 2


class Counting:
    """A database that counts what it is asked."""

    asked = 0

    def __init__(self, database: Database) -> None:
        self._database = database
        self.query, self.transaction, self.close = database.query, database.transaction, database.close
        self.files, self.compact, self.bodies = database.files, database.compact, database.bodies

    def version(self) -> int:
        Counting.asked += 1
        return self._database.version()


async def test_a_key_made_after_it_was_refused_opens(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("secrets.token_urlsafe", lambda length: "known-beforehand")  # pyright: ignore[reportUnknownLambdaType, reportUnknownArgumentType]
    ring = Keyring(database)
    await refused(ring, "rk-known-beforehand")
    watching = asyncio.create_task(ring.watch())
    add(database, "web")
    while not ring.required:  # noqa: ASYNC110 - the keyring tells nobody
        await asyncio.sleep(0.05)
    watching.cancel()
    assert (await ring.check("rk-known-beforehand")).name == "web"


def test_a_name_in_use_is_refused_and_free_again_once_revoked(database: Database) -> None:
    add(database, "web")
    with pytest.raises(RequestError, match="regista keys revoke web"):
        add(database, "web")
    revoke(database, "web")
    add(database, "web")
    assert [key.state(time.time_ns()) for key in listing(database)] == ["revoked", "active"]


@pytest.mark.parametrize(
    ("name", "days"), [("", None), ("  ", None), ("a\x1b[2J", None), ("a", 0), ("a", -1), ("a", 1e9)]
)
def test_a_key_that_makes_no_sense_is_refused(database: Database, name: str, days: float | None) -> None:
    with pytest.raises(RequestError):
        add(database, name, expires_days=days)


async def test_a_key_keeps_its_models_limits_and_right(database: Database) -> None:
    token = add(database, "web", models=["club", "openai/*"], limits=["60 requests a minute", "$5/month"], admin=True)
    key = await Keyring(database).check(token)
    assert key.models == ("club", "openai/*")
    assert [str(limit) for limit in key.limits] == ["60 requests/minute", "$5/month"]
    assert key.admin
    assert listing(database) == [key]


def test_a_key_asks_for_what_its_patterns_name_and_is_told_what_that_is(database: Database) -> None:
    add(database, "web", models=["club", "openai/gpt-*"])
    (key,) = listing(database)
    assert key.may_ask("club")
    assert key.may_ask("openai/gpt-6")
    with pytest.raises(NotAllowedError, match=r"may ask for: club, openai/gpt-\*\.") as caught:
        key.check_model("openai/o5", ["club", "openai/o5", "anthropic/x"])
    assert (caught.value.status, caught.value.code) == (403, "model_not_allowed")


def test_a_key_without_patterns_asks_for_everything(database: Database) -> None:
    add(database, "web")
    listing(database)[0].check_model("whatever", [])


@pytest.mark.parametrize(
    ("models", "limits"), [([""], []), (["a\x1b"], []), ([], ["lots"]), ([], ["$5/month", "$6/month"])]
)
def test_models_and_limits_that_make_no_sense_are_refused(
    database: Database, models: list[str], limits: list[str]
) -> None:
    with pytest.raises(RequestError):
        add(database, "web", models=models, limits=limits)
    assert listing(database) == []


def test_a_key_is_revoked_by_its_start_and_by_itself(database: Database) -> None:
    first, second = add(database, "one"), add(database, "two")
    assert revoke(database, first[:9]).name == "one"
    assert revoke(database, second).name == "two"


def test_revoking_what_fits_none_or_several_names_those_in_use(database: Database) -> None:
    add(database, "one")
    add(database, "two")
    with pytest.raises(NotFoundError, match=r"No key in use is called 'three'\. In use: one \(rk-.*two"):
        revoke(database, "three")
    with pytest.raises(NotFoundError, match="No key in use is called 'rk-'"):
        revoke(database, "rk-")
    assert [key.revoked_ns for key in listing(database)] == [None, None]
