"""Runs SQL statements on a Parquet file with DuckDB in this process, and times each: the counterpart of main.rs, same protocol.

    duck.py FILE
"""

import os
import sys
import time

import duckdb

from serve import serve


def main() -> None:
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
    serve(opened, lambda sql: database.execute(sql).to_arrow_table())


if __name__ == "__main__":
    main()
