"""The review queue as people use it: pages, keys, two at once, and what others wrote."""

import asyncio
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx2
import pytest
from tests.surfaces.console.conftest import APPLICATION, JSON, address, barriers, opened, seed
from tests.surfaces.console.made import trace
from tests.surfaces.console.payloads import PAYLOADS, ran
from tests.surfaces.console.test_stored_xss import MADE
from tests.surfaces.http.conftest import Live, write

from regista.app.reviews.drawing import send
from regista.core.nouns import Citation, Json
from regista.data import dataset
from regista.store import connect, feedback
from regista.store.keys import add
from regista.store.review import Place

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

ONE = """question = "Would you send it?"
title = "Sending"
annotators = 1
blind_repeats = 0.0
[[grades]]
name = "no"
anchor = "It is not so."
example = "Keep it, nobody asks."
[[grades]]
name = "yes"
anchor = "As it is."
"""
WHICH = 'question = "Which?"\ntitle = "Two answers"\npairwise = true\nannotators = 1\nblind_repeats = 0.0\n'
THINGS = ("parcel", "voucher", "refund", "kettle", "door", "garden", "ship", "teacup", "lamp", "chair", "table", "hat")
TRACES = [
    trace(
        n,
        question=f"Where is the {THINGS[n % 12]}?",
        answer=f"It is in room {n}.",
        variant="aaaa1111" if n < 12 else "bbbb2222",
    )
    for n in range(24)
]


def folder(at: Path, **queues: str) -> Path:
    made = write(at / "shop", APPLICATION)
    (made / "reviews").mkdir(exist_ok=True)
    for name, text in queues.items():
        (made / "reviews" / f"{name}.toml").write_text(text)
    return made


@pytest.fixture
def live(tmp_path: Path) -> Iterator[Live]:
    made = folder(tmp_path, one=ONE, which=WHICH)
    seed(made, TRACES)
    server = Live(made)
    yield server
    server.stop()


def told(client: httpx2.Client, path: str, **query: str) -> Json:
    answer = client.get(path, params=query, headers=JSON)
    assert answer.status_code == 200, answer.text
    return answer.json()


def votes(live: Live) -> list[Any]:
    database = connect(f"sqlite://{live.folder / '.regista' / 'regista.db'}")
    found = [one.feedback for one in feedback.recent(database, source="reviewer", limit=1000)]
    database.close()
    return found


# As pages and as JSON


def test_the_queues_are_listed_with_what_is_left_for_whom(live: Live) -> None:
    with opened(live) as client:
        assert [one["name"] for one in told(client, "/console/review")["queues"]] == ["answers", "one", "which"]
        assert "Your name" in client.get("/console/review").text
        client.get("/console/review/one", params={"by": "ann"})
        (one,) = [one for one in told(client, "/console/review", by="ben")["queues"] if one["name"] == "one"]
        assert (one["left"], one["mine"], one["sum"][0]) == (23, 0, 24)
        page = client.get("/console/review", params={"by": "ben"}).text
        assert "/console/review/one?by=ben" in page and "Judging as <strong>ben</strong>" in page


def test_an_item_has_its_question_its_rubric_and_why_it_was_picked(live: Live) -> None:
    with opened(live) as client:
        page = told(client, "/console/review/one", by="ann")
        assert page["asked"]["question"].startswith("Where is the") and len(page["asked"]["answers"]) == 1
        assert [one["key"] for one in page["choices"]] == ["1", "2"] and page["scale"][0]["example"].startswith("Keep")
        assert {one["name"]: one["value"] for one in page["why"]}["uncertainty"] == 1
        shown = client.get("/console/review/one", params={"by": "ann"}).text
        for words in ("Would you send it?", "It is not so.", "Keep it, nobody asks.", "Why this one", "a new topic"):
            assert words.casefold() in shown.casefold()
        assert "again" not in json.dumps(page["asked"]), "A blind repeat is blind."
        nobody = client.get("/console/review/one").text
        assert "Your name" in nobody and "Where is the" not in nobody
        assert client.get("/console/review/none", params={"by": "ann"}).status_code == 404


def test_a_vote_leads_to_the_next_item_at_once(live: Live) -> None:
    with opened(live) as client:
        first = told(client, "/console/review/one", by="ann")["asked"]
        form = {"by": "ann", "item": first["id"], "do": "vote", "choice": "2"}
        answer = client.post("/console/review/one", data=form)
        assert (answer.status_code, answer.headers["location"]) == (303, "/console/review/one?by=ann")
        page = told(client, "/console/review/one", by="ann")
        assert page["asked"]["id"] != first["id"] and (page["mine"], page["left"]) == (1, 23)
        wrong = client.post("/console/review/one", data=form | {"choice": "7"})
        assert wrong.status_code == 400 and "1, 2" in wrong.text
        assert client.post("/console/review/one", data=form | {"by": ""}).status_code == 400
        assert client.post("/console/review/one", data=form | {"do": "explode"}).status_code == 400
        late = client.post("/console/review/one", data=form | {"by": "ben"})
        assert late.status_code == 303 and "late=" in late.headers["location"]
        assert "You were not asked this" in client.get(late.headers["location"]).text


def test_who_has_a_key_votes_under_its_name(tmp_path: Path) -> None:
    made = folder(tmp_path, one=ONE)
    seed(made, TRACES)
    database = connect(f"sqlite://{made / '.regista' / 'regista.db'}")
    token = add(database, "ada", admin=True)
    database.close()
    server = Live(made)
    try:
        bearer = {"authorization": f"Bearer {token}"}
        page = httpx2.get(f"{server.url}/console/review/one", params={"by": "eve"}, headers=bearer | JSON).json()
        form = {"by": "eve", "item": page["asked"]["id"], "do": "vote", "choice": "1"}
        assert page["by"] == "ada"
        answer = httpx2.post(f"{server.url}/console/review/one", data=form, headers=bearer)
        assert (answer.status_code, answer.headers["location"]) == (303, "/console/review/one")
        assert [one.by for one in votes(server)] == ["ada"]
    finally:
        server.stop()


def test_a_trace_is_sent_to_review_from_its_page(live: Live) -> None:
    with opened(live) as client:
        id = TRACES[20].id
        assert 'data-key="r"' in client.get(f"/console/traces/{id}").text
        answer = client.post(f"/console/traces/{id}/review", data={"queue": "one"})
        assert (answer.status_code, answer.headers["location"]) == (303, f"/console/traces/{id}")
        assert "In review: one" in client.get(f"/console/traces/{id}").text
        asked = told(client, "/console/review/one", by="ann")["asked"]
        assert asked["question"] == TRACES[20].question and asked["sent_by"] == "the console"
        assert client.post(f"/console/traces/{id}/review", data={"queue": "which"}).status_code == 400
        assert client.post("/console/traces/xyz/review").status_code == 400
        assert client.post(f"/console/traces/{'f' * 32}/review").status_code == 404


def test_who_sent_a_trace_is_named_as_they_are_called(live: Live) -> None:
    database = connect(f"sqlite://{live.folder / '.regista' / 'regista.db'}")
    asyncio.run(send(database, Place("shop", "one"), TRACES[20].id, "Ada Berg", None))
    database.close()
    with opened(live) as client:
        assert "<p>Sent by Ada Berg.</p>" in client.get("/console/review/one", params={"by": "ann"}).text


def test_a_broken_queue_is_told_where_it_is_and_breaks_no_other_page(live: Live) -> None:
    (live.folder / "reviews" / "odd.toml").write_text('question = "?"\nannotaters = 2\n')
    with opened(live) as client:
        answer = client.get("/console/review", headers=JSON)
        assert answer.status_code == 500 and "reviews/odd.toml:2" in answer.json()["error"]["message"]
        assert client.get(f"/console/traces/{TRACES[1].id}").status_code == 200


def test_where_nothing_was_answered_a_page_says_what_fills_it(tmp_path: Path) -> None:
    server = Live(folder(tmp_path, which=WHICH))
    try:
        with opened(server) as client:
            for name in ("answers", "which"):
                page = client.get(f"/console/review/{name}", params={"by": "ann"}).text
                assert "Nothing to judge yet" in page and "<code>regista ask shop &#39;a question&#39;</code>" in page
    finally:
        server.stop()


# In a browser


def press(page: "Page", key: str) -> None:
    with page.expect_navigation():
        page.keyboard.press(key)


def question(page: "Page") -> str:
    return page.locator("pre.text").first.inner_text()


def test_ten_items_are_labelled_by_keyboard_alone(visit: "Callable[[Live], Page]", live: Live) -> None:
    page = visit(live)
    page.goto(f"{live.url}/console/review")
    page.keyboard.press("/")
    page.keyboard.type("ann")
    press(page, "Enter")
    assert page.url.endswith("/console/review?by=ann")
    page.keyboard.press("j")
    page.keyboard.press("j")
    press(page, "Enter")
    page.get_by_role("heading", name="Would you send it?").wait_for()
    seen: list[str] = []
    for n in range(10):
        seen.append(question(page))
        press(page, "12"[n % 2])
    assert len(set(seen)) >= 9
    page.get_by_text("10 of 10 votes").wait_for()
    assert sorted(one.value for one in votes(live)) == [1.0] * 5 + [2.0] * 5
    last = question(page)
    press(page, "z")
    assert question(page) == seen[-1] and len(votes(live)) == 9
    press(page, "s")
    assert question(page) == last or question(page) not in seen[-1:]
    press(page, "e")
    page.locator("#gold").fill("It is in the cellar.")
    with page.expect_navigation():
        page.get_by_role("button", name="Keep as gold").click()
    page.get_by_text("Kept as gold in the dataset gold").wait_for()
    (example,) = dataset.read(live.folder, dataset.find(live.folder, "gold"))
    assert (example.input, example.reference) == (question(page), "It is in the cellar.")
    press(page, "u")
    page.get_by_role("heading", name="Review", exact=True).wait_for()


def test_two_reviewers_in_two_browsers_do_not_collide(visit: "Callable[[Live], Page]", live: Live) -> None:
    ann, ben = visit(live), visit(live)
    for page, name in ((ann, "ann"), (ben, "ben")):
        page.goto(f"{live.url}/console/review/one?by={name}")
    judged: list[str] = []
    for n in range(12):
        assert (
            question(ann) + ann.locator("pre.text").nth(1).inner_text()
            != question(ben) + ben.locator("pre.text").nth(1).inner_text()
        )
        for page in (ann, ben):
            judged.append(page.locator("pre.text").nth(1).inner_text())
            press(page, "12"[n % 2])
    assert len(set(judged)) == 24 and len(votes(live)) == 24
    for page in (ann, ben):
        page.get_by_role("heading", name="Nothing left for you").wait_for()
    press(ann, "z")
    assert ann.locator("pre.text").nth(1).inner_text() in judged


def test_two_answers_are_voted_on_with_arrows(visit: "Callable[[Live], Page]", live: Live) -> None:
    page = visit(live)
    page.goto(f"{live.url}/console/review/which?by=ann")
    for key, side in (("ArrowLeft", "a"), ("ArrowRight", "b"), ("ArrowDown", "")):
        shown = [page.locator("pre.text").nth(n).inner_text() for n in (1, 2)]
        press(page, key)
        last = votes(live)[0]
        rooms = {one.id: one.answer for one in TRACES}
        assert last.side == side and (not side or rooms[last.trace] == shown["ab".index(side)])
    assert "side A won" in page.locator(".health").inner_text()
    scrolled = page.locator("pre.text").nth(1)
    scrolled.focus()
    page.keyboard.press("ArrowDown")
    page.wait_for_timeout(200)
    assert len(votes(live)) == 3, "In what is scrolled an arrow scrolls."


def test_a_key_that_is_pressed_twice_votes_once(visit: "Callable[[Live], Page]", live: Live) -> None:
    page = visit(live)
    page.goto(f"{live.url}/console/review/one?by=ann")
    with page.expect_navigation():
        page.evaluate("""() => { for (const key of "1222")
          document.body.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true })) }""")
    page.get_by_text("1 of 1 votes").wait_for()
    assert [one.value for one in votes(live)] == [1.0]


def test_it_works_without_scripts(browser: "Browser", live: Live) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(address(live))
    page.goto(f"{live.url}/console/review/one?by=ann")
    first = page.locator("pre.text").nth(1).inner_text()
    page.get_by_role("button", name="2 yes").click()
    assert page.locator("pre.text").nth(1).inner_text() != first and len(votes(live)) == 1
    page.get_by_role("link", name="Edit to gold").click()
    page.locator("#gold").fill("So.\nAnd so.")
    page.get_by_role("button", name="Keep as gold").click()
    assert votes(live)[0].text == "So.\nAnd so."
    context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_page_of_it_has_a_serious_barrier_or_is_scrolled_sideways(
    browser: "Browser", live: Live, scheme: Any
) -> None:
    context = browser.new_context(color_scheme=scheme, viewport={"width": 1440, "height": 900}, bypass_csp=True)
    page = context.new_page()
    page.goto(address(live))
    paths = ["/console/review", "/console/review?by=ann", "/console/review/one", "/console/review/one?by=ann"]
    for path in [*paths, "/console/review/one?by=ann&edit=1", "/console/review/which?by=ann"]:
        page.set_viewport_size({"width": 1440, "height": 900})
        page.goto(live.url + path)
        assert barriers(page) == [], path
        page.set_viewport_size({"width": 390, "height": 844})
        page.goto(live.url + path)
        assert page.evaluate("document.documentElement.scrollWidth") <= 390, path
    context.close()


# What others wrote


def test_what_is_judged_runs_nothing(visit: "Callable[[Live], Page]", tmp_path: Path) -> None:
    texts = [text for text in PAYLOADS if "\x00" not in text and "\x1b" not in text]
    line = json.dumps(texts[0])
    queue = ONE.replace('"Would you send it?"', line).replace('"Sending"', line).replace('"It is not so."', line)
    made = folder(tmp_path, one=queue.replace('"Keep it, nobody asks."', json.dumps(texts[2])))
    seed(
        made,
        [
            trace(n, question=f"{text} {n}", answer=text, error=text, citations=(Citation(text, 0, 1, text, 1),))
            for n, text in enumerate(PAYLOADS, 1)
        ],
    )
    server = Live(made)
    try:
        page = visit(server)
        for by in (texts[0], texts[8], texts[24]):
            page.goto(f"{server.url}/console/review?by={httpx2.QueryParams({'by': by})['by']}")
            assert ran(page) == []
        page.goto(f"{server.url}/console/review/one?by=ann&kept={texts[8]}&late={texts[8]}")
        shown = 0
        while page.locator(".votes").count():
            assert ran(page) == [] and page.locator(f"main :is({MADE})").count() == 0
            assert re.match(rf"{re.escape(server.url)}/console/review/one", page.url)
            shown += 1
            press(page, "2")
        assert shown == len(PAYLOADS) and len(votes(server)) == len(PAYLOADS)
        page.goto(f"{server.url}/console/review/answers?by=ann&edit=1")
        assert ran(page) == [] and page.locator(f"main :is({MADE})").count() == 0
    finally:
        server.stop()
