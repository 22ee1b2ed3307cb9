"""Runs every benchmark that needs no peer, one after another. Peers: see each one's `--help`.

python -m benchmarks
"""

import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
BENCHMARKS = {
    "start-up": ["startup.py"],
    "gateway": ["-m", "benchmarks.gateway.bench"],
    "retrieval": ["retrieval/bench.py"],
    "reader": ["reader/calibrate.py"],
    "embeddings": ["embeddings/bench.py"],
    "guardrails": ["guardrails/bench.py"],
    "router": ["router/bench.py"],
    "traces": ["observe/bench.py"],
    "spans": ["-m", "benchmarks.observe.otlp"],
    "console": ["-m", "benchmarks.console.pages", "--traces", "20000"],
    "evaluation": ["-m", "benchmarks.evaluation.bench"],
    "batches": ["-m", "benchmarks.batch.bench"],
    "statistics": ["-m", "benchmarks.statistics.bench", "--quick"],
    "caches": ["-m", "benchmarks.cache.bench"],
    "corrections": ["statistics/correction.py"],
    "feedback": ["-m", "benchmarks.feedback.signals"],
}

if __name__ == "__main__":
    failed = 0
    for name, (first, *rest) in BENCHMARKS.items():
        print(f"\n## {name}\n", flush=True)
        command = [first, *rest] if first == "-m" else [str(HERE / first), *rest]
        failed += subprocess.run([sys.executable, *command], cwd=HERE.parent, check=False).returncode != 0
    sys.exit(failed)
