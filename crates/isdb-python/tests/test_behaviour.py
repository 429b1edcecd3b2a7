"""Signals, threads, forks, logs, memory, and other libraries in the process."""

import logging
import multiprocessing
import os
import subprocess
import sys
import time

import pytest

import isdb
from conftest import run_python

#: A statement that computes for minutes.
ENDLESS = "SELECT count(*) AS n FROM segments a, segments b WHERE a.latitude * b.longitude > random()"


def interrupt(code, uri):
    """Run `code`, send Ctrl-C when it prints `ready`, and return the seconds until it ends and its output."""
    process = subprocess.Popen([sys.executable, "-c", code, uri], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "ready\n", process.stderr.read()
    time.sleep(1)
    began = time.monotonic()
    process.send_signal(2)
    output, errors = process.communicate(timeout=60)
    assert process.returncode == 0, errors
    return time.monotonic() - began, output


PREPARE = f"""
import sys, isdb
db = isdb.open(sys.argv[1])
rows = db.sql({ENDLESS!r})
print("ready", flush=True)
try:
    ASK
except KeyboardInterrupt:
    print("interrupted")
print(db.sql("SELECT 1 AS one").to_arrow()["one"][0])
"""


@pytest.mark.parametrize("ask", ["rows.to_arrow()", "next(iter(rows))", "rows.write('/dev/null', 'csv')", "rows.explain(analyze=True)"])
def test_ctrl_c_ends_a_query_and_the_session_goes_on(uri, ask):
    seconds, output = interrupt(PREPARE.replace("ASK", ask), uri)
    assert output == "interrupted\n1\n" and seconds < 10


def test_ctrl_c_ends_a_query_that_another_library_reads(uri):
    pytest.importorskip("polars")
    ask = "import polars; polars.DataFrame(rows)"
    code = PREPARE.replace("    ASK\nexcept KeyboardInterrupt:", f"    {ask}\nexcept BaseException:")
    # KeyboardInterrupt comes as soon as the other library has returned, at the latest within the handler.
    code = code.replace('    print("interrupted")', "    try:\n        import time; time.sleep(1)\n    except KeyboardInterrupt:\n        pass\n    print('interrupted')")
    seconds, output = interrupt(code, uri)
    assert output == "interrupted\n1\n" and seconds < 15


def test_ctrl_c_drops_the_window_at_work_and_the_next_ingest_continues(granules, tmp_path):
    path = tmp_path / "a.isdb"
    code = """
import sys, isdb
def wait(event):
    # The interrupt comes while the window is read.
    if event["event"] == "read":
        print("ready", flush=True)
        import time; time.sleep(5)
try:
    isdb.ingest(sys.argv[1].split(",")[0], sys.argv[1].split(",")[1], progress=wait)
except KeyboardInterrupt:
    print("interrupted")
report = isdb.ingest(*sys.argv[1].split(","), progress=False)
print(report.counts["failed"], isdb.open(sys.argv[1].split(",")[1]).granules().to_arrow().num_rows)
"""
    _, output = interrupt(code, f"{granules},{path}")
    assert output.splitlines()[-1] == f"0 {len(list(granules.rglob('*.h5')))}" and "interrupted" in output


def test_python_runs_while_a_query_computes(uri):
    code = f"""
import sys, threading, time, isdb
db = isdb.open(sys.argv[1])
ticks = []
def tick():
    while not done.is_set():
        ticks.append(1)
        time.sleep(0.005)
done = threading.Event()
thread = threading.Thread(target=tick)
thread.start()
for _ in range(20):
    db.sql("SELECT median(h_canopy), count(DISTINCT latitude) FROM segments").to_arrow()
done.set(); thread.join()
print(len(ticks))
"""
    assert int(run_python(code, uri)) > 20


@pytest.mark.skipif("fork" not in multiprocessing.get_all_start_methods(), reason="this system has no fork")
def test_a_fork_is_refused_with_advice(uri):
    code = """
import os, sys, isdb
db = isdb.open(sys.argv[1])
read, write = os.pipe()
if os.fork() == 0:
    try:
        db.sql("SELECT 1")
        answer = "no error"
    except isdb.Forked as error:
        answer = str(error)
    os.write(write, answer.encode())
    os._exit(0)
os.wait()
print(os.read(read, 1000).decode())
"""
    answer = run_python(code, uri)
    assert "before this process was forked" in answer and 'get_context("spawn")' in answer


def test_a_process_that_is_spawned_opens_the_database_again(uri):
    code = """
import multiprocessing, sys, isdb
def count(db):
    return db.sql("SELECT count(*) AS n FROM atl08").to_arrow()["n"][0].as_py()
"""
    # A spawned process imports functions from a module.
    import pathlib
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        pathlib.Path(folder, "counting.py").write_text(code)
        main = """
import multiprocessing, sys, isdb
if __name__ == "__main__":
    from counting import count
    db = isdb.open(sys.argv[1]).filters("strong")
    with multiprocessing.get_context("spawn").Pool(2) as pool:
        print(pool.map(count, [db, db]) == [count(db)] * 2)
"""
        pathlib.Path(folder, "main.py").write_text(main)
        done = subprocess.run([sys.executable, "main.py", uri], cwd=folder, capture_output=True, text=True, check=True, timeout=120)
    assert done.stdout == "True\n"


def test_events_go_to_logging(granules, tmp_path):
    code = """
import logging, sys, isdb
logging.basicConfig(level=logging.DEBUG, stream=sys.stdout, format="%(name)s %(levelname)s %(message)s")
for other in ("asyncio", "matplotlib"):
    logging.getLogger(other).setLevel(logging.WARNING)
isdb.open
try: isdb.open("nowhere.isdb")
except isdb.NotFound: pass
isdb.ingest(sys.argv[1], sys.argv[2], progress=False)
"""
    lines = run_python(code, granules, tmp_path / "a.isdb").splitlines()
    assert any(line.startswith("isdb.") and " DEBUG " in line for line in lines), lines[:10]
    quiet = run_python(code.replace("logging.DEBUG", "logging.WARNING"), granules, tmp_path / "b.isdb")
    assert "DEBUG" not in quiet and "INFO" not in quiet


def test_a_handler_that_fails_does_not_end_a_query(db):
    class Failing(logging.Handler):
        def emit(self, record):
            raise RuntimeError("handler")

    logger, handler = logging.getLogger("isdb"), Failing()
    logger.addHandler(handler)
    logger.setLevel(logging.DEBUG)
    try:
        assert db.sql("SELECT 1 AS one").to_arrow().num_rows == 1
    finally:
        logger.removeHandler(handler)
        logger.setLevel(logging.NOTSET)
        db.sql("SELECT 1 AS one").to_arrow()


def resident():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


@pytest.mark.skipif(not os.path.exists("/proc/self/statm"), reason="the memory of a process is read from /proc")
def test_queries_in_a_loop_do_not_gain_memory(db):
    rounds = int(os.environ.get("ISDB_TEST_QUERIES", 600))

    def ask(count):
        for number in range(count):
            rows = db.sql("SELECT latitude, canopy_h, canopy_h_metrics FROM atl08 WHERE canopy_h > $h LIMIT 100", {"h": number % 7})
            rows.to_arrow()
            # One that is not read to its end.
            next(iter(db.sql("SELECT latitude FROM segments")))

    ask(rounds // 3)
    before = resident()
    ask(rounds)
    gained = resident() - before
    print(f"gained {gained / 1e6:.1f} MB in {2 * rounds} queries")
    assert gained < 30e6


ALONE = """
import sys
for name in ORDER:
    __import__(name)
import isdb, numpy, tiledb
db = isdb.open(sys.argv[1])
expected = db.sql("SELECT count(*) AS n, sum(latitude) AS s FROM segments").to_arrow().to_pylist()[0]
info = db.info()
import threading
results = []
def with_tiledb():
    for _ in range(5):
        with tiledb.open(info["segments_uri"], timestamp=info["timestamp"]) as array:
            results.append(array.query(attrs=[], dims=["latitude"])[:]["latitude"])
def with_isdb():
    for _ in range(5):
        assert db.sql("SELECT count(*) AS n, sum(latitude) AS s FROM segments").to_arrow()["n"][0].as_py() == expected["n"]
threads = [threading.Thread(target=work) for work in (with_tiledb, with_isdb, with_tiledb, with_isdb)]
[thread.start() for thread in threads]; [thread.join() for thread in threads]
print(len(results), all(len(r) == expected["n"] for r in results), abs(results[0].sum() - expected["s"]) < 1e-3)
"""


@pytest.mark.parametrize("order", [["isdb", "tiledb"], ["tiledb", "isdb"], ["pyarrow", "polars", "duckdb", "datafusion", "isdb"], ["isdb", "datafusion", "duckdb", "polars"]])
def test_other_libraries_share_the_process(uri, order):
    for name in ("tiledb", *order):
        pytest.importorskip(name)
    assert run_python(ALONE.replace("ORDER", repr(order)), uri) == "10 True True\n"


def test_the_command_is_that_of_the_package(command, uri):
    version = subprocess.run([*command, "--version"], capture_output=True, text=True, check=True).stdout
    assert version.split() == ["isdb", isdb.__version__]
    out = subprocess.run([*command, "--db", uri, "query", "--format", "csv", "SELECT count(*) AS n FROM atl08"], capture_output=True, text=True, check=True)
    assert int(out.stdout.split()[1]) > 0
    wrong = subprocess.run([*command, "query", "--db", "nowhere.isdb", "SELECT 1"], capture_output=True, text=True, check=False)
    assert wrong.returncode == 1 and "hint:" in wrong.stderr
