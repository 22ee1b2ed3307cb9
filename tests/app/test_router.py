"""The `[router]` table as it is read: every mistake with its line, and nothing set up that is never asked."""

from pathlib import Path

import pytest
from tests.app.conftest import MakeFolder

from regista.app.folder import read
from regista.app.mistakes import FolderError
from regista.serve.router.rules import Rule

HEAD = """[app]
model = "small"
[models.small]
model = "echo/small"
[models.large]
model = "echo/large"
"""


def mistakes(make_folder: MakeFolder, router: str) -> list[str]:
    """What is said of a configuration, each with its line after the head's six."""
    folder = make_folder({"regista.toml": HEAD + router, "tools.py": None, "evals/first.jsonl": None})
    try:
        read(folder)
    except FolderError as error:
        return [f"{mistake.line - 6}: {mistake.message}" for mistake in error.mistakes]
    return []


RULES = '[router]\npolicies = ["rules"]\n'


@pytest.mark.parametrize(
    ("router", "message"),
    [
        ('[router]\npolicies = ["rule"]', "2: There is no routing policy 'rule'. Did you mean 'rules'?"),
        ("[router]\npolicy = []", "2: There is no key or policy 'policy'. Did you mean 'policies'?"),
        (RULES, "2: The policy rules has no rules"),
        (RULES + '[router.rules.when.a]\nmodel = "smal"', "4: There is no model 'smal'. Did you mean 'small'?"),
        (RULES + '[router.rules.when.a]\ntenant = "t"', "3: router.rules.when.a needs the key 'model'."),
        (RULES + '[router.rules.when.a]\nmodel = "small"\ntenants = "t"', "5: There is no key 'tenants'. Did you mean"),
        (
            RULES + '[router.rules.when.a]\nmodel = "small"\nmin_tokens = -1',
            "5: router.rules.when.a.min_tokens: Expected",
        ),
        (
            RULES + '[router.rules.when.a]\nmodel = "small"\ncarries = "image"',
            "5: router.rules.when.a.carries: Invalid",
        ),
        (RULES + "[router.rules.wen]", "3: There is no option of the routing policy rules 'wen'."),
        (
            RULES + '[router.rules.when.a]\nmodel = "small"\n[router.rules.when.b]\nmodel = "large"',
            "3: The rule 'b' never decides: 'a' stands before it",
        ),
        ('[router]\npolicies = []\n[router.economy]\nmodels = ["small"]', "3: economy is set up here and never asked"),
        ('[router]\npolicies = ["economy"]', "2: The policy economy needs models"),
        (
            '[router]\npolicies = ["economy"]\n[router.economy]\nmodels = ["small", "larg"]',
            "4: There is no model 'larg'. Did you mean 'large'?",
        ),
        ('[router]\nshadow = "larg"', "2: There is no model 'larg'."),
        ('[router]\nshadow = "large"\nshadow_share = 2.0', "3: router.shadow_share: Expected"),
        (
            '[router]\npolicies = ["learned"]\n[router.learned]\nstrong = "large"',
            "3: The policy learned needs two models",
        ),
        (
            '[router]\npolicies = ["learned"]\n[router.learned]\nstrong = "large"\nweak = "small"\nshare = 1.5',
            "6: router.learned.share: Expected",
        ),
        (
            '[router]\npolicies = ["semantic"]\n[router.semantic.classes.a]\nmodel = "small"\nexamples = ["x"]',
            "3: The policy semantic needs two classes",
        ),
    ],
)
def test_a_mistake_is_told_with_its_line(make_folder: MakeFolder, router: str, message: str) -> None:
    assert any(told.startswith(message) for told in mistakes(make_folder, router)), mistakes(make_folder, router)


@pytest.mark.parametrize("back", ["small", "router", "club"])
def test_a_way_that_leads_from_the_router_through_a_fallback_back_is_refused(
    make_folder: MakeFolder, back: str
) -> None:
    looped = HEAD.replace('"echo/large"', f'"echo/large"\nfallbacks = ["{back}"]')
    looped = looped.replace('"echo/small"', '"echo/small"\nfallbacks = ["large"]')
    rule = RULES + '[router.rules.when.a]\nmodel = "large"\n'
    with pytest.raises(FolderError) as refused:
        read(make_folder({"regista.toml": looped + rule, "tools.py": None, "evals/first.jsonl": None}))
    expected = "lead back to themselves" if back == "small" else f"There is no model '{back}'"
    assert any(expected in mistake.message for mistake in refused.value.mistakes)


def test_rules_are_read_in_the_order_they_are_written(make_folder: MakeFolder) -> None:
    when = "\n".join(f'[router.rules.when.{name}]\nmodel = "large"\ntenant = "{name}"' for name in "zma")
    folder = make_folder({"regista.toml": HEAD + RULES + when, "tools.py": None, "evals/first.jsonl": None})
    router = read(folder).settings.router
    assert router is not None
    assert list(router.options["rules"]["when"].items()) == [(n, Rule("large", tenant=n)) for n in "zma"]


def digest(make_folder: MakeFolder, router: str, files: "dict[str, str] | None" = None) -> str:
    changes = {"regista.toml": HEAD + router, "tools.py": None, "evals/first.jsonl": None, **(files or {})}
    return read(make_folder(changes)).digest


def test_a_shadow_changes_no_answer_and_a_rule_and_a_trained_head_do(make_folder: MakeFolder) -> None:
    rule = RULES + '[router.rules.when.a]\nmodel = "large"\nmin_tokens = 9\n'
    shadowed = rule.replace("[router]\n", '[router]\nshadow = "large"\nshadow_share = 0.5\n')
    assert digest(make_folder, rule) == digest(make_folder, shadowed)
    assert digest(make_folder, rule) != digest(make_folder, rule.replace("9", "8"))
    learned = '[router]\npolicies = ["learned"]\n[router.learned]\nstrong = "large"\nweak = "small"\n'
    heads = {digest(make_folder, learned, {"router/learned.json": body}) for body in ("{}", "{} ")}
    assert len(heads | {digest(make_folder, learned)}) == 3


def test_a_variant_may_route_otherwise(make_folder: MakeFolder, tmp_path: Path) -> None:
    rule = RULES + '[router.rules.when.a]\nmodel = "large"\nmin_tokens = 9\n'
    files = {"regista.toml": HEAD, "variants/routed.toml": rule, "tools.py": None, "evals/first.jsonl": None}
    folder = make_folder(files)
    assert read(folder).settings.router is None
    assert read(folder, "routed").settings.router is not None
