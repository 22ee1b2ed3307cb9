"""Conversations turn by turn, and questions that are asked again, on a live server."""

import re
import time
from collections.abc import Iterator
from pathlib import Path

import httpx2
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from tests.surfaces.console.conftest import JSON, Seeded, opened
from tests.surfaces.console.made import MS, Talk, talk, trace
from tests.surfaces.http.conftest import Live

from regista.app.replaying import Asked, messages
from regista.core.nouns import Evidence, Feedback, Json, Message, Span
from regista.store import connect
from regista.store.keys import add
from regista.store.replays import Said
from regista.store.traces import find
from regista.surfaces.console.differences import WORDS, Compared, Piece, compared

APPLICATION = """
[app]
name = "shop"
[guardrails]
request = ["pii"]
[models.default]
model = "echo/mirror"
received = true
[models.broken]
model = "scripted/broken"
fail = "error"
[models.plain]
model = "echo/plain"
[cache]
exact = true
"""
PATIENCE_S = 20
BOOTS = talk(
    *(30, [("Where are my boots?", "With a neighbour. [1]"), ("No, I meant the red ones.", "In Leeds."), ("Why?", "")]),
    ways=["continues", "continues"],
)
SHORT = [talk(n, [(f"Question {n}?", f"Answer {n}.")]) for n in range(40, 100)]
LATE = talk(32, [("When do you close?", "At six."), ("When do you close on Saturday?", "At four.")], ways=["rewords"])
LONG = talk(200, [(f"Step {n}?", f"Done {n}.") for n in range(1, 71)])
CALLS: Json = {"calls": [{"name": "find_order", "arguments": '{"order": 8}'}], "results": ["in Leeds"]}
TALKS = [
    BOOTS._replace(
        traces=[
            BOOTS.traces[0],
            replace(
                BOOTS.traces[1],
                spans=(*BOOTS.traces[1].spans, Span("tools", "find_order", -1, 0, MS, "", "", CALLS)),
            ),
            BOOTS.traces[2],
        ],
        found=[
            *BOOTS.found,
            Feedback(
                *("signal", "gateway", 1, BOOTS.traces[0].id),
                session=BOOTS.traces[0].id,
                name="correction",
                confidence=0.92,
                evidence=(Evidence(BOOTS.traces[1].id, "question", 0, 10, "No, I meant"),),
            ),
            Feedback("comment", "user", 2, session=BOOTS.traces[0].id, text="It took too long."),
            Feedback("signal", "gateway", 3, BOOTS.traces[1].id, session=BOOTS.traces[0].id, name="rephrased"),
        ],
    ),
    *SHORT,
    LATE,
    LONG,
]
MASKED = Span("guard request", "", -1, 0, MS, "mask", "pii: 1 email")
TRACES = [
    trace(1, question="Write to [EMAIL_1].", spans=(MASKED,)),
    trace(2, question="", spans=(replace(MASKED, decision="block"),), status="error"),
    trace(3, question=""),
    trace(4, application="", model="echo/plain"),
    trace(5, application="club", model="club"),
]


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    server = Seeded(tmp_path_factory.mktemp("talks") / "shop", TRACES, (), TALKS, APPLICATION).live
    yield server
    server.stop()


@pytest.fixture
def client(live: Live) -> Iterator[httpx2.Client]:
    with opened(live) as client:
        yield client


def told(client: httpx2.Client, path: str, **query: str | int) -> Json:
    answer = client.get(path, params=query, headers=JSON)
    assert answer.status_code == 200, answer.text
    return answer.json()


def one(client: httpx2.Client, of: Talk, turn: int | str = "") -> Json:
    return told(client, f"/console/conversations/{of.id}", turn=turn)


def again(client: httpx2.Client, trace: str, model: str = "", **more: str | int) -> Json:
    """Ask a question again, as the button does; the page that comes of it."""
    answer = client.post("/console/replays", data={"trace": trace, "model": model, **more})
    assert answer.status_code == 303, answer.text
    return told(client, answer.headers["location"])


def sent(shown: Json) -> list[tuple[str, str]]:
    """The messages that reached the model, which says them all back."""
    said = msgspec.json.decode(shown["new"]["answer"])["messages"]
    return [(one["role"], one["content"]) for one in said if one["role"] in ("user", "assistant")]


def test_the_list_says_how_each_conversation_began_went_and_ended(client: httpx2.Client) -> None:
    rows = told(client, "/console/conversations")["rows"]
    row = rows[0]
    assert (row["id"], row["turns"], row["question"]) == (BOOTS.id, 3, "Where are my boots?")
    assert row["outcome"] == {"word": "abandoned", "against": True}
    assert [mark["word"] for mark in row["marks"]] == ["correction", "comment"], "What is not sure is not shown."
    assert row["cost_nano"] == 3 * 450_000 and not row["cost_partly"]
    assert rows[1]["outcome"] == {"word": "ended", "against": False}


def test_pages_of_the_list_have_every_conversation_once(client: httpx2.Client) -> None:
    seen: list[str] = []
    after = ""
    while True:
        page = told(client, "/console/conversations", after=after)
        seen += [row["id"] for row in page["rows"]]
        if not (after := page["after"]):
            break
    assert len(seen) == len(set(seen)) and {of.id for of in TALKS} <= set(seen)


def test_conversations_are_filtered(client: httpx2.Client) -> None:
    def ids(**query: str) -> list[str]:
        return [row["id"] for row in told(client, "/console/conversations", **query)["rows"]]

    assert ids(signal="correction") == [BOOTS.id] == ids(signal="correction", application="shop")
    assert ids(trace=BOOTS.traces[2].id[:9]) == [BOOTS.id] and ids(application="nobody") == []
    assert ids(signal="positive") == [] and len(ids(range="6h")) == 50
    page = client.get("/console/conversations?signal=positive")
    assert "No conversations like that" in page.text
    for wrong in ("signal=loud", "range=ever", "after=here", "signal=length"):
        assert client.get(f"/console/conversations?{wrong}").status_code == 400


def test_a_turn_is_shown_with_what_was_found_and_done_and_spent_by_then(client: httpx2.Client) -> None:
    first = one(client, BOOTS)
    assert first["chosen"]["number"] == 1 and (first["before"], first["next"]) == (None, 2)
    found = {given["name"]: given for given in first["chosen"]["feedback"]}
    assert found["correction"]["evidence"][0]["text"] == "No, I meant" and found["correction"]["confidence"] == 0.92
    assert [given["text"] for given in first["whole"]] == ["It took too long."]
    second = one(client, BOOTS, 2)
    assert second["chosen"]["says"][0]["name"] == "correction" and second["chosen"]["of"] == 1
    assert second["chosen"]["tools"] == [
        {"name": "find_order", "arguments": '{"order": 8}', "result": "in Leeds", "duration_ns": MS}
    ]
    assert second["chosen"]["hits"][0]["document"] == "help/parcels.md"
    assert second["chosen"]["so_far_nano"] == 900_000
    assert not second["chosen"]["feedback"][0]["shown"], "What is not sure says so."
    third = one(client, BOOTS, 3)
    assert third["outcome"] == {"word": "abandoned", "against": True, "confidence": 0.9}
    assert [turn["status"] for turn in third["turns"]] == ["ok", "ok", "error"]
    assert [turn["first_token_ns"] for turn in third["turns"]] == [150 * MS, 240 * MS, 330 * MS]


def test_a_turn_that_is_not_there_is_the_nearest_one_that_is(client: httpx2.Client) -> None:
    assert [one(client, BOOTS, turn)["chosen"]["number"] for turn in ("", 0, 2, 99)] == [1, 1, 2, 3]
    assert client.get(f"/console/conversations/{BOOTS.id}?turn=last").status_code == 400
    assert client.get("/console/conversations/ffff").status_code == 404


def test_a_long_conversation_is_shown_by_fifty_turns_around_the_one_looked_at(client: httpx2.Client) -> None:
    start, end = one(client, LONG), one(client, LONG, 60)
    assert [turn["number"] for turn in start["turns"]] == list(range(1, 51)) and start["later"] == 51
    assert [turn["number"] for turn in end["turns"]] == list(range(51, 71)) and end["earlier"] == 50
    assert end["turn_count"] == 70 and end["chosen"]["so_far_nano"] == 60 * 450_000
    listed = next(row for row in told(client, "/console/conversations", trace=LONG.traces[0].id)["rows"])
    assert listed["turns"] == 70 and listed["cost_partly"], "A list adds up the last turns alone, and says so."


def test_a_trace_and_its_conversation_lead_to_each_other(client: httpx2.Client) -> None:
    shown = told(client, f"/console/traces/{BOOTS.traces[1].id}")
    assert shown["conversation"] == {"id": BOOTS.id, "turn": 2, "turns": 3}
    address = f"/console/conversations/{BOOTS.id}?turn=2"
    assert f'href="{address}#turn-2"' in client.get(f"/console/traces/{BOOTS.traces[1].id}").text
    assert f'href="/console/traces/{BOOTS.traces[1].id}"' in client.get(address).text
    assert told(client, f"/console/traces/{trace(4).id}")["conversation"] is None


def test_a_conversation_that_clients_really_had_is_told(live: Live, client: httpx2.Client) -> None:
    first = live.ask("shop", "How long are the laces of the red boots, and of the brown ones?")
    said = first.json()["choices"][0]["message"]
    asked = [{"role": "user", "content": "How long are the laces of the red boots, and of the brown ones?"}, said]
    second = live.ask("shop", messages=[*asked, {"role": "user", "content": "And of the green ones?"}])
    id = first.json()["regista"]["trace_id"]
    end = time.monotonic() + PATIENCE_S
    while (answer := client.get(f"/console/conversations/{id}", headers=JSON)).status_code == 404 or (
        answer.json()["turn_count"] < 2
    ):
        assert time.monotonic() < end, answer.text
        time.sleep(0.05)
    turns = answer.json()["turns"]
    assert [turn["question"][:7] for turn in turns] == ["How lon", "And of "]
    assert turns[1]["trace"] == second.json()["regista"]["trace_id"] and answer.json()["outcome"]["word"] == "goes on"
    shown = again(client, turns[1]["trace"])
    assert sent(shown) == [
        ("user", asked[0]["content"]),
        ("assistant", said["content"]),
        ("user", "And of the green ones?"),
    ]
    assert shown["alike"] > 0.9, "The same was asked, so the model that says it back says nearly the same."


def test_a_question_is_asked_again_and_stands_beside_what_was_answered(live: Live, client: httpx2.Client) -> None:
    shown = again(client, trace(5).id, "echo/plain")
    old, new = shown["old"], shown["new"]
    assert old["trace"]["id"] == trace(5).id and new["trace"]["question"] == old["trace"]["question"]
    assert new["trace"]["model"] == "echo/plain" and new["models"] == ["echo/plain"]
    assert "".join(piece["text"] for piece in shown["old_pieces"]) == old["answer"]
    assert "".join(piece["text"] for piece in shown["new_pieces"]) == new["answer"]
    assert 0 < shown["alike"] < 1
    page = client.get(f"/console/replays/{new['trace']['id']}").text
    assert "<ins>" in page and "<del>" in page and new["trace"]["id"] in page and "difference" in page
    listed = told(client, f"/console/traces/{trace(5).id}")["replays"]
    assert listed[0]["id"] == new["trace"]["id"]


def test_a_fork_asks_what_was_asked_with_the_turns_before_it(client: httpx2.Client) -> None:
    offered = one(client, BOOTS, 3)["again"]
    assert (offered["turns"], offered["model"], offered["problem"]) == (2, "shop", "")
    shown = again(client, offered["trace"], "shop", started=offered["started_ns"])
    assert sent(shown) == [
        *(("user", "Where are my boots?"), ("assistant", "With a neighbour. [1]")),
        *(("user", "No, I meant the red ones."), ("assistant", "In Leeds."), ("user", "Why?")),
    ]
    assert shown["turns"] == 2 and shown["conversation"] == {"id": BOOTS.id, "turn": 3}
    changed = again(client, LATE.traces[1].id)
    assert sent(changed) == [("user", "When do you close on Saturday?")], "What was reworded is not asked before it."


def test_what_is_asked_again_is_a_request_like_any_but_no_traffic(live: Live, client: httpx2.Client) -> None:
    ids = [again(client, trace(1).id)["new"]["trace"]["id"] for _ in range(2)]
    database = connect(f"sqlite://{live.folder / '.regista' / 'regista.db'}")
    made = [find(database, id) for id in ids]
    spent = database.query(
        "SELECT count(*) FROM ledger l JOIN traces t ON t.n = l.trace WHERE t.id = ?", (bytes.fromhex(ids[0]),)
    )
    turns = database.query(
        "SELECT count(*) FROM turns WHERE turn > ? AND turn < ?",
        (bytes.fromhex(ids[0]), bytes.fromhex(ids[0]) + b"\xff" * 8),
    )
    database.close()
    assert all(of.tenant == "evaluation" and of.key == "console" and of.calls for of in made)
    assert all(of.cached == "bypass" for of in made), "The second is asked, too, and not taken from the cache."
    assert spent[0][0] == 1 and turns[0][0] == 0
    asked = next(span for span in made[0].spans if span.stage == "replay")
    assert asked.name == trace(1).id and asked.attributes == {"started_ns": TRACES[0].started_ns, "turns": 0}


def test_who_asks_again_by_a_key_does_so_on_its_limits(tmp_path: Path) -> None:
    live = Seeded(tmp_path / "shop", TRACES, configuration=APPLICATION).live
    database = connect(f"sqlite://{live.folder / '.regista' / 'regista.db'}")
    token = add(database, "ann", admin=True, limits=["1 request/day"], models=["echo/*"])
    database.close()
    headers = {"authorization": f"Bearer {token}", **JSON}

    def ask(model: str) -> httpx2.Response:
        return httpx2.post(f"{live.url}/console/replays", data={"trace": trace(4).id, "model": model}, headers=headers)

    try:
        assert ask("shop").status_code == 403, "A key that may not ask for it may not ask for it again."
        done = ask("echo/plain")
        assert done.status_code == 200 and done.json()["goes_to"].startswith("/console/replays/")
        made = httpx2.get(live.url + done.json()["goes_to"], headers=headers).json()
        assert made["new"]["trace"]["key"] == "ann"
        assert ask("echo/plain").status_code == 429
    finally:
        live.stop()


def test_what_fails_when_it_is_asked_again_says_why(client: httpx2.Client) -> None:
    shown = again(client, trace(4).id, "scripted/broken")
    assert shown["new"]["trace"]["status"] == "error" and "scripted fails" in shown["new"]["trace"]["error"]
    page = client.get(f"/console/replays/{shown['new']['trace']['id']}").text
    assert "it <strong>failed</strong>" in page


def test_only_what_was_kept_can_be_asked_again(client: httpx2.Client) -> None:
    masked = told(client, f"/console/traces/{trace(1).id}")["again"]
    assert not masked["problem"] and "kept masked" in masked["notes"][0]
    assert sent(again(client, trace(1).id)) == [("user", "Write to [EMAIL_1].")]
    for of, why in ((trace(2), "A guardrail refused this question"), (trace(3), "No question is kept")):
        assert told(client, f"/console/traces/{of.id}")["again"]["problem"].startswith(why)
        page = client.get(f"/console/traces/{of.id}").text
        assert why in page and ">Replay" not in page
        played = told(client, "/console/prompts/answer/playground", trace=of.id)["said"]
        assert played["problem"].startswith(why) and (played["trace"], played["question"]) == ("", "")
        refused = client.post("/console/replays", data={"trace": of.id}, headers=JSON)
        assert refused.status_code == 400 and refused.json()["error"]["code"] == "not_replayable"


def test_where_all_that_is_kept_is_masked_the_page_says_so(tmp_path: Path) -> None:
    server = Seeded(tmp_path / "shop", [trace(1)], configuration=f'{APPLICATION}[observe]\ncapture = "masked"\n').live
    try:
        with opened(server) as client:
            notes = told(client, f"/console/traces/{trace(1).id}")["again"]["notes"]
            assert "hidden in what is kept" in notes[0]
    finally:
        server.stop()


def test_it_is_asked_of_what_answered_where_that_is_still_served(client: httpx2.Client) -> None:
    offered = {n: told(client, f"/console/traces/{trace(n).id}")["again"] for n in (1, 4, 5)}
    assert {n: one["model"] for n, one in offered.items()} == {1: "shop", 4: "echo/plain", 5: "shop"}
    assert {"shop", "echo/mirror", "scripted/broken"} <= set(offered[1]["models"])


def test_what_is_pressed_twice_is_asked_once(client: httpx2.Client) -> None:
    assert re.search(r'action="/console/replays"[^>]* data-once', client.get(f"/console/traces/{trace(1).id}").text)


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"trace": "ffff", "model": "shop"}, 404),
        ({"trace": "", "model": "shop"}, 404),
        ({"trace": trace(4).id, "model": "nothing"}, 404),
        ({"trace": trace(4).id, "started": "then"}, 400),
        ({"trace": trace(4).id, "started": "9" * 19}, 400),
    ],
)
def test_a_form_that_makes_no_sense_is_refused(client: httpx2.Client, fields: dict[str, str], status: int) -> None:
    assert client.post("/console/replays", data=fields).status_code == status


def test_a_trace_that_asks_nothing_again_is_no_replay(client: httpx2.Client) -> None:
    assert client.get(f"/console/replays/{trace(4).id}").status_code == 404


def test_what_is_asked_again_outlives_the_trace_it_was_of(live: Live, client: httpx2.Client) -> None:
    shown = again(client, SHORT[0].traces[0].id)
    database = connect(f"sqlite://{live.folder / '.regista' / 'regista.db'}")
    with database.transaction() as transaction:
        transaction.execute("DELETE FROM traces WHERE id = ?", (bytes.fromhex(SHORT[0].traces[0].id),))
    database.close()
    path = f"/console/replays/{shown['new']['trace']['id']}"
    later = told(client, path)
    assert later["old"] is None and later["new"]["answer"] == shown["new"]["answer"] and later["again"] is None
    assert "not stored any more" in client.get(path).text


@given(*[st.text(st.sampled_from("ab c\n\t.é"), max_size=60)] * 2)
def test_two_texts_are_told_apart_without_losing_a_character(old: str, new: str) -> None:
    told = compared(old, new)
    assert "".join(piece.text for piece in told.old) == old and "".join(piece.text for piece in told.new) == new
    same = [" ".join("".join(one.text for one in side if one.same).split()) for side in (told.old, told.new)]
    assert same[0] == same[1] and 0 <= told.alike <= 1
    assert (told.alike == 1) == (old.split() == new.split())


def test_texts_too_long_to_compare_are_told_apart_from_there_on() -> None:
    told = compared("word " * WORDS + "and more", "word " * WORDS)
    assert told.alike < 1 and not told.old[-1].same and told.new[-1].same


def test_texts_that_are_the_same_are_so_at_any_length_and_however_common_their_words_are() -> None:
    long = " ".join(f"w{n}" for n in range(3 * WORDS))
    assert compared(long, long) == Compared([Piece(long, same=True)], [Piece(long, same=True)], 1.0)
    assert compared(long + " a", long + " b").alike == pytest.approx(1 - 1 / (3 * WORDS + 1))
    assert compared("No. " + "ha " * 300, "Yes. " + "ha " * 300).alike == pytest.approx(300 / 301)
    assert compared("a " * WORDS + "b c", "c " * WORDS).cut and not compared("a", "b").cut


def test_messages_are_those_of_the_turns_in_turn() -> None:
    before = (Said("1", "a?", "a."), Said("2", "b?", ""))
    assert messages(Asked("3", 0, "shop", "c?", before)) == (
        *(Message("user", "a?"), Message("assistant", "a."), Message("user", "b?"), Message("user", "c?")),
    )
