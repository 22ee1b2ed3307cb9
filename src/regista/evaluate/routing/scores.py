"""How good models were on questions, from the runs of a suite: by the question and by what the calls are billed as.

An output names its trace and a trace its calls, so it is known which model wrote it, whatever the variant was called.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence

from regista.core.digest import score_key
from regista.evaluate.routing.simulate import Scores
from regista.store import Database, evaluations, ledger


def scores_of(database: Database, application: str, suite: str) -> tuple[Scores, str]:
    """The mean score of each question and model over all runs of a suite, on its newest headline, and the headline."""
    runs = evaluations.runs(database, application, suite)
    if not runs:
        return {}, ""
    headline, version = runs[0].headline, runs[0].scorers[runs[0].headline]
    alike = [run for run in runs if run.scorers.get(headline) == version]
    found: dict[tuple[str, tuple[str, str]], list[float]] = defaultdict(list)
    for run in alike:
        for page in evaluations.results(database, run.id):
            for key, value in _page(database, [line for line in page if not line.failed], version):
                found[key].append(value)
    return {key: sum(values) / len(values) for key, values in found.items()}, headline


def _page(
    database: Database, lines: "Sequence[evaluations.Scored]", version: str
) -> "Iterator[tuple[tuple[str, tuple[str, str]], float]]":
    keys = {line: score_key(line.output_digest, line.case, version.encode()) for line in lines}
    scores = evaluations.scores(database, list(keys.values()))
    outputs = evaluations.contents(database, [line.output_digest for line in lines])
    cases = evaluations.cases(database, [line.case for line in lines])
    models = ledger.models(database, [output.trace_id for output in outputs.values() if output.trace_id])
    for line, key in keys.items():
        score = scores.get(key)
        model = models.get(outputs[line.output_digest].trace_id)
        if score is not None and score.value is not None and model is not None:
            yield (cases[line.case].question, model), score.value
