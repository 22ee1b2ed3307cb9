"""Signals that the gateway finds by itself: conversations of the official client, and what they are taken to mean."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import httpx2
from openai.types.chat import ChatCompletionMessageParam
from tests._upstream.server import Upstream
from tests.surfaces.http.conftest import Live, Start, sdk

PATIENCE_S = 20
QUICK = "[feedback]\nover_after_s = 1\n"


def application(upstream: Upstream, more: str = "") -> str:
    upstream.pause = 0.0
    return (
        f'[app]\nname = "shop"\n{more}[models.default]\nmodel = "openai/slow"\nbase_url = "{upstream.url("/slow")}"\n'
    )


class Talk:
    """One person's conversation, through the official client, which sends all of it again with every question."""

    def __init__(self, live: Live, upstream: Upstream, model: str = "shop", user: str = "ann") -> None:
        self.said: list[ChatCompletionMessageParam] = []
        self._client = sdk(live)
        self._upstream = upstream
        self._model, self._user = model, user

    def ask(self, question: str, answer: str) -> str:
        """The answer's trace. What is said goes into the history."""
        self.said.append({"role": "user", "content": question})
        trace = self.again(answer)
        self.said.append({"role": "assistant", "content": answer})
        return trace

    def again(self, answer: str) -> str:
        """The same history sent as it is."""
        self._upstream.answer = answer
        made = self._client.chat.completions.create(model=self._model, messages=self.said, user=self._user)
        assert made.choices[0].message.content == answer
        return str((made.model_extra or {})["regista"]["trace_id"])

    def stop(self, question: str, answer: str, after: int = 3) -> None:
        """Ask, and leave after some pieces."""
        self._upstream.answer, self._upstream.pause = answer, 0.1
        stream = self._client.chat.completions.create(
            model=self._model,
            messages=[*self.said, {"role": "user", "content": question}],
            stream=True,
            user=self._user,
        )
        for _ in range(after):
            next(stream)
        stream.close()
        self._upstream.pause = 0.0


def found(live: Live, *names: str, signals: str = "shown") -> list[dict[str, Any]]:
    """The signals a server has, once those of these names are among them; the newest first."""
    end = time.monotonic() + PATIENCE_S
    while True:
        url = f"{live.url}/v1/feedback"
        rows = httpx2.get(url, params={"source": "gateway", "signals": signals}).json()["data"]
        if set(names) <= {row["name"] for row in rows}:
            return rows
        assert time.monotonic() < end, (names, rows, live.log.read_text())
        time.sleep(0.05)


def figure(live: Live, name: str) -> float:
    """What the server counts under a name."""
    lines = httpx2.get(f"{live.url}/metrics").text.splitlines()
    return next(float(line.rpartition(" ")[2]) for line in lines if line.startswith(f"regista_feedback_{name} "))


def followed(live: Live, count: int) -> None:
    """Wait until so many requests were looked at."""
    end = time.monotonic() + PATIENCE_S
    while (done := figure(live, "turns_total")) < count:
        assert time.monotonic() < end, done
        time.sleep(0.05)


def shown(live: Live, *arguments: str) -> str:
    """What `regista feedback` prints."""
    done = subprocess.run(
        [sys.executable, "-m", "regista", "feedback", str(live.folder), *arguments],
        env={**os.environ, "COLUMNS": "120"},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout


def words(row: dict[str, Any]) -> Sequence[str]:
    return [one["text"] for one in row["evidence"]]


def test_what_a_user_does_is_feedback_without_a_line_of_client_code(start: Start, upstream: Upstream) -> None:
    live = start(application(upstream))
    talk = Talk(live, upstream)
    first = talk.ask("When do the under-15s train?", "The under-15s train on Mondays at five.")
    talk.ask("No, I meant the under-13s", "The under-13s train on Tuesdays at four.")
    place = talk.ask("Where is that?", "On the small pitch behind the stand.")
    del talk.said[-1]
    talk.again("On pitch 3, behind the stand.")
    talk.said.append({"role": "assistant", "content": "On pitch 3, behind the stand."})
    talk.stop("Tell me all about the club's history", "The club was founded in 1921 by four brothers. " * 20)
    rows = {row["name"]: row for row in found(live, "correction", "regenerated", "stopped_early")}
    assert rows["correction"]["trace"] == first and rows["correction"]["session"] == first
    assert any("I meant" in text for text in words(rows["correction"]))
    assert rows["regenerated"]["trace"] == place
    assert words(rows["regenerated"]) == ["Where is that?"]
    assert "The club was founded" in words(rows["stopped_early"])[0]
    assert all(0 < row["confidence"] <= 1 and row["kind"] == "signal" for row in rows.values())


def test_they_are_listed_with_the_question_and_the_words_that_tell(start: Start, upstream: Upstream) -> None:
    live = start(application(upstream))
    talk = Talk(live, upstream)
    first = talk.ask("When do the under-15s train?", "The under-15s train on Mondays at five.")
    talk.ask("No, I meant the under-13s", "The under-13s train on Tuesdays at four.")
    del talk.said[-2:]
    talk.ask("No, I mean the under-13s of the girls", "They train at four.")
    found(live, "correction", "rephrased", signals="all")
    listed = shown(live)
    assert "correction" in listed and "When do the under-15s train?" in listed
    assert "question: »No, I meant« the under-13s" in listed
    assert "rephrased" not in listed and "rephrased" in shown(live, "--signals", "all")
    assert "correction" in shown(live, "--by", "signal") and "signals" in shown(live, "--by", "hour")
    (row,) = json.loads(shown(live, "--json"))
    assert (row["trace"], row["name"], row["question"]) == (first, "correction", "When do the under-15s train?")
    command = [sys.executable, "-m", "regista", "trace", first, str(live.folder)]
    page = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert "Feedback" in page and "correction" in page and "»No, I meant«" in page


def test_a_friendly_conversation_gives_no_complaint(start: Start, upstream: Upstream) -> None:
    live = start(application(upstream))
    talk = Talk(live, upstream)
    talk.ask("When do the under-13s train?", "The under-13s train on Tuesdays at four.")
    talk.ask("Great. And where do they meet?", "On pitch 3, behind the stand.")
    talk.ask("What should a goalkeeper bring?", "Gloves, shin guards and something to drink.")
    talk.ask("No problem, I'll ask the coach for gloves", "He has some to lend.")
    followed(live, 4)
    assert [row["name"] for row in found(live) if row["name"] != "positive"] == []
    assert figure(live, "turns_dropped_total") == 0


def test_a_conversation_nobody_went_on_with_is_over(start: Start, upstream: Upstream) -> None:
    live = start(application(upstream) + QUICK)
    talk = Talk(live, upstream)
    talk.ask("When do the under-13s train?", "The under-13s train on Tuesdays at four.")
    last = talk.ask("And where?", "There are two pitches. Which team do you mean?")
    rows = {row["name"]: row for row in found(live, "abandoned", "length", signals="all")}
    assert rows["abandoned"]["trace"] == last and words(rows["abandoned"]) == ["Which team do you mean?"]
    assert (rows["length"]["value"], rows["length"]["trace"]) == (2.0, "")
    talk.ask("The under-13s", "On pitch 3.")
    end = time.monotonic() + PATIENCE_S
    while [r["value"] for r in found(live, signals="all") if r["name"] == "length"] != [3.0]:
        assert time.monotonic() < end
        time.sleep(0.05)
    assert "abandoned" not in {row["name"] for row in found(live, signals="all")}, "it went on after all"


def test_two_people_who_ask_the_same_first_question_want_no_other_answer(start: Start, upstream: Upstream) -> None:
    live = start(application(upstream))
    for user in ("ann", "bob", ""):
        Talk(live, upstream, user=user).ask("When does the office open?", "At nine.")
    Talk(live, upstream, user="").ask("When does the office open?", "At nine.")
    followed(live, 4)
    assert found(live, signals="all") == []
    ann = Talk(live, upstream, user="ann").ask("When does the office open?", "At nine o'clock.")
    (row,) = found(live, "regenerated")
    assert row["trace"] != ann and row["confidence"] < 0.9, "it may have been a program"


def test_models_asked_by_their_own_names_are_looked_at_only_where_that_is_asked_for(
    start: Start, upstream: Upstream
) -> None:
    live = start(application(upstream))
    everything = start(application(upstream) + '[feedback]\nsignals = "all"\n', folder="all")
    nothing = start(application(upstream) + '[feedback]\nsignals = "off"\n', folder="none")
    for server, model in ((live, "openai/slow"), (everything, "openai/slow"), (nothing, "shop")):
        upstream.answer = "The under-15s train on Mondays."
        said: list[dict[str, str]] = [{"role": "user", "content": "When do they train?"}]
        for question in ("No, I meant the under-13s", "Thanks"):
            body = {"model": model, "messages": said, "user": "ann"}
            httpx2.post(f"{server.url}/v1/chat/completions", json=body).raise_for_status()
            said += [{"role": "assistant", "content": upstream.answer}, {"role": "user", "content": question}]
        httpx2.post(f"{server.url}/v1/chat/completions", json={**body, "messages": said}).raise_for_status()
    assert found(everything, "correction")
    for server in (live, nothing):
        assert figure(server, "turns_total") == 0
        assert found(server, signals="all") == []


def test_what_guardrails_mask_is_masked_in_the_words_that_are_kept(start: Start, upstream: Upstream) -> None:
    guards = '[guardrails]\nrequest = ["pii"]\nresponse = ["pii"]\n'
    live = start(application(upstream) + guards)
    talk = Talk(live, upstream)
    letter = "Dear members, the summer party is on the first of July. Please bring a cake and good friends."
    talk.ask("Write to the members about the party on the first of July.", letter)
    talk.said[-1] = {"role": "assistant", "content": letter.replace("good friends", "write to ann@club.example")}
    talk.ask("No, I meant ann@club.example wants it shorter", "Summer party: first of July.")
    rows = {row["name"]: row for row in found(live, "edited", "correction")}
    assert "write to [EMAIL_1]" in words(rows["edited"])[0]
    assert "ann@" not in json.dumps(rows)
    for file in (live.folder / ".regista").rglob("*"):
        assert not file.is_file() or b"ann@club" not in file.read_bytes(), file


def test_a_process_that_dies_is_started_again_and_what_it_had_is_counted(start: Start, upstream: Upstream) -> None:
    live = start(application(upstream))
    talk = Talk(live, upstream)
    talk.ask("When do the under-15s train?", "The under-15s train on Mondays at five.")
    followed(live, 1)
    for process in children(live.process.pid, "feedback_process"):
        os.kill(process, 9)
    talk.ask("No, I meant the under-13s", "The under-13s train on Tuesdays at four.")
    asked, end = 2, time.monotonic() + PATIENCE_S
    while figure(live, "turns_total") < 3:
        assert time.monotonic() < end, live.log.read_text()
        talk.said = [{"role": "user", "content": "hello"}]
        talk.again("Hello.")
        asked += 1
        time.sleep(0.1)
    followed(live, asked - int(figure(live, "turns_dropped_total")))
    assert figure(live, "restarts_total") == 1
    assert live.stop() == 0


def children(parent: int, named: str) -> list[int]:
    """The processes that a process has started whose command has this in it."""
    found: list[int] = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            ppid = int(stat.read_text().rpartition(")")[2].split()[1])
            command = (stat.parent / "cmdline").read_text()
        except OSError:
            continue
        if ppid == parent and named in command:
            found.append(int(stat.parent.name))
    return found


def test_several_workers_follow_one_conversation(start: Start, upstream: Upstream) -> None:
    live = start(application(upstream), "--port", "0", "--workers", "2")
    for number in range(4):
        talk = Talk(live, upstream, user=f"user {number}")
        talk.ask(f"When does team {number} train in the winter?", f"Team {number} trains on Mondays at five.")
        time.sleep(0.3)
        talk.ask("That is wrong, it is on Tuesdays", "You are right.")
    end = time.monotonic() + PATIENCE_S
    while len([row for row in found(live, "wrong", signals="all") if row["name"] == "wrong"]) < 4:
        assert time.monotonic() < end
        time.sleep(0.05)
