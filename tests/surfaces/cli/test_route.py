"""`regista route` as a user types it: explaining, replaying, and training on what two variants answered."""

import json
from typing import Any

import pytest
from tests.surfaces.cli.conftest import Demo, json_lines

EASY = ["add", "sum", "count", "total", "plus", "minus"]
HARD = ["prove", "derive", "integrate", "theorem", "lemma", "corollary"]
ROUTED = """[app]
name = "demo"
model = "small"
[models.small]
model = "echo/small"
[models.large]
model = "scripted/large"
answers = ["It is large."]
[prices."echo/small"]
input = "1.00"
output = "2.00"
[prices."scripted/large"]
input = "10.00"
output = "20.00"
"""
RULES = """[router]
policies = ["rules", "economy"]
shadow = "large"
shadow_share = 1.0
[router.rules.when.large]
metadata = { size = "large" }
model = "large"
[router.rules.when.long]
min_tokens = 40
model = "large"
[router.economy]
models = ["small", "large"]
"""


def ask(demo: Demo, *questions: str) -> list[str]:
    """The ids of the traces, one a question."""
    return [demo.json("ask", question)["trace_id"] for question in questions]


def test_explain_shows_every_policy_the_runner_up_and_the_shadow(demo: Demo) -> None:
    demo.write({"regista.toml": ROUTED + RULES})
    (id,) = ask(demo, "Who plays on Saturday?")
    shown = demo.regista("route", "explain", id)
    for part in ("chosen", "small", "runner-up", "large", "rules passes: no rule holds", "economy chooses small",
                 "shadow large was asked the same", "It is large."):  # fmt: skip
        assert part in shown, part
    found = demo.json("route", "explain", id)
    assert found["decision"] == "small" and found["attributes"]["runner_up"] == "large"


def test_explain_of_a_request_that_no_router_saw_says_why(demo: Demo) -> None:
    (id,) = ask(demo, "Anything?")
    demo.regista("route", "explain", id, status=1)


def test_simulate_compares_with_what_was_done(demo: Demo) -> None:
    demo.write({"regista.toml": ROUTED + RULES})
    ask(demo, *[f"Question {n}" for n in range(12)], *["many words " * 20 + str(n) for n in range(6)])
    found = demo.json("route", "simulate")
    assert found["requests"] == 18 and found["moved"] == 0, "shadows are no traffic"
    assert found["cost"]["difference"]["value"] == 0
    always: Any = demo.json("route", "simulate", "--policy", "large")
    assert always["moved"] == 12 and always["cost"]["difference"]["low"] > 0
    rules = demo.json("route", "simulate", "--policy", "rules", "--limit", "6")
    assert rules["requests"] == 6 and rules["deciders"] == {"rules": 6}
    shown = demo.regista("route", "simulate", "--policy", "large")
    assert "12 of 18 requests would have gone to another model" in shown and "Quality is not known" in shown


def test_a_variants_router_can_be_simulated_before_it_serves(demo: Demo) -> None:
    demo.write({"regista.toml": ROUTED, "variants/thrifty.toml": RULES.replace("shadow", "#")})
    ask(demo, *[f"Question {n}" for n in range(10)])
    found = demo.json("route", "simulate", "--variant", "thrifty")
    assert found["requests"] == 10 and any("served without a router" in each for each in found["unknown"])
    demo.regista("route", "simulate", status=1)


def test_an_unknown_policy_is_told_with_the_near_one(demo: Demo, capsys: pytest.CaptureFixture[str]) -> None:
    demo.write({"regista.toml": ROUTED + RULES})
    demo.regista("route", "simulate", "--policy", "econmy", status=1)


def test_intents_shows_the_accuracy_and_what_is_taken_for_what(demo: Demo) -> None:
    classes = ""
    for name, model, words in (("easy", "small", EASY), ("hard", "large", HARD)):
        examples = json.dumps([f"please {word} it {n}" for n, word in enumerate(words)])
        classes += f'[router.semantic.classes.{name}]\nmodel = "{model}"\nexamples = {examples}\n'
    demo.write({"regista.toml": ROUTED + '[router]\npolicies = ["semantic"]\n' + classes})
    found = demo.json("route", "intents")
    assert [sum(row) for row in found["confusion"]] == [6, 6] and 0 <= found["accuracy"] <= 1
    shown = demo.regista("route", "intents")
    assert "of 12 examples are told right when left out" in shown and "taken for" in shown


def evaluated(demo: Demo, count: int) -> None:
    """The base answers everything right, and the variant only what is easy."""
    cases = [
        {"id": f"c{n}", "input": f"{word} number {n} of the {kind}", "answer": f"{word} number {n} of the {kind}"}
        for n in range(count)
        for kind, word in [(("easy", EASY[n % 6]) if n % 2 else ("hard", HARD[n % 6]))]
    ]
    texts = [case["input"] if "easy" in case["input"] else "no idea" for case in cases]
    weak = (
        '[models.small]\nmodel = "scripted/weak"\n'
        f"answers = {json.dumps(texts)}\ncontains = {json.dumps([case['input'] for case in cases])}\n"
    )
    demo.write({"regista.toml": ROUTED, "variants/weak.toml": weak})
    demo.suite(cases)
    demo.regista("eval", "s")
    demo.regista("eval", "s", "--variant", "weak")


def test_training_on_two_variants_shows_the_curve_and_writes_the_head(demo: Demo) -> None:
    evaluated(demo, 80)
    shown = demo.regista("route", "train", "s", "--weak", "weak", "--share", "0.5", "--html", "curve.html")
    assert "With 50 % strong calls the head is better than lots" in shown and "share of strong calls" in shown
    assert (demo.folder / "router" / "learned.json").is_file()
    page = (demo.folder / "curve.html").read_text()
    assert "<svg" in page and "better than lots" in page
    found = demo.json("route", "train", "s", "--weak", "weak")
    assert [round(point["share"], 1) for point in found["curve"]] == [n / 10 for n in range(11)]
    ends = found["curve"][0], found["curve"][-1]
    assert (ends[0]["quality"], ends[1]["quality"]) == (0.5, 1.0) and ends[0]["cost_nano"] is not None
    # Served, it sends what it has learned to be hard to the strong model.
    learned = '[router]\npolicies = ["learned"]\n[router.learned]\nstrong = "large"\nweak = "small"\n'
    demo.write({"regista.toml": ROUTED + learned})
    hard, easy = ask(demo, "prove number 99 of the hard", "sum number 98 of the easy")
    assert demo.json("route", "explain", hard)["decision"] == "large"
    assert demo.json("route", "explain", easy)["decision"] == "small"


def test_too_few_cases_train_nothing_and_the_status_says_undecided(demo: Demo) -> None:
    evaluated(demo, 20)
    demo.regista("route", "train", "s", "--weak", "weak", status=3)
    assert not (demo.folder / "router").exists()


def test_preferences_train_too_and_a_broken_line_is_told(demo: Demo) -> None:
    rows = [
        {"question": f"{word} it {n}", "preferred": preferred}
        for n in range(20)
        for word, preferred in ((EASY[n % 6], "tie"), (HARD[n % 6], "strong"))
    ]
    demo.write({"p.jsonl": json_lines(rows) * 2})
    found = demo.json("route", "train", "--preferences", "p.jsonl")
    assert found["curve"][0]["cost_nano"] is None and found["curve"][-1]["quality"] > found["curve"][0]["quality"]
    demo.write({"p.jsonl": '{"question": "x", "preferred": "me"}\n'})
    demo.regista("route", "train", "--preferences", "p.jsonl", status=1)


def test_quality_is_told_for_traffic_that_was_evaluated(demo: Demo) -> None:
    evaluated(demo, 24)
    found = demo.json("route", "simulate", "--policy", "small", "--tenant", "evaluation")
    assert found["quality"] is not None and found["quality"]["known"] > 0
