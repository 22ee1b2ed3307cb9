"""GPTCache on the same pairs and the same vectors, in an environment of its own, without Regista.

    python -m benchmarks.cache.bench --vectors /tmp/questions.npz
    python -m venv /tmp/gptcache && /tmp/gptcache/bin/pip install gptcache faiss-cpu sqlalchemy numpy
    /tmp/gptcache/bin/python benchmarks/cache/gptcache_peer.py /tmp/questions.npz

Its own embedding and evaluation models come from huggingface.co; here it gets the vectors of MiniLM, and of its
evaluators those that need no model are measured: by distance (that of its quick start) and by reciprocal neighbours,
each at its default threshold and at stricter ones. A hit is right where it returns the answer of the pair's own first
question and the pair says the same.
"""

# pyright: basic, reportMissingImports=false

import json
import sys
import tempfile
from pathlib import Path

import numpy as np
from gptcache import Cache, Config
from gptcache.adapter.api import get, put
from gptcache.manager import CacheBase, VectorBase, get_data_manager
from gptcache.processor.pre import get_prompt
from gptcache.similarity_evaluation import KReciprocalEvaluation, SearchDistanceEvaluation

THRESHOLDS = (0.8, 0.9, 0.95, 0.97, 0.98, 0.99)
"""The first is its default."""


def measure(data, evaluation: str, threshold: float) -> dict[str, str | float]:
    vectors = dict(zip(data["texts"].tolist(), data["vectors"], strict=True))
    rows = [(first, second, same == "1") for first, second, same in data["pairs"].tolist()]
    folder = tempfile.mkdtemp()  # written once more when the process ends
    manager = get_data_manager(
        CacheBase("sqlite", sql_url=f"sqlite:///{folder}/cache.db"),
        VectorBase("faiss", dimension=384, index_path=str(Path(folder) / "faiss.index")),
    )
    evaluators = {
        "distance": lambda: SearchDistanceEvaluation(),
        "reciprocal": lambda: KReciprocalEvaluation(vectordb=manager.v),
    }
    cache = Cache()
    cache.init(
        pre_embedding_func=get_prompt,
        embedding_func=lambda text, **_: vectors[text],
        data_manager=manager,
        similarity_evaluation=evaluators[evaluation](),
        config=Config(similarity_threshold=threshold),
    )
    for first in dict.fromkeys(first for first, _, _ in rows):
        put(first, first, cache_obj=cache)
    found = [get(second, cache_obj=cache) for _, second, _ in rows]
    hits = sum(answer is not None for answer in found)
    right = sum(same and answer == first for answer, (first, _, same) in zip(found, rows, strict=True))
    same = sum(same for _, _, same in rows)
    return {
        "evaluation": evaluation,
        "threshold": threshold,
        "hits": hits,
        "right": right,
        "false": hits - right,
        "hit_rate": round(right / same, 3),
        "false_hits": round((hits - right) / hits, 3) if hits else 0.0,
    }


if __name__ == "__main__":
    given = np.load(sys.argv[1])
    for name in ("distance", "reciprocal"):
        for strictness in THRESHOLDS:
            print(json.dumps(measure(given, name, strictness)), flush=True)
