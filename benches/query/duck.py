"""Runs SQL statements on a Parquet file with DuckDB in this process, and times each: the counterpart of main.rs, same protocol.

    duck.py FILE [relation]

`relation` asks for the rows in the other of two ways: it binds a statement twice, and saves a copy of the rows.
"""

import os
import sys
import time
import warnings

import duckdb

from serve import serve


def main() -> None:
    # It recommends the other way of asking, which is an engine of the benchmark, too.
    warnings.filterwarnings("ignore", message="Arrow output on a DB-API result")
    start = time.perf_counter_ns()
    database = duckdb.connect()
    database.execute(f"SET threads = {len(os.sched_getaffinity(0))}")
    database.execute("SET parquet_metadata_cache = true")
    # The order of rows without ORDER BY is free in the other engines, too.
    database.execute("SET preserve_insertion_order = false")
    database.execute("SET TimeZone = 'UTC'")
    file = sys.argv[1].replace("'", "''")
    database.execute(f"CREATE VIEW segments AS SELECT * FROM read_parquet('{file}')")
    opened = (time.perf_counter_ns() - start) / 1e3
    ask = database.sql if sys.argv[2:] == ["relation"] else database.execute
    serve(opened, lambda sql: ask(sql).to_arrow_table())


if __name__ == "__main__":
    main()
