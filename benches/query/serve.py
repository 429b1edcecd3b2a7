"""Answers the requests of run.py on standard input, as main.rs does."""

import json
import sys
import time
from collections.abc import Callable

from answer import describe


def serve(opened: float, run: Callable, table: Callable = lambda rows: rows) -> None:
    """Reports the microseconds to open, then times `run` on each statement; `table` makes an Arrow table of what it returns."""
    print(json.dumps({"micros": [opened]}), flush=True)
    for line in sys.stdin:
        request = json.loads(line)
        micros, answers = [], []
        for statement in request["statements"]:
            start = time.perf_counter_ns()
            rows = run(statement)
            micros.append((time.perf_counter_ns() - start) / 1e3)
            if request["answers"]:
                answers.append(describe(table(rows)))
        print(json.dumps({"micros": micros, "answers": answers}), flush=True)
