"""Databases of synthetic granules, made once for all tests."""

import os
import pathlib
import subprocess
import sys
import sysconfig

import pytest

import isdb

ROOT = pathlib.Path(__file__).resolve().parents[3]
#: The folder with the example that makes granules.
PROGRAMS = pathlib.Path(os.environ.get("ISDB_TEST_PROGRAMS", ROOT / "target" / "debug"))


@pytest.fixture(scope="session")
def granules(tmp_path_factory):
    """A folder with granules of three passes, which are repeated."""
    folder = tmp_path_factory.mktemp("granules")
    subprocess.run([PROGRAMS / "examples" / "make_granules", folder, "--repeat", "2"], check=True, stdout=subprocess.DEVNULL)
    return folder


@pytest.fixture(scope="session")
def uri(granules, tmp_path_factory):
    """A database of these granules that no test changes."""
    path = tmp_path_factory.mktemp("databases") / "shared.isdb"
    report = isdb.ingest(granules, path, progress=False)
    assert report.counts["failed"] == 0 and report.segments > 10_000
    return str(path)


@pytest.fixture
def db(uri):
    return isdb.open(uri)


@pytest.fixture
def own(granules, tmp_path):
    """The path of a database of one granule, and the path of another granule, for tests that change it."""
    first, second, *_ = sorted(granules.glob("*.h5"))
    path = tmp_path / "own.isdb"
    isdb.ingest(first, path, progress=False)
    return path, second


@pytest.fixture(scope="session")
def command():
    """The `isdb` command of this Python environment, as a list of arguments."""
    script = pathlib.Path(sysconfig.get_path("scripts")) / "isdb"
    return [str(script)] if script.exists() else [sys.executable, "-m", "isdb"]


def run_python(code, *arguments, **environment):
    """Run `code` in another interpreter, and return its standard output."""
    done = subprocess.run(
        [sys.executable, "-c", code, *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=120,
        env={**os.environ, **environment},
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout
