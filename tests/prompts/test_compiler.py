"""What is wrong with a template is told with its line and the near name."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regista.prompts.compiler import compile
from regista.prompts.problems import PromptError
from regista.prompts.variables import VARIABLES

BROKEN = {
    "a name nobody gives": ("\n{{qestion}}", 2, "There is no variable 'qestion'. Did you mean 'question'?"),
    "a field without this": ("{{#each hits}}\n{{text}}{{/each}}", 2, "Did you mean 'this.text'?"),
    "a field that is not there": ("{{#each hits}}{{this.txt}}{{/each}}", 1, "Did you mean 'text'?"),
    "a field of text": ("{{question.length}}", 1, "asks for the field 'length' of text"),
    "a list as text": ("{{hits}}", 1, "write {{#each hits}}"),
    "a record as text": ("{{#each hits}}{{this}}{{/each}}", 1, "this is a record, not text"),
    "each over text": ("{{#each question}}{{/each}}", 1, "needs a list, and question is text"),
    "an open each": ("a\n{{#each hits}}\nb", 2, "{{#each}} is never closed: write {{/each}}"),
    "an open if within each": ("{{#each hits}}\n{{#if this.text}}\n{{/each}}", 2, "{{#if}} is never closed"),
    "a close without an open": ("a\n\n{{/if}}", 3, "{{/if}} closes nothing"),
    "else outside": ("{{else}}", 1, "{{else}} stands outside"),
    "two elses": ("{{#if hits}}a{{else}}b{{else}}c{{/if}}", 1, "{{else}}"),
    "an open tag": ("a\nb {{question", 2, "never closed: write }}"),
    "an unknown block": ("{{#eech hits}}", 1, "There is no block {{#eech}}. Did you mean '#each'?"),
    "an unknown role": ('{{role "sistem"}}', 1, "There is no role 'sistem'. Did you mean 'system'?"),
    "a bare role": ("{{role system}}", 1, "in quotes"),
    "two histories": ("{{history}}\n{{history}}", 2, "once"),
    "history in each": ("{{#each hits}}{{history}}{{/each}}", 1, "not inside of {{#each}}"),
    "a path upwards": ("{{#each hits}}{{../question}}{{/each}}", 1, "'../question' is no name"),
    "this outside": ("{{this.text}}", 1, "only inside of {{#each}}"),
    "three braces": ("{{{question}}}", 1, "is no name"),
    "a partial": ("{{> header}}", 1, "is no name"),
    "an empty tag": ("{{}}", 1, "'' is no name"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_template_says_what_and_on_which_line(name: str) -> None:
    source, line, message = BROKEN[name]
    with pytest.raises(PromptError) as error:
        compile(source, VARIABLES)
    assert any(problem.line == line and message in problem.message for problem in error.value.problems), error.value


def test_all_mistakes_are_told_at_once() -> None:
    with pytest.raises(PromptError) as error:
        compile("{{a}}\n{{b}}\n{{#if c}}\n{{d}}\n{{/if}}{{/each}}", VARIABLES)
    assert [problem.line for problem in error.value.problems] == [1, 2, 3, 4, 5]


@given(st.lists(st.sampled_from(["{{", "}}", "#each hits", "/each", "#if question", "/if", "else", "\n", "x", "this"])))
def test_whatever_is_written_compiles_or_is_refused_with_lines_of_the_file(pieces: list[str]) -> None:
    source = "".join(pieces)
    try:
        compile(source, VARIABLES)
    except PromptError as error:
        assert all(1 <= problem.line <= source.count("\n") + 1 for problem in error.problems)


def test_deep_nesting_is_no_crash() -> None:
    with pytest.raises(PromptError, match="deep"):
        compile("{{#if question}}" * 5000 + "{{/if}}" * 5000, VARIABLES)
