"""Side-by-side measurements. Each folder is one; `python -m benchmarks` runs those that need no peer installed."""
