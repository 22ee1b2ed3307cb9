"""The club's documents keep the shape that its tools and its answers rely on."""

import json
import re
from functools import cache
from pathlib import Path
from typing import Any

import pytest

CLUB = Path(__file__).resolve().parents[3] / "apps" / "club"
DOCUMENTS = CLUB / "documents"
ROLES = (
    "goalkeeper",
    "centre-back",
    "full-back",
    "deep-lying midfielder",
    "box-to-box midfielder",
    "attacking midfielder",
    "winger",
    "striker",
)
ROLE_SECTIONS = (
    "In possession",
    "Out of possession",
    "In transition to defence",
    "In transition to attack",
    "What the metrics show",
    "What the metrics cannot show",
)
METRICS = (
    "Progressive passes per 100 passes",
    "Final-third passes per 100 passes",
    "Pass completion",
    "Forward-pass share",
    "Long-pass share",
    "Regains per 100 opponent touches",
    "Interceptions per 100 opponent touches",
    "Touches per 90",
    "Key passes per 90",
    "Dribble duels",
    "Aerial duels won",
    "Ground defensive duels won",
    "Tackles held",
    "Attacking-third touch share",
    "Expected threat (xT) per 90",
    "Shots per 90",
)
DRILLS = sorted(path for path in (DOCUMENTS / "drills").glob("*.md") if path.stem != "about")
LOADS = ("low", "medium", "high")


@cache
def sections(path: Path) -> dict[str, str]:
    """The text under each second-level heading; what stands before the first is under the title's name."""
    head, *rest = re.split(r"^## (.+)$", path.read_text(encoding="utf-8"), flags=re.MULTILINE)
    title, _, opening = head.removeprefix("# ").partition("\n")
    return {title: opening.strip()} | {name: text.strip() for name, text in zip(rest[::2], rest[1::2], strict=True)}


@cache
def questions() -> list[dict[str, Any]]:
    return [json.loads(line) for line in (CLUB / "evals" / "questions.jsonl").read_text(encoding="utf-8").splitlines()]


def role_page(role: str) -> Path:
    return DOCUMENTS / "roles" / f"{role.replace(' ', '-')}.md"


@pytest.mark.parametrize("role", ROLES)
def test_each_role_has_a_page_with_every_section(role: str) -> None:
    page = sections(role_page(role))
    assert next(iter(page)).lower() == role
    assert [name for name in ROLE_SECTIONS if not page.get(name)] == []


@pytest.mark.parametrize("role", ROLES)
def test_each_role_is_compared_with_a_neighbour_in_sentences_that_name_both(role: str) -> None:
    compared = {name: text for name, text in sections(role_page(role)).items() if name.startswith("Compared with the ")}
    assert compared
    for name, text in compared.items():
        neighbour = name.removeprefix("Compared with the ")
        assert neighbour in ROLES
        assert any(role in sentence and neighbour in sentence for sentence in text.lower().split(". "))


@pytest.mark.parametrize("path", DRILLS, ids=lambda path: path.stem)
def test_each_drill_has_its_fields_and_says_the_same_in_words(path: Path) -> None:
    page = sections(path)
    title = next(iter(page))
    fields = dict(re.findall(r"^\| (\w+) \| (.+) \|$", page[title], re.MULTILINE))
    assert {"aim", "players", "minutes", "load", "roles", "aims"} <= fields.keys()
    assert fields["load"] in LOADS
    assert set(fields["roles"].split(", ")) <= set(ROLES)
    assert page["Coaching points"]
    stated = (
        f"needs {fields['players']} players and takes {fields['minutes']} minutes, and its load is {fields['load']}."
    )
    assert f'The drill "{title}" {stated}' in page["Set-up"]


def test_the_library_holds_drills_for_every_role_and_calls_their_effect_opinion() -> None:
    assert len(DRILLS) >= 16
    assert all(any(role in path.read_text(encoding="utf-8") for path in DRILLS) for role in ROLES)
    about = (DOCUMENTS / "drills" / "about.md").read_text(encoding="utf-8")
    assert "coaching opinion and has not been measured" in about


@pytest.mark.parametrize("metric", METRICS)
def test_each_metric_is_defined_by_a_sentence_that_names_it(metric: str) -> None:
    first = sections(DOCUMENTS / "metrics.md")[metric].split(". ")[0]
    assert first.lower().startswith((metric.lower(), f"the {metric.lower()}"))


@pytest.mark.parametrize("path", sorted(DOCUMENTS.rglob("*.md")), ids=lambda path: path.stem)
def test_no_statement_opens_with_a_pronoun_that_a_quotation_would_orphan(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert re.findall(r"(?:^|[.!?] )(?:He|She|It|They|His|Their|Its) [^.]*", text, re.MULTILINE) == []


def test_answerable_questions_name_documents_that_hold_the_words_of_their_answer() -> None:
    for question in (q for q in questions() if q["answerable"]):
        text = "\n".join((DOCUMENTS / name).read_text(encoding="utf-8") for name in question["documents"]).lower()
        assert [word for word in question["words"] if word.lower() not in text] == [], question["question"]


def test_the_questions_are_many_and_a_third_have_no_answer() -> None:
    unanswerable = [q for q in questions() if not q["answerable"]]
    assert len(questions()) - len(unanswerable) >= 60
    assert len(unanswerable) >= 20
    assert len({q["question"] for q in questions()}) == len(questions())
