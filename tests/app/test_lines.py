"""The scanner finds every key where it stands: documents whose values are their own line numbers prove it."""

import tomllib
from typing import cast

from hypothesis import given
from hypothesis import strategies as st

from regista.app.lines import Lines

KEYS = st.sampled_from(["a", "b-c", '"d e"', "'f.g'", '"h\\"i"', '"\\u00e9"', '"#"', "1", '"]"', '""'])
DISTRACTIONS = st.sampled_from(
    ["", "# [x] = 1", "  ", "\t# \"'"],
)
VALUES = st.sampled_from(
    [
        "1",
        "-1.5e3",
        "true",
        "1979-05-27 07:32:00Z",
        '"# no = [comment]"',
        "'it''s'".replace("''", "#"),
        '"\\"\\\\"',
        '"""\nx = 1\n[y]\n"""',
        '"""a\\"""" ',
        "'''\n[z]\n''''",
        "[1, 2]",
        '[\n  "]",\n  # ]\n  [1],\n]',
        "[]",
        "{}",
        '{ p = 1, q.r = "}", s = [{ t = 1 }] }',
    ]
)


@st.composite
def documents(draw: st.DrawFn) -> str:
    """TOML with tables, lists of tables, dotted and quoted keys; some repeat and so are refused by tomllib."""
    parts: list[str] = []
    for _ in range(draw(st.integers(0, 8))):
        dotted = draw(st.sampled_from([".", " . "])).join(draw(st.lists(KEYS, min_size=1, max_size=3)))
        form = draw(st.sampled_from(["[{}]", "[[{}]]", "{} = ", "{} = ", "  {}="])).format(dotted)
        value = draw(VALUES) if form.endswith("=") or form.endswith("= ") else ""
        parts += [form + value + draw(st.sampled_from(["", " # end"])), draw(DISTRACTIONS)]
    return "\n".join(parts)


def paths(value: object, at: tuple[str | int, ...] = ()) -> set[tuple[str | int, ...]]:
    """Every path of a parsed document."""
    found = {at} if at else set[tuple[str | int, ...]]()
    if isinstance(value, dict):
        inner = list(cast("dict[str, object]", value).items())
    else:
        inner = list(enumerate(cast("list[object]", value) if isinstance(value, list) else ()))
    return found.union(*(paths(item, (*at, key)) for key, item in inner))


@given(documents(), st.sampled_from(["\n", "\r\n"]))
def test_the_scanner_finds_the_keys_that_tomllib_finds(text: str, newline: str) -> None:
    text = text.replace("\n", newline)
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return
    assert set(Lines(text)) == paths(document)


@given(st.lists(st.tuples(KEYS, KEYS, DISTRACTIONS, st.integers(0, 3)), max_size=8))
def test_the_line_of_a_key_is_the_line_it_stands_on(entries: list[tuple[str, str, str, int]]) -> None:
    rows: list[str] = []
    for position, (first, second, distraction, form) in enumerate(entries):
        rows.append(distraction)
        here = len(rows) + 1
        key = f'"{position} "'
        forms = [f"[{key}.{first}]", f"[[{key}.{first}]]", f"[{key}]", f"[{key}]"]
        rows.append(forms[form])
        rows.append(f"{second}.x = {here + 1}" if form < 3 else f"{second} = {{ x = {here + 1} }}")
    text = "\n".join(rows)
    lines = Lines(text)
    leaves = {path: value for path in lines if isinstance(value := value_at(tomllib.loads(text), path), int)}
    assert len(leaves) == len(entries)
    assert {path: lines[path] for path in leaves} == leaves


def value_at(document: object, path: tuple[str | int, ...]) -> object:
    for key in path:
        document = cast("dict[str | int, object]", document)[key]
    return document


def test_a_path_that_is_not_written_has_the_line_of_what_is_above_it() -> None:
    lines = Lines("\n[a]\n\n[a.b]\nc = 1\n")
    assert [lines.near(path) for path in (("a", "x"), ("a", "b", "x", "y"), ("z",))] == [2, 4, 1]
