"""Retrieval on Cranfield: quality and cost of each retriever, through the real library.

    python benchmarks/retrieval/bench.py [--data DIR] [--embedder auto] [--json]

1,400 abstracts as Markdown files are ingested as any application's are. Relevance is binary: grades
1 to 4 are relevant, -1 is not (Cleverdon's code 1 is the best). A query's number is its ordinal. A
document's rank is that of its first chunk. Documents 471 and 995 are empty.
"""

import argparse
import asyncio
import json
import math
import re
import resource
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from regista.models.worker import EmbeddingWorker, open_embedder
from regista.serve.context.chunkers import chunkers
from regista.serve.context.library import IngestReport, Library
from regista.store import connect

if TYPE_CHECKING:
    from regista.models.embeddings import Vectors

DATA = Path(__file__).parents[3] / "shared" / "data" / "retrieval" / "cranfield"
RETRIEVERS = ("lexical", "vector", "hybrid")
DEEP = 400
"""Chunks asked for, so that 100 documents are among them."""
ROUNDS = 5
_FIELD = re.compile(r"^\.([ITABW])[ ]?(.*)$", re.MULTILINE)


class Query(msgspec.Struct):
    """A line of `queries.jsonl`."""

    query: int
    text: str


class Embedder:
    """The worker, with the vectors of queries made beforehand, so that a search can be measured without them."""

    def __init__(self, worker: EmbeddingWorker) -> None:
        self.worker = worker
        self.name = worker.name
        self.queries: dict[str, Vectors] = {}

    async def start(self) -> None:
        await self.worker.start()

    async def embed(self, texts: Sequence[str], bulk: bool = False) -> "Vectors":
        known = None if bulk else self.queries.get(texts[0])
        return known if known is not None else await self.worker.embed(texts, bulk=bulk)


def read_documents(path: Path) -> dict[str, str]:
    """Markdown by document number."""
    documents: dict[str, str] = {}
    for record in re.split(r"^(?=\.I )", path.read_text("latin-1"), flags=re.MULTILINE)[1:]:
        parts = _FIELD.split(record)[1:]
        fields = {parts[at]: parts[at + 1] + parts[at + 2] for at in range(0, len(parts), 3)}
        title = " ".join(fields.get("T", "").split())
        documents[fields["I"].strip()] = f"# {title}\n\n{fields.get('W', '').strip()}\n" if title else ""
    return documents


def read_relevant(path: Path) -> dict[int, set[str]]:
    """Relevant documents by query."""
    relevant: dict[int, set[str]] = {}
    for line in path.read_text().splitlines()[1:]:
        query, document, grade = line.split("\t")
        if int(grade) > 0:
            relevant.setdefault(int(query), set()).add(document)
    return relevant


def ndcg(ranking: Sequence[str], relevant: set[str], k: int) -> float:
    """Normalised discounted cumulative gain at `k`, binary."""
    gain = sum(1 / math.log2(rank + 1) for rank, document in enumerate(ranking[:k], 1) if document in relevant)
    return gain / sum(1 / math.log2(rank + 1) for rank in range(1, min(k, len(relevant)) + 1))


def recall(ranking: Sequence[str], relevant: set[str], k: int) -> float:
    """Share of the relevant documents among the first `k`."""
    return len(relevant.intersection(ranking[:k])) / len(relevant)


async def measure(library: Library, queries: Sequence[Query], relevant: dict[int, set[str]]) -> dict[str, float]:
    """Means over the queries, and the CPU time of a search for 10 passages, all threads included."""
    figures: dict[str, list[float]] = {"nDCG@10": [], "R@10": [], "R@100": []}
    for query in queries:
        found = await library.retrieve(query.text, DEEP)
        if found.reason:
            raise SystemExit(f"The search was poorer than it should be: {found.reason}")
        ranking = list(dict.fromkeys(hit.document.removesuffix(".md") for hit in found.hits))
        wanted = relevant[query.query]
        figures["nDCG@10"].append(ndcg(ranking, wanted, 10))
        figures["R@10"].append(recall(ranking, wanted, 10))
        figures["R@100"].append(recall(ranking, wanted, 100))
    began = time.process_time()
    for _ in range(ROUNDS):
        for query in queries:
            await library.retrieve(query.text, 10)
    spent = (time.process_time() - began) / (ROUNDS * len(queries))
    return {name: sum(values) / len(values) for name, values in figures.items()} | {"CPU ms/query": spent * 1000}


def cpu_seconds() -> float:
    """CPU time of this process and of its children that have ended."""
    used = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(one.ru_utime + one.ru_stime for one in used)


async def ingest(library: Library, data: Path, folder: Path) -> tuple[IngestReport, float]:
    """Write the collection as files and ingest it; with the CPU seconds, those of embedding left out."""
    documents = folder / "documents"
    documents.mkdir()
    for number, text in read_documents(data / "cran.all.1400").items():
        (documents / f"{number}.md").write_text(text)
    began = cpu_seconds()
    report = await library.ingest(documents, _show)
    return report, cpu_seconds() - began


def _show(done: int, total: int, what: str) -> None:
    if sys.stderr.isatty():
        print(f"\r{done}/{total} {what:<20}", end="", file=sys.stderr)


async def run(data: Path, embedder_name: str) -> dict[str, Any]:
    """Ingest, search, measure."""
    worker = await open_embedder(embedder_name)
    await worker.start()
    embedder = Embedder(worker)
    queries = [msgspec.json.decode(line, type=Query) for line in (data / "queries.jsonl").read_bytes().splitlines()]
    relevant = read_relevant(data / "qrels.tsv")
    queries = [query for query in queries if query.query in relevant]
    with tempfile.TemporaryDirectory() as temporary:
        state = Path(temporary) / "state"
        database = connect(f"sqlite://{state / 'regista.db'}")
        chunker = chunkers.build("structure")
        results: dict[str, dict[str, float]] = {}
        libraries = {
            name: Library(database, state, "cranfield", chunker=chunker, embedder=embedder, retriever=name)
            for name in RETRIEVERS
        }
        for library in libraries.values():
            await library.open()
        report, cpu = await ingest(libraries["hybrid"], data, Path(temporary))
        embedder.queries = {query.text: await worker.embed([query.text]) for query in queries}
        for name, library in libraries.items():
            await library.refresh()
            results[name] = await measure(library, queries, relevant)
            await library.close()
        database.close()
        before = cpu_seconds()
        await worker.close()
    return {
        "embedder": embedder.name,
        "queries": len(queries),
        "ingest": msgspec.to_builtins(report),
        "index_cpu_s": cpu,
        "embedding_cpu_s": cpu_seconds() - before,
        "retrievers": results,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description="Retrieval quality and cost on Cranfield.")
    parser.add_argument(
        "--data", type=Path, default=DATA, help="The folder of cran.all.1400, queries.jsonl, qrels.tsv."
    )
    parser.add_argument("--embedder", default="auto", help="minilm, hashed or auto.")
    parser.add_argument("--json", action="store_true", help="Print JSON instead of a table.")
    arguments = parser.parse_args()
    if not (arguments.data / "cran.all.1400").is_file():
        raise SystemExit(f"There is no Cranfield collection in {arguments.data}. Say where it is: --data DIR")
    result = asyncio.run(run(arguments.data, arguments.embedder))
    if arguments.json:
        print(json.dumps(result, indent=2))
        return
    names = list(result["retrievers"]["hybrid"])
    print(f"Cranfield, {result['queries']} queries, {result['ingest']['chunks']} chunks, {result['embedder']}")
    print(f"{'':<10}" + "".join(f"{name:>14}" for name in names))
    for retriever, figures in result["retrievers"].items():
        print(f"{retriever:<10}" + "".join(f"{figures[name]:>14.4f}" for name in names))
    print(f"ingest: {result['index_cpu_s']:.1f} CPU s, and {result['embedding_cpu_s']:.1f} to embed")
    for document, reason in result["ingest"]["failed"]:
        print(f"not ingested: {document}: {reason}")


if __name__ == "__main__":
    main()
