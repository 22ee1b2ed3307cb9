"""Keys with models, limits and rights, on a live server: what their holders are told, and what the ledger has."""

import asyncio
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx2
import pytest
from tests._redis import RedisServer
from tests._upstream.answers import INPUT, OUTPUT
from tests._upstream.server import Upstream
from tests.surfaces.http.conftest import Live, write

from regista.core.nouns import Call
from regista.store import connect, ledger
from regista.store.keys import add, listing
from regista.store.traces import recent

PRICES = '[prices."openai/good"]\ninput = "1.00"\noutput = "2.00"\n'
COST = INPUT * 1_000 + OUTPUT * 2_000
"""Nano-dollars of a good answer at these prices."""
PATIENCE_S = 20
SAID = {"messages": [{"role": "user", "content": "hello"}]}
ENDPOINTS: Mapping[str, Mapping[str, object]] = {
    "chat/completions": SAID,
    "completions": {"prompt": "hello"},
    "responses": {"input": "hello"},
    "messages": {**SAID, "max_tokens": 20},
    "embeddings": {"input": "hello"},
}


def know_keys(live: Live) -> None:
    """Wait until a server knows that there are keys: before, it serves anyone."""
    end = time.monotonic() + PATIENCE_S
    while live.ask("nothing").status_code != 401:
        assert time.monotonic() < end
        time.sleep(0.02)


class Shop:
    """A server whose store the test may look into."""

    def __init__(self, live: Live, store: Path | None = None) -> None:
        self.live = live
        self.store = connect(f"sqlite://{store or live.folder / '.regista' / 'regista.db'}")
        if not listing(self.store):
            add(self.store, "first")
        know_keys(live)

    def key(self, *limits: str, models: tuple[str, ...] = (), admin: bool = False) -> "Holder":
        name = f"key {time.time_ns()}"
        return Holder(self, name, add(self.store, name, limits=limits, models=models, admin=admin))

    def calls(self, key: "Holder", count: int) -> list[Call]:
        """The calls made for a key, once there are as many."""
        end = time.monotonic() + PATIENCE_S
        while True:
            rows = self.store.query("SELECT DISTINCT trace FROM ledger WHERE key = ?", (key.name,))
            found = [call for (trace,) in rows for call in ledger.calls(self.store, trace)]
            if len(found) >= count:
                return found
            assert time.monotonic() < end, f"{len(found)} calls in the ledger"
            time.sleep(0.02)


class Holder:
    """Who has a key."""

    def __init__(self, shop: Shop, name: str, token: str, url: str = "") -> None:
        self.name = name
        self.token = token
        self.headers = {"authorization": f"Bearer {token}"}
        self.url = url or shop.live.url

    def ask(self, model: str = "openai/good", **fields: object) -> httpx2.Response:
        body = {"model": model, "messages": [{"role": "user", "content": "hello"}], **fields}
        return httpx2.post(f"{self.url}/v1/chat/completions", json=body, headers=self.headers, timeout=30)

    def get(self, path: str) -> httpx2.Response:
        return httpx2.get(f"{self.url}{path}", headers=self.headers)

    def leave(self, model: str) -> None:
        """Ask for a stream, and leave after its first bytes."""
        body = {"model": model, "stream": True, "messages": [{"role": "user", "content": "hello"}]}
        client = httpx2.Client(timeout=30)
        with (
            client,
            client.stream("POST", f"{self.url}/v1/chat/completions", json=body, headers=self.headers) as answer,
        ):
            next(answer.iter_bytes())


Up = Callable[[Path], Live]


@pytest.fixture
def up() -> Iterator[Up]:
    """Starts a server over a folder; all are stopped when the test ends."""
    servers: list[Live] = []

    def begin(folder: Path) -> Live:
        servers.append(Live(folder))
        return servers[-1]

    yield begin
    for server in servers:
        server.stop()


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory, running_upstream: Upstream) -> Iterator[Shop]:
    models = [
        f'[models.{name}]\nmodel = "openai/{name}"\nbase_url = "{running_upstream.url(path)}"\n'
        for name, path in (("good", ""), ("slow", "/slow"), ("endless", "/endless"), ("unpriced", ""))
    ]
    app = '[app]\nname = "shop"\nmodel = "good"\n[cache]\nexact = true\n'
    server = Live(write(tmp_path_factory.mktemp("limits") / "shop", app + PRICES + "\n".join(models)))
    made = Shop(server)
    yield made
    made.store.close()
    server.stop()


def test_a_request_over_the_limit_is_told_how_much_is_used_and_when_to_come_back(shop: Shop) -> None:
    key = shop.key("2 requests/month")
    assert [key.ask().status_code for _ in range(2)] == [200, 200]
    refused = key.ask()
    error = refused.json()["error"]
    assert (refused.status_code, error["type"], error["code"]) == (429, "rate_limit_error", "rate_limited")
    assert "has used or reserved 2 requests of its 2 requests/month" in error["message"]
    assert 0 < int(refused.headers["retry-after"]) <= 31 * 86_400
    assert 'regista_limit_refusals_total{limit="requests/month"}' in shop.key().get("/metrics").text


def test_an_answer_from_the_cache_counts_as_a_request_and_costs_nothing(shop: Shop) -> None:
    key = shop.key("3 requests/month", "$0.01/month")
    assert [key.ask("shop").headers["x-regista-cache"] for _ in range(3)] == ["miss", "hit", "hit"]
    assert key.ask("shop").status_code == 429
    (call,) = shop.calls(key, 1)
    assert call.cost_nano == COST


def test_money_is_counted_to_the_nano_dollar(shop: Shop) -> None:
    key = shop.key(f"${3 * COST / 1e9:.9f}/day")
    assert [key.ask(max_tokens=8).status_code for _ in range(2)] == [200, 200]
    refused = key.ask(max_tokens=30)
    assert (refused.status_code, refused.json()["error"]["code"]) == (429, "budget_exceeded")
    assert key.ask(max_tokens=8).status_code == 200
    assert [call.cost_nano for call in shop.calls(key, 3)] == [COST] * 3


async def test_of_many_at_once_no_two_spend_the_last_of_a_budget(shop: Shop) -> None:
    key = shop.key("100 tokens/month")
    body = {"model": "openai/slow", "messages": [{"role": "user", "content": "hi"}], "max_tokens": 10}
    async with httpx2.AsyncClient(timeout=30, headers=key.headers) as client:
        asked = [client.post(f"{key.url}/v1/chat/completions", json=body) for _ in range(40)]
        said = [answer.status_code for answer in await asyncio.gather(*asked)]
    # Each reserves 5 tokens of its message and 10 of its answer.
    assert sorted(said) == [200] * 6 + [429] * 34


def test_a_model_a_key_may_not_use_is_refused_with_those_it_may(shop: Shop) -> None:
    key = shop.key(models=("shop", "openai/g*"))
    assert key.ask().status_code == 200
    refused = key.ask("openai/slow")
    assert (refused.status_code, refused.json()["error"]["code"]) == (403, "model_not_allowed")
    assert "may ask for: shop, openai/good, openai/g*." in refused.json()["error"]["message"]
    assert [model["id"] for model in key.get("/v1/models").json()["data"]] == ["shop", "openai/good"]
    assert key.get("/v1/models/openai/slow").status_code == 403
    for path, body in ENDPOINTS.items():
        answer = httpx2.post(f"{key.url}/v1/{path}", json={**body, "model": "openai/slow"}, headers=key.headers)
        assert answer.status_code == 403, path
    answer = httpx2.post(
        f"{key.url}/v1/messages/count_tokens", json=SAID | {"model": "openai/slow"}, headers=key.headers
    )
    assert answer.status_code == 403


@pytest.mark.parametrize(
    ("path", "stream"), [*((path, False) for path in ENDPOINTS), *((path, True) for path in [*ENDPOINTS][:-1])]
)
def test_every_endpoint_is_counted_and_limited(shop: Shop, path: str, stream: bool) -> None:
    key = shop.key("1 request/month", "$1/month")
    body = {**ENDPOINTS[path], "model": "openai/good", "stream": stream}
    answers = [httpx2.post(f"{key.url}/v1/{path}", json=body, headers=key.headers, timeout=30) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 429]
    assert int(answers[1].headers["retry-after"]) > 0
    (call,) = shop.calls(key, 1)
    assert call.exact
    assert call.cost_nano == call.usage.input_tokens * 1_000 + call.usage.output_tokens * 2_000 > 0


def test_a_model_without_a_price_is_not_asked_on_a_budget(shop: Shop, upstream: Upstream) -> None:
    refused = shop.key("$5/month").ask("openai/unpriced")
    assert (refused.status_code, refused.json()["error"]["code"]) == (403, "price_unknown")
    assert '[prices."openai/unpriced"]' in refused.json()["error"]["message"]
    assert upstream.requests == []
    assert shop.key("5000 tokens/month").ask("openai/unpriced").status_code == 200


def test_a_request_that_can_never_fit_is_the_client_s_to_change(shop: Shop) -> None:
    refused = shop.key("100 tokens/month").ask(max_tokens=1000)
    assert (refused.status_code, refused.json()["error"]["code"]) == (400, "over_limit")
    assert "retry-after" not in refused.headers


def test_a_stream_the_client_leaves_is_cancelled_estimated_and_given_back(shop: Shop, upstream: Upstream) -> None:
    key = shop.key("2000 tokens/month")
    key.leave("openai/endless")
    asyncio.run(upstream.disconnected())
    (call,) = shop.calls(key, 1)
    assert (call.status, call.exact) == ("cancelled", False)
    assert call.usage.output_tokens > 0
    used = key.get("/v1/keys").json()["data"][0]["limits"][0]
    assert used["used"] == call.usage.input_tokens + call.usage.output_tokens
    assert key.ask(max_tokens=1000).status_code == 200


def test_a_stream_the_client_leaves_may_be_read_to_its_end(
    tmp_path: Path, up: Up, running_upstream: Upstream, upstream: Upstream
) -> None:
    model = f'[models.default]\nmodel = "openai/good"\nbase_url = "{running_upstream.url("/slow")}"\n'
    live = up(write(tmp_path / "shop", f'[app]\nname = "shop"\nfinish_abandoned_s = 30\n{PRICES}{model}'))
    shop = Shop(live)
    key = shop.key("10000 tokens/month")
    key.leave("openai/good")
    (call,) = shop.calls(key, 1)
    assert (call.status, call.exact, call.cost_nano) == ("ok", True, COST)
    (trace,) = recent(shop.store)
    assert (trace.status, trace.cost_nano) == ("cancelled", COST)
    assert upstream.disconnects == []


def test_a_restart_forgets_nothing_of_a_month(tmp_path: Path, up: Up, running_upstream: Upstream) -> None:
    model = f'[models.default]\nmodel = "openai/good"\nbase_url = "{running_upstream.url()}"\n'
    folder = write(tmp_path / "shop", f'[app]\nname = "shop"\n{PRICES}{model}')
    first = up(folder)
    shop = Shop(first)
    key = shop.key("3 requests/month", "1100 tokens/month")
    assert [key.ask(max_tokens=1000).status_code for _ in range(2)] == [200, 200]
    first.stop()
    second = up(folder)
    key.url = second.url
    assert key.ask(max_tokens=1060).status_code == 429
    assert key.ask(max_tokens=1000).status_code == 429


def test_keys_are_made_listed_and_ended_by_a_key_that_may(shop: Shop) -> None:
    admin, other = shop.key(admin=True), shop.key()
    wanted = {"name": "made", "tenant": "acme", "models": ["shop"], "limits": ["60 requests/day"], "days": 1}
    made = httpx2.post(f"{admin.url}/v1/keys", json=wanted, headers=admin.headers)
    assert made.status_code == 201
    token = made.json()["key"]
    holder = Holder(shop, "made", token)
    assert holder.ask("shop").status_code == 200
    end = time.monotonic() + PATIENCE_S
    while (limit := _limit(admin, "made"))["used"] != 1:
        assert time.monotonic() < end, limit
        time.sleep(0.05)
    assert (limit["limit"], limit["of"]) == ("60 requests/day", 60)
    assert token not in admin.get("/v1/keys").text
    assert [key["name"] for key in other.get("/v1/keys").json()["data"]] == [other.name]
    assert httpx2.delete(f"{admin.url}/v1/keys/made", headers=admin.headers).status_code == 200
    end = time.monotonic() + PATIENCE_S
    while holder.ask("shop").status_code != 401:
        assert time.monotonic() < end
        time.sleep(0.05)


def _limit(admin: Holder, name: str) -> dict[str, Any]:
    """The first limit of a key as it is listed: what is used, as far as it is stored."""
    (found,) = [key for key in admin.get("/v1/keys").json()["data"] if key["name"] == name]
    return found["limits"][0]


@pytest.mark.parametrize("limited", [(), ("5 requests/minute",)])
def test_keys_are_made_and_ended_by_no_other(shop: Shop, limited: tuple[str, ...]) -> None:
    other = shop.key(*limited)
    asking: list[Callable[[], httpx2.Response]] = [
        lambda: httpx2.post(f"{other.url}/v1/keys", json={"name": "x"}, headers=other.headers),
        lambda: httpx2.delete(f"{other.url}/v1/keys/{other.name}", headers=other.headers),
    ]
    for ask in asking:
        assert ask().status_code == 403
    assert other.ask("shop").status_code == 200


@pytest.mark.parametrize(
    "wrong",
    [{}, {"name": ""}, {"name": "a", "limits": ["lots"]}, {"name": "a", "days": -1}, {"name": "a", "secret": 1}],
)
def test_a_key_that_makes_no_sense_is_refused(shop: Shop, wrong: dict[str, object]) -> None:
    admin = shop.key(admin=True)
    assert httpx2.post(f"{admin.url}/v1/keys", json=wrong, headers=admin.headers).status_code == 400


def test_servers_that_share_redis_and_store_share_what_a_key_may_use(
    tmp_path: Path, up: Up, running_upstream: Upstream, redis_server: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REGISTA_REDIS", redis_server.url)
    monkeypatch.setenv("REGISTA_STORE", f"sqlite://{tmp_path / 'all.db'}")
    model = f'[models.default]\nmodel = "openai/good"\nbase_url = "{running_upstream.url()}"\n'
    configuration = f'[app]\nname = "shop"\n{PRICES}{model}'
    servers = [up(write(tmp_path / name, configuration)) for name in ("one", "two")]
    shop = Shop(servers[0], tmp_path / "all.db")
    know_keys(servers[1])
    key = shop.key("20 requests/month", "100000 tokens/month")
    asking = [Holder(shop, key.name, key.token, server.url) for server in servers] * 20
    with ThreadPoolExecutor(8) as pool:
        said = [pool.submit(holder.ask, max_tokens=10) for holder in asking]
    assert sorted(one.result().status_code for one in said) == [200] * 20 + [429] * 20

    # Gone: who has limits is refused, others are served; nobody hangs.
    redis_server.kill()
    other, limited = shop.key(), shop.key("5 requests/month")
    gone = limited.ask()
    assert (gone.status_code, gone.json()["error"]["code"]) == (503, "store_unavailable")
    assert "REGISTA_REDIS" in gone.json()["error"]["message"]
    assert other.ask().status_code == 200

    # Back, and it has forgotten everything: the ledger has not.
    redis_server.start()
    end = time.monotonic() + PATIENCE_S
    while (said := key.ask().status_code) == 503:
        assert time.monotonic() < end
        time.sleep(0.05)
    assert said == 429


def test_killed_in_the_middle_a_server_loses_the_calls_under_way_and_no_other(
    tmp_path: Path, up: Up, running_upstream: Upstream
) -> None:
    models = "".join(
        f'[models.{name}]\nmodel = "openai/{name}"\nbase_url = "{running_upstream.url(path)}"\n'
        for name, path in (("good", ""), ("endless", "/endless"))
    )
    folder = write(tmp_path / "shop", f'[app]\nname = "shop"\nmodel = "good"\n{PRICES}{models}')
    first = up(folder)
    shop = Shop(first)
    key = shop.key("100000 tokens/month")
    assert key.ask(max_tokens=10).status_code == 200
    shop.calls(key, 1)
    body = {"model": "openai/endless", "stream": True, "messages": [{"role": "user", "content": "hello"}]}
    with httpx2.stream("POST", f"{key.url}/v1/chat/completions", json=body, headers=key.headers) as answer:
        next(answer.iter_bytes())
        first.process.kill()
        first.process.wait(30)
    (folder / ".regista" / "server.json").unlink()
    second = up(folder)
    again = Holder(shop, key.name, key.token, second.url)
    assert [call.cost_nano for call in shop.calls(key, 1)] == [COST]
    used = again.get("/v1/keys").json()["data"][0]["limits"][0]["used"]
    assert used == INPUT + OUTPUT
    assert again.ask(max_tokens=99_999 - used).status_code == 429  # the message itself takes more than one
    assert again.ask(max_tokens=99_000).status_code == 200
