import re
from collections import Counter
from contextlib import closing
from pathlib import Path

import msgspec
import pytest

from club import tools
from club.football import metrics, profile, reliability, roles, tables
from club.football.metrics import METRICS
from club.football.reliability import Reliability
from regista.core.nouns import ToolCall
from regista.serve.agents.tools import Facts, Toolbox

pytestmark = pytest.mark.usefixtures("database")

ASKS: list[tuple[str, str, dict[str, str]]] = [
    (
        "How does G. Wijnaldum compare with the regulars as a deep-lying midfielder?",
        "compare_in_role",
        {"player": "G. Wijnaldum", "role": "deep-lying midfielder"},
    ),
    ("how did Emre Can do as a six", "compare_in_role", {"player": "Emre Can", "role": "six"}),
    ("Compare Henderson with the regular box-to-box midfielders.", "compare_in_role", {}),
    ("Compare J. Henderson with the regulars as a number eight", "compare_in_role", {"role": "number eight"}),
    ("How good was Oxlade-Chamberlain as a winger?", "compare_in_role", {"player": "Oxlade-Chamberlain"}),
    ("Show me Wijnaldum's figures as a DM", "compare_in_role", {"player": "Wijnaldum", "role": "DM"}),
    ("What roles did Henderson play?", "player_roles", {"player": "Henderson"}),
    ("Which positions has M. Özil played this season?", "player_roles", {"player": "M. Özil"}),
    ("Where did Emre Can play?", "player_roles", {"player": "Emre Can"}),
    ("What are Georginio Wijnaldum's roles?", "player_roles", {"player": "Georginio Wijnaldum"}),
    ("Show the roles of J. Milner by match", "player_roles", {"player": "J. Milner"}),
    ("Who are the regular full-backs?", "role_regulars", {"role": "full-backs"}),
    ("who were the regulars as a number ten?", "role_regulars", {"role": "number ten"}),
    ("List the regular deep-lying midfielders", "role_regulars", {"role": "deep-lying midfielders"}),
    ("Who regularly plays as a striker?", "role_regulars", {"role": "striker"}),
    ("Who is G. Wijnaldum?", "find_player", {"name": "G. Wijnaldum"}),
    ("Find the player called Xhaka", "find_player", {"name": "Xhaka"}),
]


def asked(question: str) -> list[tuple[str, dict[str, str]]]:
    found = ((t.name, re.search(p, question)) for t in Toolbox.of(tools).tools for p in t.asks)
    return [(name, match.groupdict()) for name, match in found if match]


def numbers(facts: Facts, metric: str) -> str:
    return next(s for s in facts.statements if s.removeprefix("Watch only: ").startswith(f"{metric}: "))


@pytest.mark.parametrize(("question", "tool", "arguments"), ASKS)
def test_a_natural_question_finds_its_tool_and_arguments(question: str, tool: str, arguments: dict[str, str]) -> None:
    found = asked(question)
    assert {name for name, _ in found} == {tool}
    assert arguments.items() <= found[0][1].items()


@pytest.mark.parametrize(
    "question",
    [
        "What does the deep-lying midfielder have to do that the box-to-box does not?",
        "What is the role of the six?",
        "Who is responsible for the drills?",
        "How many matches does a figure need?",
        "What are the deep-lying midfielder's tasks?",
    ],
)
def test_a_question_for_the_documents_calls_no_tool(question: str) -> None:
    assert asked(question) == []


async def test_every_question_is_answered_through_the_toolbox_with_statements_and_rows() -> None:
    box = Toolbox.of(tools)
    for question, tool, _ in ASKS:
        arguments = msgspec.json.encode(asked(question)[0][1]).decode()
        text = await box.run(ToolCall("1", tool, arguments))
        assert "\n\n| " in text, question


def test_wijnaldum_is_both_a_box_to_box_and_a_deep_lying_midfielder_and_henderson_mostly_deep() -> None:
    his = Counter(row["role"] for row in tools.player_roles("Wijnaldum").rows)
    assert 8 <= his["box-to-box midfielder"] <= 15 and 6 <= his["deep-lying midfielder"] <= 11
    henderson = Counter(row["role"] for row in tools.player_roles("Henderson").rows)
    assert henderson["deep-lying midfielder"] / henderson.total() > 0.7


def test_roles_agree_with_the_positions_the_source_has(database: Path) -> None:
    with closing(tables.connect(database)) as connection:
        rows = connection.execute("SELECT r.role, p.position FROM role r JOIN player p ON p.id = r.player").fetchall()
    for role, position, least in (
        ("centre-back", "defender", 0.95),
        ("full-back", "defender", 0.8),
        ("deep-lying midfielder", "midfielder", 0.9),
        ("striker", "forward", 0.8),
        ("goalkeeper", "goalkeeper", 1.0),
    ):
        found = Counter(row["position"] for row in rows if row["role"] == role)
        assert found[position] / found.total() >= least, role


def test_a_comparison_rebuilds_from_the_rows_behind_it() -> None:
    facts = tools.compare_in_role("G. Wijnaldum", "deep-lying midfielder")
    for metric in METRICS:
        rows = [row for row in facts.rows if row[metric.denominator]]
        value = metric.per * sum(r[metric.numerator] for r in rows) / sum(r[metric.denominator] for r in rows)
        said = numbers(facts, metric.label)
        assert f": {value:.{metric.decimals}f} {metric.unit} (95 % interval" in said
        assert f", {len(rows)} matches)" in said


def test_wijnaldum_moved_deep_passes_safely_and_seldom_forward() -> None:
    facts = tools.compare_in_role("wijnaldum", "six")
    assert "fewer of his passes bring the ball clearly nearer to goal" in facts.statements[3]
    assert facts.statements[2].count(";") == len(facts.rows) - 1, "Every match behind the figures is named."
    progressive = re.search(r": ([\d.]+) per 100 passes .* above (\d+) %", numbers(facts, "Progressive passes"))
    assert progressive is not None
    assert 5 < float(progressive[1]) < 10 and int(progressive[2]) < 15
    assert numbers(facts, "Ground defensive duels won").startswith("Watch only: ")
    assert "cannot show scanning" in facts.statements[-1]


@pytest.mark.parametrize(
    ("question", "quantity"),
    [
        ("How often does G. Wijnaldum scan before receiving?", "scan"),
        ("How many sprints did Mohamed Salah make?", "sprints"),
        ("What is Salah's top speed?", "speed"),
        ("How fast is Mané?", "fast"),
        ("How many kilometres did Henderson run?", "kilometres"),
    ],
)
def test_what_the_data_cannot_show_is_asked_of_the_tool_that_says_so(question: str, quantity: str) -> None:
    asks = next(tool.asks for tool in Toolbox.of(tools).tools if tool.name == "not_in_the_data")
    found = [match["quantity"] for pattern in asks if (match := re.search(pattern, question))]
    assert found and found[0] == quantity
    assert tools.not_in_the_data(quantity).statements[0].startswith("Not measured")


@pytest.mark.parametrize(
    "question",
    [
        "How fast should the ball travel in the rondo drill?",
        "Which drills train scanning?",
        "How does pressing work in our playbook?",
        "What should a winger do when he presses?",
    ],
)
def test_a_question_to_the_documents_is_not_taken_for_a_figure(question: str) -> None:
    asks = [pattern for tool in Toolbox.of(tools).tools for pattern in tool.asks]
    assert not any(re.search(pattern, question) for pattern in asks)


def test_every_statement_is_one_quotable_line() -> None:
    answers = [tools.compare_in_role(n, r) for n, r in (("Firmino", "striker"), ("Karius", "gk"), ("Kane", "cb"))]
    answers += [tools.player_roles("Salah"), tools.role_regulars("full back"), tools.find_player("özil")]
    for facts in answers:
        assert facts.rows or "no match" in facts.statements[0]
        for statement in facts.statements:
            assert statement.endswith(".") and "\n" not in statement and "nan" not in statement.lower().split()


def test_a_name_need_not_be_whole_nor_accented() -> None:
    assert "Mesut Özil" in tools.find_player("ozil").statements[0]
    assert "Roberto Firmino" in tools.find_player("rob firm").statements[0]


def test_a_name_of_several_is_asked_back_and_one_of_nobody_answered_with_near_ones() -> None:
    assert "players fit 'Silva'" in tools.player_roles("Silva").statements[0]
    assert "David Silva" in tools.player_roles("Silva").statements[0]
    assert tools.compare_in_role("Wijnaldm", "dm").statements[0].endswith("Near names: G. Wijnaldum (Liverpool).")
    assert "No player called" in tools.find_player("???").statements[0]


def test_an_unknown_role_is_answered_with_the_known_ones() -> None:
    said = tools.compare_in_role("Wijnaldum", "quarterback").statements[0]
    assert said.startswith("There is no role 'quarterback'.") and "deep-lying midfielder" in said


def test_a_role_he_never_played_says_so_and_what_he_did_play() -> None:
    facts = tools.compare_in_role("Henderson", "striker")
    assert "no match of at least 30 minutes as a striker" in facts.statements[0]
    assert "most like a deep-lying midfielder" in facts.statements[1]


def test_without_figures_a_tool_says_what_to_type(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tables, "DATABASE", tmp_path / "none.db")
    assert "type `regista club build`" in tools.find_player("Kane").statements[0]


def test_regulars_have_the_matches_a_regular_needs_and_the_player_is_not_among_his_own() -> None:
    regulars = tools.role_regulars("dm").rows
    assert min(row["matches"] for row in regulars) >= roles.REGULAR_MATCHES
    assert f"the {len(regulars) - 1} other regular" in tools.compare_in_role("Wijnaldum", "dm").statements[1]


def test_metrics_name_counts_that_are_kept() -> None:
    kept = {*tables.COLUMNS["player_match"], "minutes"}
    assert set(metrics.COLUMNS) <= kept
    assert len({metric.name for metric in METRICS}) == len(METRICS) >= 16


def test_reliability_foretells_how_halves_of_the_season_agree(database: Path) -> None:
    """Odd and even matches of players with many in a role: their correlation is the reliability of a half."""
    with closing(tables.connect(database)) as connection:
        for name in ("pass_completion", "progressive_passes", "touches", "interceptions", "aerial_win"):
            metric = next(m for m in METRICS if m.name == name)
            halves = reliability.halves(connection, metric)
            assert halves and halves[1] == pytest.approx(halves[0], abs=0.1), name


def test_needed_matches_follow_from_the_noise() -> None:
    assert Reliability(90.0).needed(per_match=30) == 7
    assert Reliability(90.0).after(7 * 30) == pytest.approx(0.7)
    assert Reliability(float("inf")).needed(1) is None and Reliability(1.0).after(0) == 0


def test_what_comes_first_is_clear_and_the_largest_first(database: Path) -> None:
    with closing(tables.connect(database)) as connection:
        player = tools.players.find(connection, "G. Wijnaldum")[0]
        found = profile.compare(connection, player, roles.OUTFIELD[2])
    ranked = profile.first(found.places)
    assert ranked and all(place.clear and not place.watch for place in ranked)
    distances = [abs(place.distance) for place in ranked if not place.metric.volume]
    assert distances == sorted(distances, reverse=True)
