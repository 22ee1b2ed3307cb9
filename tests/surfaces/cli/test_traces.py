"""`regista traces` and `regista trace` on a real store, at the widths of real terminals."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from regista.core.nouns import Call, Citation, Json, Span, Trace, Usage
from regista.store import connect
from regista.store.traces import write
from regista.surfaces.cli._run import run

HITS = [
    {"document": "playbook/build-up.md", "start": 120, "end": 480, "score": 0.0327, "text": "He shows for the ball."}
]
SPANS = (
    Span("guard request", "", -1, 0, 400_000, "mask", "1 e-mail address"),
    Span("retrieve", "", -1, 1_000_000, 40_000_000, "1 hit", "hybrid; epoch 4", {"hits": HITS}),
    Span("embed", "minilm", 1, 2_000_000, 20_000_000),
    Span("generate", "embedded/reader", -1, 50_000_000, 50_000_000, "stop"),
)
TRACE = Trace(
    id="0f" * 16,
    application="club",
    variant="9c0ffee1d2a34b56",
    model="embedded/reader",
    tenant="default",
    started_ns=1_795_255_557_000_000_000,
    duration_ns=100_000_000,
    first_token_ns=60_000_000,
    status="ok",
    error="",
    cached="miss",
    usage=Usage(812, 96, 40, 0),
    cost_nano=12_345,
    price_version="2026-11",
    question="What does the six do?",
    answer="He shows for the ball [1].\n\nHe stays.",
    citations=(Citation("playbook/build-up.md", 120, 142, "He shows for the ball.", 1),),
    spans=SPANS,
)
Keep = Callable[..., None]


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with one application, and a terminal of 80 columns."""
    folder = tmp_path / "apps" / "club"
    folder.mkdir(parents=True)
    (folder / "regista.toml").touch()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.delenv("REGISTA_STORE", raising=False)
    return folder


@pytest.fixture
def keep(place: Path) -> Iterator[Keep]:
    database = connect(f"sqlite://{place / '.regista' / 'regista.db'}")

    def keep(*traces: Trace) -> None:
        with database.transaction() as transaction:
            write(transaction, traces)

    yield keep
    database.close()


@pytest.fixture
def shown(capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    def shown(*arguments: str, status: int = 0) -> str:
        assert run(list(arguments)) == status
        captured = capsys.readouterr()
        return captured.err if status else captured.out

    return shown


Shown = Callable[..., str]


def test_the_list_shows_the_newest_first(keep: Keep, shown: Shown) -> None:
    keep(TRACE, replace(TRACE, id="1f" * 16, started_ns=TRACE.started_ns + 1, question="And the eight?"))
    lines = shown("traces").splitlines()
    assert len(lines) == 3
    assert lines[1].split()[-8:] == ["1f1f1f1f1f1f", "embedded/reader", "ok", "100", "ms", "And", "the", "eight?"]
    assert "0f0f0f0f" in lines[2]


def test_a_wide_terminal_shows_the_figures_too(keep: Keep, shown: Shown, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "120")
    keep(TRACE)
    header, row = shown("traces").splitlines()
    assert header.split() == [
        "time",
        "trace",
        "model",
        "status",
        "total",
        "first",
        "tokens",
        "cost",
        "cache",
        "question",
    ]
    assert all(figure in row for figure in ("60.0 ms", "812+96", "$0.000012", "miss"))


@pytest.mark.parametrize("columns", ["20", "40", "80", "120", "200"])
def test_no_line_is_wider_than_the_terminal(
    keep: Keep, shown: Shown, monkeypatch: pytest.MonkeyPatch, columns: str
) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    keep(replace(TRACE, question="word " * 300, answer="word " * 300))
    for command in (["traces"], ["trace", "0f"]):
        assert all(len(line) <= int(columns) for line in shown(*command).splitlines())


def test_an_error_is_told_in_the_list(keep: Keep, shown: Shown) -> None:
    keep(replace(TRACE, status="error", error="It broke", question="Why?"))
    assert "It broke ← Why?" in shown("traces")


def test_the_list_is_narrowed_and_limited(keep: Keep, shown: Shown) -> None:
    keep(TRACE, *(replace(TRACE, id=f"{n:032x}", model="other", started_ns=n) for n in range(30)))
    assert len(shown("traces").splitlines()) == 21
    assert len(shown("traces", "--limit", "5").splitlines()) == 6
    assert len(shown("traces", "--model", "embedded/reader").splitlines()) == 2
    assert shown("traces", "--status", "cancelled") == "No traces like that.\n"
    shown("traces", "--limit", "0", status=2)


def test_the_list_as_json_is_whole(keep: Keep, shown: Shown) -> None:
    keep(replace(TRACE, question="x" * 500))
    (row,) = json.loads(shown("traces", "club", "--json"))
    assert (row["id"], row["cost_nano"], row["usage"]["input_tokens"]) == (TRACE.id, 12_345, 812)
    assert len(row["question"]) == 500


def test_without_traces_it_says_how_to_make_one(shown: Shown, place: Path) -> None:
    assert "regista ask club" in shown("traces")
    assert shown("traces", "--json") == "[]\n"
    assert "regista ask club" in shown("trace", "0f", status=1)
    assert not (place / ".regista").exists()


def test_a_trace_shows_everything_that_happened(keep: Keep, shown: Shown) -> None:
    keep(TRACE)
    page = shown("trace", "0f0f")
    for part in (
        "What does the six do?",
        "100 ms, first token after 60.0 ms",
        "812 in, 96 out (40 cached)",
        "$0.000012 (prices 2026-11)",
        TRACE.id,
        "└╴embed minilm",
        "mask  1 e-mail address",
        "1 hit  hybrid; epoch 4",
        "[1]  0.0327  playbook/build-up.md  120–480",
        "He shows for the ball [1].",
        "[1]  playbook/build-up.md  120–142",
        "“He shows for the ball.”",
    ):
        assert part in page


def test_bars_are_to_scale(keep: Keep, shown: Shown) -> None:
    keep(TRACE)
    lines = [line for line in shown("trace", "0f").splitlines() if "ms " in line or "µs" in line]
    bars = {line.split()[0]: line for line in lines if "━" in line or "╸" in line}
    assert {stage: line.count("━") for stage, line in bars.items()} == {
        "guard": 0,  # too short for the scale: a mark
        "retrieve": 5,
        "└╴embed": 2,
        "generate": 6,
    }


def test_a_terminal_without_unicode_gets_plain_bars(
    keep: Keep, shown: Shown, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    keep(replace(TRACE, answer="plain", citations=(), spans=SPANS))
    with (tmp_path / "out").open("w", encoding="ascii", errors="replace") as out:
        monkeypatch.setattr("sys.stdout", out)
        assert run(["trace", "0f"]) == 0
    page = (tmp_path / "out").read_text("ascii")
    assert "`- embed minilm" in page
    assert "======" in page


CALLS = (
    Call("openai", "gpt", "answer", "error", Usage(), True, 0, 1, 312_000_000, 0, "openai answered 503."),
    Call("openai", "gpt", "retry", "error", Usage(812, 40), False, 1_200_000, 1, 1_900_000_000, 1, "It was cut."),
    Call("anthropic", "claude", "continuation", "ok", Usage(880, 96), True, None, 1, 912_000_000, 1),
)


def test_calls_are_shown_where_there_is_more_than_one_or_one_that_was_not_counted(keep: Keep, shown: Shown) -> None:
    noted = Span("generate", "openai/gpt", -1, 0, 1, "stop", "", {"notes": ["default: waited 12 ms for a place"]})
    keep(replace(TRACE, calls=CALLS, spans=(noted,)))
    page = shown("trace", "0f")
    _, _, section = page.partition("Calls\n")
    rows = [" ".join(line.split()) for line in section.splitlines()[:6]]
    assert rows == [
        "answer gpt error 312 ms 0 in, 0 out $0",
        "retry gpt error 1.90 s ≈812 in, ≈40 out ≈$0.0012",
        "continuation claude ok 912 ms 880 in, 96 out unknown",
        "answer gpt: openai answered 503.",
        "retry gpt: It was cut.",
        "default: waited 12 ms for a place",
    ]


@pytest.mark.parametrize(("calls", "told"), [(CALLS[:1], False), (CALLS[1:2], True), (CALLS[2:], False), ((), False)])
def test_one_call_that_was_counted_needs_no_section(
    keep: Keep, shown: Shown, calls: tuple[Call, ...], told: bool
) -> None:
    keep(replace(TRACE, calls=calls))
    assert ("\nCalls\n" in shown("trace", "0f")) is told


def test_calls_as_json_name_their_fields(keep: Keep, shown: Shown) -> None:
    keep(replace(TRACE, calls=CALLS))
    told = json.loads(shown("trace", "0f", "--json"))["calls"]
    assert [(call["cause"], call["status"], call["usage"]["output_tokens"]) for call in told] == [
        ("answer", "error", 0),
        ("retry", "error", 40),
        ("continuation", "ok", 96),
    ]


def test_an_unknown_cost_is_not_shown_as_nothing(keep: Keep, shown: Shown) -> None:
    keep(replace(TRACE, cost_nano=None, price_version=""))
    assert "unknown: the model has no price" in shown("trace", "0f")


def test_a_trace_as_json_names_its_fields(keep: Keep, shown: Shown) -> None:
    keep(TRACE)
    told = json.loads(shown("trace", "0f", "--json"))
    assert told["id"] == TRACE.id
    assert [span["stage"] for span in told["spans"]] == [span.stage for span in SPANS]
    assert told["spans"][1]["attributes"]["hits"] == HITS
    assert told["citations"][0]["quote"] == "He shows for the ball."


EVIL = "\x1b[2J\x1b]0;owned\x07 \x9b31m [red]tag[/red] [/] \u202egnp.exe"


def test_text_from_elsewhere_steers_no_terminal(keep: Keep, shown: Shown, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    names: Json = {
        field: EVIL for field in ("application", "variant", "model", "tenant", "error", "cached", "question")
    }
    hit = {"document": EVIL, "start": EVIL, "end": EVIL, "score": EVIL, "text": EVIL}
    spans = (Span(EVIL, EVIL, -1, 0, 1, EVIL, EVIL, {"hits": [hit, "no hit", 3]}), Span("a", "", 7, 0, 1))
    cited = (Citation(EVIL, 0, 1, EVIL, 1),)
    keep(replace(TRACE, **names, price_version=EVIL, answer=EVIL, citations=cited, spans=spans))
    for command in (["traces"], ["trace", "0f"]):
        page = shown(*command)
        assert not {"\x1b", "\x07", "\x9b", "\u202e"} & set(page)
        assert "[red]tag[/red]" in page
    for command in (["traces", "--json"], ["trace", "0f", "--json"]):
        page = shown(*command)
        assert page.isascii()
        assert "\x1b" not in page


def test_an_application_is_found_by_folder_by_name_and_by_being_the_only_one(
    keep: Keep, shown: Shown, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep(TRACE)
    for arguments in ([], ["club"], ["apps/club"], [str(place)]):
        assert "0f0f0f0f" in shown("traces", *arguments)
    monkeypatch.chdir(place)
    assert "0f0f0f0f" in shown("traces")


def test_an_application_that_is_not_there_is_answered_with_the_near_one(
    shown: Shown, place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "Did you mean 'club'?" in shown("traces", "clubb", status=1)
    assert "holds no regista.toml" in shown("traces", "apps", status=1)
    (tmp_path / "apps" / "other").mkdir()
    (tmp_path / "apps" / "other" / "regista.toml").touch()
    assert "several applications here: club, other" in " ".join(shown("traces", status=1).split())
    (tmp_path / "empty").mkdir()
    monkeypatch.chdir(tmp_path / "empty")
    assert "no application here" in shown("traces", status=1)


def test_the_store_may_be_elsewhere(keep: Keep, shown: Shown, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    keep(TRACE)
    monkeypatch.setenv("REGISTA_STORE", f"sqlite://{tmp_path / 'other.db'}")
    assert "No traces yet" in shown("traces")


def test_sums_by_the_hour_say_how_many_failed_and_how_long_they_took(
    keep: Keep, capsys: pytest.CaptureFixture[str]
) -> None:
    later = TRACE.started_ns + 3_600 * 10**9
    keep(
        replace(TRACE, duration_ns=100_000_000),
        replace(TRACE, id="1f" * 16, status="error", cost_nano=None),
        replace(TRACE, id="2f" * 16, started_ns=later, cached="hit", model="club"),
    )
    assert run(["traces", "--by", "hour"]) == 0
    header, first, second = capsys.readouterr().out.splitlines()
    assert header.split() == ["hour", "(UTC)", "traces", "failed", "cached", "p50", "p95", "p99", "cost"]
    assert first.split()[3:6] == ["2", "50.0%", "–"] and first.split()[-3:] == ["$0.000012", "+", "?"]
    assert second.split()[3:6] == ["1", "–", "100.0%"]
    assert run(["traces", "--by", "model", "--model", "club", "--json"]) == 0
    (one,) = json.loads(capsys.readouterr().out)
    assert (one["model"], one["count"], one["aside"]) == ("club", 1, 1)
    assert one["duration_ns"][0] == pytest.approx(100_000_000, rel=0.02)


def test_a_wide_terminal_shows_bars_and_times_to_the_first_token(
    keep: Keep, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "140")
    keep(TRACE)
    assert run(["traces", "--by", "day"]) == 0
    header, row = capsys.readouterr().out.splitlines()
    assert "first p50" in header and "██████████" in row and "812+96" in row


def test_sums_of_no_time_are_said_to_be_none(keep: Keep, capsys: pytest.CaptureFixture[str]) -> None:
    keep(TRACE)
    assert run(["traces", "--by", "minute", "--since", "1h"]) == 0
    assert capsys.readouterr().out == "No traces in that time.\n"


def test_a_search_shows_what_it_found_with_signs_around_it(keep: Keep, shown: Shown) -> None:
    keep(TRACE, replace(TRACE, id="1f" * 16, started_ns=TRACE.started_ns + 1, answer=f"{'Well. ' * 40}The Build-up."))
    (_, row) = shown("traces", "--search", "build-up").splitlines()
    assert "1f1f1f1f" in row and "‹Build-up›" in row
    (_, row) = shown("traces", "--search", '"the ball"').splitlines()
    assert "0f0f0f0f" in row and "…shows for ‹the ball›" in row
    assert len(shown("traces", "--search", "SIX").splitlines()) == 3
    assert shown("traces", "--search", "seven \x1b[2J") == "No request holds seven ␛[2J.\n"
    assert "leave out --model" in shown("traces", "--search", "six", "--model", "m", status=1)


def test_a_search_as_json_says_where(keep: Keep, shown: Shown) -> None:
    keep(TRACE)
    (row,) = json.loads(shown("traces", "--search", "ball", "--json"))
    ((start, end),) = row["marks"]
    assert row["piece"][start:end] == "ball"


def test_old_requests_are_forgotten_only_when_it_is_meant(keep: Keep, shown: Shown) -> None:
    keep(TRACE, replace(TRACE, id="1f" * 16, started_ns=TRACE.started_ns - 86_400 * 10**9))
    assert "1 request began before 2" in shown("forget", "club", "--before", "2026-11-21", status=1)
    assert len(shown("traces").splitlines()) == 3
    assert "Forgot 1 request from" in shown("forget", "--before", "2026-11-21", "--yes")
    assert "1f1f1f1f" not in shown("traces")
    assert json.loads(shown("forget", "--before", "2026-11-21", "--json")) == {
        "traces": 0,
        "before_ns": 1_795_219_200_000_000_000,
        "forgotten": False,
    }
    assert "--before 'soon' is no time" in shown("forget", "--before", "soon", status=1)
    assert "Say what to forget" in shown("forget", status=1)


def test_where_nothing_was_stored_nothing_is_forgotten(shown: Shown, place: Path) -> None:
    assert "Forgot 0 requests" in shown("forget", "--before", "30d", "--yes")
    assert not (place / ".regista").exists()
