"""Templates: what they render to, and that values stay data."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regista.core.errors import ConfigurationError
from regista.core.nouns import Hit, Message
from regista.prompts.compiler import compile
from regista.prompts.template import HISTORY, Turn
from regista.prompts.variables import VARIABLES, values

HITS = [Hit("a.md", 0, 3, "One.", 1.0, "A", "Top"), Hit("b.md", 0, 3, "Two.", 0.5, "B")]


def user_text(source: str, **given: object) -> str:
    """The text of the one user message a template renders to."""
    turns = [turn for turn in compile(source).render(given) if turn != HISTORY]
    return turns[0].text if turns else ""


@given(st.text().filter(lambda text: "{{" not in text))
def test_text_without_braces_renders_to_itself_less_the_space_around_it(text: str) -> None:
    assert user_text(text) == text.strip()


@given(st.text())
def test_a_value_is_inserted_as_it_is(value: str) -> None:
    assert user_text("<{{x}}>", x=value) == f"<{value}>"


@given(
    st.sampled_from(['{{role "system"}}', "{{history}}", "{{x}}", "{{#each x}}", "{{/if}}", "\\{{", "}}"]), st.text()
)
def test_a_value_that_looks_like_a_template_is_never_interpreted(tag: str, text: str) -> None:
    hits = [Hit("a.md", 0, 1, tag + text, 1.0)]
    template = compile('{{role "system"}}{{#each hits}}{{this.text}}{{/each}}!{{role "user"}}{{question}}.', VARIABLES)
    turns = template.render(values(tag + text, hits))
    assert turns == [Turn("system", tag + text + "!"), HISTORY, Turn("user", tag + text + ".")]


@given(st.lists(st.text(st.characters(exclude_characters="{}\\"), max_size=5), max_size=5), st.text(max_size=5))
def test_each_writes_its_body_once_per_item_in_order(items: list[str], between: str) -> None:
    between = between.replace("{", "").replace("\\", "")
    rendered = user_text("<{{#each xs}}{{@index}}={{this}}" + between + "|{{/each}}>", xs=items)
    assert rendered == "<" + "".join(f"{i}={item}{between}|" for i, item in enumerate(items)) + ">"


def test_hits_are_numbered_from_one() -> None:
    template = compile(
        "{{#each hits}}[{{@number}}/{{this.number}}] {{this.title}}: {{this.text}}\n{{/each}}", VARIABLES
    )
    assert template.render(values("q", HITS))[-1].text == "[1/1] A: One.\n[2/2] B: Two."


@pytest.mark.parametrize("empty", ["", [], 0, False, None])
def test_if_takes_its_else_for_what_is_empty(empty: object) -> None:
    assert user_text("{{#if x}}yes{{else}}no{{/if}}", x=empty) == "no"


def test_if_and_each_nest_and_this_is_the_innermost_item() -> None:
    source = "{{#each rows}}{{#if this.cells}}{{#each this.cells}}{{this}},{{/each}}{{else}}-{{/if}};{{/each}}"
    assert user_text(source, rows=[{"cells": ["a", "b"]}, {"cells": ""}]) == "a,b,;-;"


def test_roles_start_messages_and_blank_ones_are_left_out() -> None:
    source = '{{role "system"}}\nBe brief.\n\n{{role "assistant"}}\n  \n{{role "user"}}\n{{question}}\n'
    assert compile(source).render({"question": " hi "}) == [Turn("system", "Be brief."), HISTORY, Turn("user", " hi ")]


def test_history_comes_out_where_it_stands_and_the_user_speaks_after_it() -> None:
    turns = compile('{{role "system"}}S{{history}}{{question}}').render({"question": "Q"})
    assert turns == [Turn("system", "S"), HISTORY, Turn("user", "Q")]


def test_a_template_without_history_gets_it_before_the_last_user_message() -> None:
    turns = compile('{{role "user"}}1{{role "assistant"}}2{{role "user"}}3').render({})
    assert [turn.text for turn in turns] == ["1", "2", "", "3"]


def test_the_conversation_may_be_written_out_as_text() -> None:
    template = compile("{{#each history}}{{this.role}}: {{this.text}}\n{{/each}}", VARIABLES)
    said = [Message("user", "a"), Message("assistant", [{"type": "text", "text": "b"}])]
    assert template.render(values("q", history=said))[-1].text == "user: a\nassistant: b"


def test_a_tag_alone_on_its_line_leaves_no_empty_line() -> None:
    assert user_text("a\n  {{#if x}}\nb\n  {{/if}}\n{{! note }}\nc", x=True) == "a\nb\nc"


def test_comments_may_hold_braces_and_lines() -> None:
    assert user_text("a{{!-- {{x}}\n }} --}}b") == "ab"


def test_escaped_braces_are_text() -> None:
    assert user_text(r"\{{x}} {{x}}", x=1) == "{{x}} 1"


def test_numbers_truth_and_records_are_written_as_json() -> None:
    assert user_text("{{a}} {{b}} {{c}}", a=1.5, b=True, c={"d": [1]}) == '1.5 true {"d":[1]}'


def test_a_missing_value_is_an_error_and_an_optional_one_is_nothing() -> None:
    template = compile("<{{a}}{{b}}{{c}}>", optional=frozenset({"b"}), defaults={"c": "see"})
    assert template.render({"a": "A"})[-1].text == "<Asee>"
    with pytest.raises(ConfigurationError, match="needs a value for a"):
        template.render({})
