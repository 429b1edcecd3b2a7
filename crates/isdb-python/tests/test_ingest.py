"""Ingest, its report and its progress."""

import pathlib

import pyarrow as pa
import pytest

import isdb


def test_an_ingest_reports_each_granule(granules, tmp_path):
    events = []
    report = isdb.ingest(granules, tmp_path / "a.isdb", filters="strong,night", memory="1GB", threads=2, progress=events.append)
    files = len(list(granules.rglob("*.h5")))
    # Granules of the day have nothing that passes the filter.
    assert report.counts["ingested"] + report.counts["empty"] == files == len(report.granules) and report.counts["empty"] > 0
    assert set(report.granules["state"]) == {"ingested", "empty"} and set(report.filters["filter"]) == {"strong", "night"}
    db = isdb.open(tmp_path / "a.isdb")
    stored = db.sql("SELECT count(*) AS n FROM segments").to_arrow()["n"][0].as_py()
    assert report.segments == stored == db.info()["segments"] > 0
    assert report.data["filters"] and "ingested" in repr(report)
    names = [event["event"] for event in events]
    assert names.index("found") < names.index("committed")
    assert [event for event in events if event["event"] == "committed"][-1]["segments"] == stored


def test_a_repeated_ingest_skips_what_the_database_has(own, granules):
    path, _ = own
    db = isdb.open(path)
    report = db.ingest(sorted(granules.glob("*.h5"))[:2], progress=False)
    assert (report.counts["ingested"], report.counts["skipped"]) == (1, 1)
    assert db.granules().to_arrow().num_rows == 2


def test_a_file_that_is_not_a_granule_is_an_outcome(granules, tmp_path):
    folder = tmp_path / "mixed"
    folder.mkdir()
    good = next(granules.glob("*.h5"))
    (folder / good.name).write_bytes(good.read_bytes())
    (folder / "ATL08_20200101000000_00010101_006_01.h5").write_bytes(good.read_bytes()[:5000])
    report = isdb.ingest(folder, tmp_path / "b.isdb", progress=False)
    assert report.counts["ingested"] == 1 and report.counts["failed"] == 1
    assert report.failures[0][0].startswith("ATL08_20200101000000")
    with pytest.raises(isdb.GranulesFailed, match="1 granules failed"):
        report.raise_for_failures()


def test_invalid_options_are_refused_before_anything_is_written(granules, tmp_path):
    path = tmp_path / "c.isdb"
    for options in ({"filters": "stong"}, {"memory": "1"}, {"region": (1, 2, 3)}, {"start": "soon"}, {"config": "missing.yml"}):
        with pytest.raises(isdb.Error):
            isdb.ingest(granules, path, progress=False, **options)
    with pytest.raises(isdb.NotFound):
        isdb.ingest(tmp_path / "none*.h5", path, progress=False)
    with pytest.raises(isdb.InvalidValue, match="expected granules, or a region"):
        isdb.ingest(None, path, progress=False)
    assert not path.exists()


def test_a_region_keeps_its_segments_alone(granules, tmp_path):
    shapely = pytest.importorskip("shapely")
    whole = isdb.ingest(granules, tmp_path / "whole.isdb", progress=False).segments
    extent = isdb.open(tmp_path / "whole.isdb").info()["extent"]
    west, east = extent["longitude"]
    half = shapely.box(west, extent["latitude"][0], (west + east) / 2, extent["latitude"][1])
    report = isdb.ingest(granules, tmp_path / "half.isdb", region=half, progress=False)
    assert 0 < report.segments < whole
    assert isdb.open(tmp_path / "half.isdb").info()["region_geojson"]


def test_an_error_of_the_listener_ends_the_ingest_and_the_next_one_continues(granules, tmp_path):
    path = tmp_path / "d.isdb"

    def fail(event):
        if event["event"] in ("read", "committed"):
            raise RuntimeError("enough")

    with pytest.raises(RuntimeError, match="enough"):
        isdb.ingest(granules, path, progress=fail)
    report = isdb.ingest(granules, path, progress=False)
    assert report.counts["failed"] == 0
    assert isdb.open(path).granules().to_arrow().num_rows == len(list(granules.rglob("*.h5")))


def test_an_ingest_that_another_one_excludes_is_locked(granules, tmp_path):
    path = tmp_path / "e.isdb"
    first = next(granules.glob("*.h5"))
    isdb.ingest(first, path, progress=False)
    refused = []

    def ingest_too(event):
        if event["event"] == "read" and not refused:
            with pytest.raises(isdb.Locked) as error:
                isdb.ingest(granules, path, progress=False)
            refused.append(error.value)

    isdb.ingest(granules, path, progress=ingest_too)
    assert not refused or "wait for the other" in refused[0].hint


def test_a_bar_is_shown_where_tqdm_is(granules, tmp_path, capsys):
    isdb.ingest(next(granules.glob("*.h5")), tmp_path / "f.isdb")
    shown = capsys.readouterr()
    assert "granules to ingest: 1" in shown.err + shown.out and "segments" in shown.err


def test_a_granule_is_read_without_a_database(granules, own):
    path, _ = own
    file = sorted(granules.glob("*.h5"))[0]
    granule = isdb.read_granule(file, ["h_canopy", "night_flag"])
    assert granule.id.startswith("ATL08_") and "h_canopy" in granule.to_arrow().column_names
    stored = isdb.open(path).sql("SELECT h_canopy FROM segments").to_arrow()
    assert len(granule) == stored.num_rows
    assert granule.to_arrow()["h_canopy"].null_count == stored["h_canopy"].null_count > 0
    assert pa.table(granule).num_rows == len(granule)
    assert len(isdb.read_granule(file).to_arrow().column_names) > 90
    with pytest.raises(isdb.InvalidValue, match="h_canopi"):
        isdb.read_granule(file, ["h_canopi"])
    with pytest.raises(isdb.Error, match="HDF5"):
        isdb.read_granule(pathlib.Path(__file__))


def test_variables_and_filters_are_frames(db):
    pytest.importorskip("pandas")
    everything, stored = isdb.variables(), db.variables()
    assert everything.set_index("name").loc["h_canopy", "units"] == "meters"
    assert len(everything) == len(stored) and set(stored["stored"]) <= {"yes", "no"}
    assert "strong" in set(isdb.filters()["filter"])


def test_a_citation_names_the_data_set_and_the_state(db):
    citation = db.cite()
    assert "Neuenschwander" in citation and f"--at {db.timestamp}" in citation
    assert citation.data["at"] == db.timestamp and citation.data["releases"]


def test_tqdm_is_optional(granules, tmp_path, monkeypatch, capsys):
    import sys

    for name in ("tqdm", "tqdm.auto"):
        monkeypatch.setitem(sys.modules, name, None)
    isdb.ingest(next(granules.glob("*.h5")), tmp_path / "g.isdb")
    assert "granules: 1 of 1" in capsys.readouterr().err
