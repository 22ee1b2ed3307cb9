"""Prompts: texts that were served, what changed between them, and the playground."""

import re
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest
from tests.surfaces.console.conftest import JSON, opened
from tests.surfaces.console.made import SECOND as A_SECOND
from tests.surfaces.console.made import trace
from tests.surfaces.http.conftest import PROMPT, Live, write

from regista.core.nouns import Json
from regista.prompts.file import parse
from regista.store import connect
from regista.store.prompts import keep, served
from regista.store.traces import write as store
from regista.surfaces.console.patches import MOST, lines, patch
from regista.surfaces.console.views.prompts import VARIANTS, version

FRONT = "---\ninput:\n  default: {tone: plain}\n---\n"
FIRST = FRONT + PROMPT.replace("Answer.", "Be {{tone}}.")
SECOND = FIRST.replace("Be {{tone}}.", "Be {{tone}} and brief.")
APPLICATION = """
[app]
name = "shop"
[models.default]
model = "echo/mirror"
received = true
[models.second]
model = "echo/second"
[models.scripted]
model = "scripted/short"
answers = ["One. Two."]
[models.failing]
model = "scripted/failing"
fail = "error"
retries = 0
[prices."echo/second"]
input = "1.00"
output = "2.00"
"""


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    """A server whose prompt was changed once, with two requests before and three after."""
    folder = write(tmp_path_factory.mktemp("prompts") / "shop", APPLICATION, FIRST)
    (folder / "prompts" / "spare.prompt").write_text(PROMPT)
    (folder / "variants").mkdir()
    (folder / "variants" / "other.toml").write_text('[app]\nprompt = "spare"\n')
    server = Live(folder)
    for n in range(2):
        server.ask("shop", f"before {n}")
    before = httpx2.get(f"{server.url}/healthz").json()["variant"]
    (folder / "prompts" / "answer.prompt").write_text(SECOND)
    end = time.monotonic() + 20
    while httpx2.get(f"{server.url}/healthz").json()["variant"] == before:
        assert time.monotonic() < end, server.log.read_text()
        time.sleep(0.05)
    for n in range(3):
        server.ask("shop", f"after {n}")
    yield server
    server.stop()


@pytest.fixture(scope="module")
def client(live: Live) -> Iterator[httpx2.Client]:
    with opened(live) as client:
        while len(client.get("/console/traces", headers=JSON).json()["rows"]) < 5:
            time.sleep(0.05)
        yield client


def told(client: httpx2.Client, path: str, **query: str) -> Json:
    answer = client.get(path, params=query, headers=JSON)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_prompts_are_listed_with_what_they_name_and_who_answers_with_them(client: httpx2.Client) -> None:
    prompts = {one["name"]: one for one in told(client, "/console/prompts")["prompts"]}
    answer, spare = prompts["answer"], prompts["spare"]
    assert (answer["used"], spare["used"]) == (["base"], ["other"])
    assert (answer["texts"], spare["texts"]) == (2, 1) and answer["file"]["is_served"]
    assert answer["file"]["digest"] == parse("answer", SECOND).prompt.digest
    assert answer["file"]["variables"] == ["canary", "question", "tone"] and answer["file"]["own"] == ["tone"]


def test_every_text_that_was_served_is_there_with_its_traffic(client: httpx2.Client) -> None:
    page = told(client, "/console/prompts/answer")
    digests = [parse("answer", text).prompt.digest for text in (SECOND, FIRST)]
    assert [one["digest"] for one in page["versions"]] == digests
    (after,), (before,) = [one["variants"] for one in page["versions"]]
    assert (after["did"]["count"], before["did"]["count"], before["called"]) == (3, 2, "base")
    assert before["failed_low"] == 0 < before["failed_high"] < 1
    (spare,) = told(client, "/console/prompts/spare")["versions"]
    assert [one["answers"] for one in spare["variants"]] == [False, False]
    assert client.get("/console/prompts/spare").text.count("answers with another prompt") == 2


def test_what_evaluations_asked_is_no_traffic_of_a_prompt(live: Live, client: httpx2.Client) -> None:
    (before,) = told(client, "/console/prompts/answer")["versions"][0]["variants"]
    database = connect(f"sqlite://{live.folder / '.regista' / 'regista.db'}")
    with database.transaction() as transaction:
        slow = {"variant": before["variant"], "duration_ns": 3600 * A_SECOND, "tenant": "evaluation"}
        store(transaction, [trace(n, status="error", ago_s=1800, **slow) for n in range(5)])
    database.close()
    page = told(client, "/console/prompts/answer")
    assert page["versions"][0]["variants"] == [before], "neither counts nor times of evaluations are among them"
    assert "evaluations left out" in client.get("/console/prompts/answer").text


def test_what_changed_is_said_by_signs_and_in_words(client: httpx2.Client) -> None:
    page = told(client, "/console/prompts/answer")
    assert [one for one in page["diff"] if one[0] in "+-"] == [
        ["-", "Be {{tone}}. [{{canary}}]"],
        ["+", "Be {{tone}} and brief. [{{canary}}]"],
    ]
    shown = client.get("/console/prompts/answer").text
    assert "<del>Be {{tone}}. [{{canary}}]</del>" in shown and "taken away" in shown
    turned = told(client, "/console/prompts/answer", old=page["new"][:10], new=page["old"][:10])["diff"]
    assert ["+", "Be {{tone}}. [{{canary}}]"] in turned
    assert told(client, "/console/prompts/answer", old=page["new"], new=page["new"])["diff"] == []


@pytest.mark.parametrize(
    ("path", "status", "words"),
    [
        ("/console/prompts/answr", 404, "Did you mean 'answer'"),
        ("/console/prompts/answr/playground", 404, "Did you mean 'answer'"),
        ("/console/prompts/answer?old=zz", 400, "beginning of a digest"),
        ("/console/prompts/answer?range=1y", 400, "give"),
        ("/console/prompts/answer/playground?trace=ffffffff", 404, "No trace"),
    ],
)
def test_what_is_not_there_is_told(client: httpx2.Client, path: str, status: int, words: str) -> None:
    answer = client.get(path, headers=JSON)
    assert answer.status_code == status and words in answer.json()["error"]["message"]


def ask(client: httpx2.Client, fields: dict[str, str], status: int = 200) -> Json:
    form = {"question": "Where?", "samples": "1", "text0": SECOND, "model0": "echo/mirror"} | fields
    answer = client.post("/console/prompts/answer/playground", data=form, headers=JSON)
    assert answer.status_code == status, answer.text
    return answer.json()


def test_the_playground_begins_with_the_file_and_the_newest_question(client: httpx2.Client) -> None:
    page = told(client, "/console/prompts/answer/playground")
    assert [(one["model"], one["text"]) for one in page["columns"]] == [
        ("echo/mirror", SECOND),
        ("", SECOND),
        ("", SECOND),
    ]
    assert page["said"]["question"].startswith(("after", "Where")) and page["said"]["own"] == {"tone": "plain"}
    rows = told(client, "/console/traces")["rows"]
    oldest = next(row for row in rows if row["question"] == "before 0")
    assert told(client, "/console/prompts/answer/playground", trace=oldest["id"])["said"]["question"] == "before 0"


def test_models_and_texts_are_asked_side_by_side_and_cost_what_they_cost(client: httpx2.Client) -> None:
    edited = SECOND.replace("and brief", "and loud").replace("\n", "\r\n")
    page = ask(
        client,
        {
            **{"text1": edited, "model1": "echo/second", "text2": FIRST, "model2": "scripted/short"},
            **{"variable.tone": "cheerful", "samples": "2"},
        },
    )
    first, second, third = page["columns"]
    assert [len(one["answers"]) for one in page["columns"]] == [2, 2, 2]
    assert "Be cheerful and brief." in first["answers"][0]["text"], "The model is sent the prompt, with its variables."
    assert second["answers"][1]["text"] == "Where?" and second["answers"][0]["cost_nano"] > 0
    assert third["answers"][0]["text"] == "One. Two." and all(not one["error"] for one in third["answers"])
    assert first["patch"] == "" and "+Be {{tone}} and loud." in second["patch"]


def test_what_the_playground_asks_is_traced_and_is_no_traffic(client: httpx2.Client) -> None:
    (answer,) = ask(client, {"model0": "echo/second"})["columns"][0]["answers"]
    end = time.monotonic() + 10
    while (found := client.get(f"/console/traces/{answer['trace']}", headers=JSON)).status_code == 404:
        assert time.monotonic() < end
        time.sleep(0.05)
    page = found.json()
    assert (page["trace"]["tenant"], page["trace"]["application"]) == ("evaluation", "")
    assert [span["stage"] for span in page["spans"]][:2] == ["authenticate", "playground"]
    assert page["calls"][0]["cost_nano"] == answer["cost_nano"]
    (after,) = told(client, "/console/prompts/answer")["versions"][0]["variants"]
    assert after["did"]["count"] == 3


def test_the_conversation_and_passages_are_filled_in(client: httpx2.Client) -> None:
    text = PROMPT.replace("Answer.", "{{#each hits}}[{{this.number}}] {{this.text}}{{/each}}")
    page = ask(
        client,
        {
            "text0": text,
            "history": '[{"role": "user", "content": "Hello"}, {"role": "assistant", "content": "Hi"}]',
            "hits": '[{"document": "help.md", "text": "Parcels come at noon."}]',
        },
    )
    said = page["columns"][0]["answers"][0]["text"]
    assert "[1] Parcels come at noon." in said and said.index("Hello") < said.index("Hi") < said.index("Where?")


@pytest.mark.parametrize(
    ("fields", "line", "words"),
    [
        ({"text0": FRONT + "{{question}}\n{{qestion}}\n"}, 6, "There is no variable 'qestion'"),
        ({"text0": FRONT + "{{#if question}}\n"}, 5, "never closed"),
        ({"text0": "---\nmodl: x\n---\n{{question}}"}, 2, "no key 'modl'"),
        ({"history": "[1]"}, 0, "history is no list"),
        ({"hits": '[{"text": "x"}]'}, 0, "needs document and text"),
        ({"text0": "---\ninput:\n  schema: {name: string}\n---\n{{name}} {{question}}"}, 0, "needs a value for name"),
    ],
)
def test_a_mistake_is_told_where_it_is(client: httpx2.Client, fields: dict[str, str], line: int, words: str) -> None:
    page = ask(client, fields)
    (problem,) = page["columns"][0]["problems"]
    assert problem["line"] == line and words in problem["message"] and page["columns"][0]["answers"] == []
    assert problem["source"] == (fields["text0"].split("\n")[line - 1] if line else "")
    form = {"question": "Where?", "samples": "1", "text0": SECOND, "model0": "echo/mirror"} | fields
    shown = client.post("/console/prompts/answer/playground", data=form).text
    assert 'role="alert"' in shown and (f"Line {line}." in shown if line else True)


@pytest.mark.parametrize(
    ("fields", "status", "words"),
    [
        ({"model0": ""}, 400, "Choose a model"),
        ({"model0": "openai/gpt"}, 404, "none of the application's models"),
        ({"samples": "6"}, 400, "from 1 to 5"),
        ({"samples": "x"}, 400, "from 1 to 5"),
    ],
)
def test_what_cannot_be_asked_is_told(client: httpx2.Client, fields: dict[str, str], status: int, words: str) -> None:
    assert words in ask(client, fields, status)["error"]["message"]


def test_what_goes_wrong_with_one_answer_leaves_the_others(client: httpx2.Client) -> None:
    page = ask(client, {"model0": "scripted/failing", "text1": FIRST, "model1": "scripted/short"})
    failed, answered = (one["answers"][0] for one in page["columns"][:2])
    assert "scripted fails" in failed["error"] and failed["trace"]
    assert (answered["text"], answered["error"]) == ("One. Two.", "")


def test_variables_are_filled_in_as_what_they_are(client: httpx2.Client) -> None:
    front = '---\ninput:\n  schema: {"n?": integer}\n  default: {tags: [a, b], n: 1}\n---\n'
    text = front + PROMPT.replace("Answer.", "{{#each tags}}<{{this}}>{{/each}} {{n}}.")
    for own, said in (({}, "<a><b> 1."), ({"variable.tags": '["x"]', "variable.n": "3"}, "<x> 3.")):
        (answer,) = ask(client, {"text0": text, **own})["columns"][0]["answers"]
        assert said in answer["text"]
    for name, written in (("tags", "[x"), ("tags", "3"), ("n", "many")):
        (problem,) = ask(client, {"text0": text, f"variable.{name}": written})["columns"][0]["problems"]
        assert problem["message"].startswith(f"{name} is not what the prompt takes")
    (answer,) = ask(client, {"text0": text, "variable.question": "Instead"})["columns"][0]["answers"]
    assert "Where?" in answer["text"] and "Instead" not in answer["text"]


def test_what_is_asked_of_a_trace_is_found_by_it_when_that_is_erased(client: httpx2.Client) -> None:
    of = told(client, "/console/prompts/answer/playground")["said"]["trace"]
    assert f'name="trace" value="{of}"' in client.get("/console/prompts/answer/playground").text
    page = ask(client, {"trace": of})
    assert page["said"]["trace"] == of
    made = page["columns"][0]["answers"][0]["trace"]
    end = time.monotonic() + 10
    while (found := client.get(f"/console/traces/{made}", headers=JSON)).status_code == 404:
        assert time.monotonic() < end
        time.sleep(0.05)
    assert ("playground", of) in [(span["stage"], span["name"]) for span in found.json()["spans"]]
    assert ask(client, {"trace": "<b>"})["said"]["trace"] == ""


@pytest.mark.parametrize(
    ("old", "new"),
    [
        *((FIRST, new) for new in (SECOND, FIRST.rstrip("\n"), "", "x\n" + FIRST)),
        ("One.\u2028Two.\x0cThree.\nFour.\n", "One.\u2028Two.\x0cThree.\nFive.\n"),
    ],
)
def test_a_patch_is_one_that_git_applies(tmp_path: Path, old: str, new: str) -> None:
    (tmp_path / "prompts").mkdir()
    file = tmp_path / "prompts" / "answer.prompt"
    file.write_text(old)
    made = patch(old, new, "prompts/answer.prompt")
    subprocess.run(["git", "apply", "-"], input=made, text=True, cwd=tmp_path, check=True)
    assert file.read_text() == new


def test_of_a_text_that_is_too_long_there_is_no_patch_rather_than_half_a_one() -> None:
    long = "".join(f"{n}\n" for n in range(MOST))
    assert patch(long, "new\n" + long, "x") == "" and patch(long, long.replace("7\n", "8\n", 1), "x")


def test_a_text_lists_its_newest_variants_and_says_how_many_more_had_it(tmp_path: Path) -> None:
    database = connect(f"sqlite://{tmp_path / 'regista.db'}")
    for n in range(VARIANTS + 3):
        keep(database, "shop", (f"{n:064}", "base"), {"answer": ("d" * 64, "text")}, "answer", n)
    (found,) = [version("d" * 64, served(database, "shop", "answer"), {})]
    database.close()
    assert (len(found["variants"]), found["left_out"], found["first_ns"]) == (VARIANTS, 3, 0)
    assert found["variants"][0]["first_ns"] == VARIANTS + 2


def test_a_diff_has_every_line_of_both_near_a_change() -> None:
    found = lines("a\nb\nc", "a\nx\nc")
    assert [tuple(one) for one in found[1:]] == [(" ", "a"), ("-", "b"), ("+", "x"), (" ", "c")]
    assert lines("a", "a") == [] and re.match(r"@ -1,3", "@" + found[0].text[1:])
