"""`isdb.icesat2db` beside icesat2db itself: the same rows in an array of that package and in a database."""

import pathlib
import warnings

import numpy
import pytest

import isdb
import isdb.icesat2db as ours

pandas = pytest.importorskip("pandas")
geopandas = pytest.importorskip("geopandas")
shapely = pytest.importorskip("shapely")
yaml = pytest.importorskip("yaml")

#: Fills of integers in the arrays of icesat2db.
FILLS = {"int8": 127, "int16": 32767, "int32": 2**31 - 1}


@pytest.fixture(scope="module")
def theirs_package():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return pytest.importorskip("icesat2db")


@pytest.fixture(scope="module")
def config_file(theirs_package):
    """The config that icesat2db ships."""
    return pathlib.Path(theirs_package.__file__).parents[1] / "data" / "config_files" / "data_config.yml"


@pytest.fixture(scope="module")
def database(granules, config_file, tmp_path_factory):
    """A database of segments with a canopy height, as icesat2db stores them."""
    path = tmp_path_factory.mktemp("compared") / "ours.isdb"
    config = path.with_suffix(".yml")
    config.write_text("product: ATL08\nfilters:\n  - has_canopy: h_canopy IS NOT NULL\n")
    isdb.ingest(granules, path, config=config, progress=False)
    return path


@pytest.fixture(scope="module")
def array(theirs_package, database, config_file, tmp_path_factory):
    """The segments of the database in an array that icesat2db has made, with its fills."""
    from icesat2db.core.icesat2database import IceSat2Database

    folder = tmp_path_factory.mktemp("theirs")
    config = yaml.safe_load(config_file.read_text())
    config["tiledb"]["local_path"] = str(folder)
    writer = IceSat2Database(config)
    writer._create_arrays()
    variables = config["level_atl08"]["variables"]
    provider = ours.IceSat2Provider(local_path=database)
    scalars, *_ = provider.query_data(list(variables))
    frame = pandas.DataFrame(scalars)
    frame["time"] = pandas.to_datetime(frame["time"], unit="D")
    for name, variable in variables.items():
        length = variable.get("profile_length") or variable.get("subsegment_length")
        for column in [f"{name}_{number}" for number in range(1, length + 1)] if length else [name]:
            kind = variable["dtype"]
            if kind.startswith("U"):
                frame[column] = frame[column].astype(str)
            elif kind in FILLS:
                frame[column] = frame[column].fillna(FILLS[kind]).astype(kind)
            else:
                frame[column] = frame[column].astype(kind)
    for _, part in writer.spatial_chunking(frame):
        writer.write_granule(part)
    return folder


@pytest.fixture(scope="module")
def both(theirs_package, array, database):
    from icesat2db.core.icesat2provider import IceSat2Provider

    return IceSat2Provider(storage_type="local", local_path=str(array)), ours.IceSat2Provider(storage_type="local", local_path=str(database))


@pytest.fixture(scope="module")
def areas(database):
    extent = isdb.open(database).info()["extent"]
    (west, east), (south, north) = extent["longitude"], extent["latitude"]
    middle = (west + east) / 2
    frame = lambda shape: geopandas.GeoDataFrame(geometry=[shape], crs="EPSG:4326")  # noqa: E731
    return {
        "box": frame(shapely.box(west, south, middle, north)),
        "triangle": frame(shapely.Polygon([(west, south - 1), (east, south - 1), (middle, north)])),
        "everything": frame(shapely.box(west, south, east, north)),
        "nothing": frame(shapely.box(0, 89, 1, 89.5)),
    }


ALL = object()


@pytest.mark.parametrize(
    ("area", "options"),
    [
        ("box", {"variables": ["h_canopy", "h_te_best_fit", "snr", "beam_id", "rgt"]}),
        ("triangle", {"variables": ["h_canopy"]}),
        ("triangle", {"variables": ["h_canopy"], "use_polygon_filter": False}),
        ("box", {"variables": ["canopy_h_metrics", "h_canopy_20m", "h_canopy"]}),
        ("box", {"variables": ["canopy_h_metrics:50", "h_canopy_20m:50"]}),
        ("everything", {"variables": ["h_canopy"], "segment_landcover": "in [111, 112, 113, 114, 115, 116, 20, 30]", "h_canopy": ">= 5 and <= 60"}),
        ("everything", {"variables": ["h_canopy"], "n_te_photons": ">= 10", "night_flag": "== 1"}),
        ("everything", {"variables": ["h_canopy"], "beam_id": "== 'gt1l'"}),
        ("everything", {"variables": ["h_canopy", "delta_time"], "start_time": "2019-03-01", "end_time": "2019-12-31"}),
        ("everything", {"variables": ALL}),
    ],
)
def test_a_query_has_the_rows_columns_and_values_of_icesat2db(both, areas, config_file, area, options):
    if options["variables"] is ALL:
        options = {**options, "variables": list(yaml.safe_load(config_file.read_text())["level_atl08"]["variables"])}
    theirs, mine = (provider.get_data(geometry=areas[area], return_type="dataframe", **options) for provider in both)
    assert set(theirs.columns) == set(mine.columns)
    assert len(theirs) == len(mine) > 0
    order = ["segment_id", "latitude"]
    theirs, mine = (frame.sort_values(order).reset_index(drop=True) for frame in (theirs, mine))
    # Times are days there, and exact here.
    assert (theirs["time"] == mine["time"].dt.floor("D")).all()
    for name in theirs.columns.drop("time"):
        first, second = theirs[name], mine[name]
        if first.dtype.kind not in "fiu":
            assert list(map(str, first)) == list(map(str, second)), name
            continue
        first, second = first.to_numpy("f8"), second.to_numpy("f8")
        # What is missing is NaN here, and mostly a fill there.
        missing = numpy.isnan(second)
        assert numpy.allclose(first[~missing], second[~missing], rtol=1e-6, equal_nan=True), name
        assert (numpy.isnan(first[missing]) | (numpy.abs(first[missing]) >= 127)).all(), name


def test_a_dataset_has_the_dimensions_of_icesat2db(both, areas):
    variables = ["h_canopy", "canopy_h_metrics", "h_canopy_20m"]
    theirs, mine = (provider.get_data(variables, geometry=areas["box"]) for provider in both)
    assert dict(theirs.sizes) == dict(mine.sizes)
    assert set(theirs.data_vars) == set(mine.data_vars) and set(theirs.coords) == set(mine.coords)
    for name in ("percentile", "along_track_offset_m"):
        assert theirs[name].to_numpy().tolist() == mine[name].to_numpy().tolist()
    assert mine["h_canopy"].attrs["units"] == "meters"


def test_query_data_has_the_arrays_of_icesat2db(both, areas):
    variables = ["h_canopy", "canopy_h_metrics", "h_canopy_20m"]
    theirs, mine = (provider.query_data(variables, areas["box"]) for provider in both)
    assert set(theirs[0]) - {"timestamp_ns"} == set(mine[0]) and theirs[1] == mine[1] and theirs[2] == mine[2] and theirs[3] == mine[3]
    assert sorted(theirs[0]["time"].tolist()) == sorted(mine[0]["time"].tolist())
    frame = both[1].to_dataframe(*mine)
    assert len(frame) == len(mine[0]["latitude"]) and "canopy_h_metrics_p50" in frame
    data = both[1].to_xarray(mine[0], both[1].get_available_variables(), *mine[1:])
    assert data["canopy_h_metrics"].dims == ("segment_id", "percentile") and data["h_canopy"].attrs["units"] == "meters"


def test_nothing_is_none(both, areas):
    theirs, mine = (provider.get_data(["h_canopy"], geometry=areas["nothing"]) for provider in both)
    assert theirs is None and mine is None
    assert both[1].query_data(["h_canopy"], areas["nothing"]) == ({}, {}, {}, {})


def test_the_nearest_segments_are_nearest_in_metres(both, database):
    everything = isdb.open(database).sql("SELECT latitude, longitude FROM atl08").to_pandas()
    row = everything.iloc[len(everything) // 2]
    point = (row["longitude"] + 0.01, row["latitude"] + 0.01)
    mine = both[1].get_data(["h_canopy"], point=point, num_shots=20, radius=0.5, query_type="nearest", return_type="dataframe")
    assert len(mine) == 20

    def metres(frame):
        latitude, longitude = numpy.radians(frame["latitude"]), numpy.radians(frame["longitude"])
        lat, lon = numpy.radians(point[1]), numpy.radians(point[0])
        half = numpy.sin((latitude - lat) / 2) ** 2 + numpy.cos(latitude) * numpy.cos(lat) * numpy.sin((longitude - lon) / 2) ** 2
        return 6_371_008.8 * 2 * numpy.arcsin(numpy.sqrt(half))

    best = numpy.sort(metres(everything))[:20]
    assert numpy.allclose(numpy.sort(metres(mine)), best, rtol=0.006)
    theirs = both[0].get_data(["h_canopy"], point=point, num_shots=20, radius=0.5, query_type="nearest", return_type="dataframe")
    assert numpy.sort(metres(theirs)).sum() >= best.sum() * 0.99


def test_an_array_of_icesat2db_is_read_where_it_is(both, array, areas):
    direct = ours.IceSat2Provider(local_path=array)
    for area in ("box", "triangle"):
        theirs, mine = (
            provider.get_data(["h_canopy", "canopy_h_metrics", "beam_id"], geometry=areas[area], return_type="dataframe", h_canopy="> 5")
            for provider in (both[0], direct)
        )
        order = ["segment_id", "latitude"]
        theirs, mine = (frame.sort_values(order).reset_index(drop=True) for frame in (theirs, mine))
        assert len(theirs) == len(mine) > 0 and set(theirs.columns) == set(mine.columns)
        assert numpy.allclose(theirs["h_canopy"], mine["h_canopy"]) and (theirs["segment_id"] == mine["segment_id"]).all()


@pytest.mark.parametrize("condition", ["like 3", "> 5 and beam", "> 5 or < 2", "5", "> drop", "in [a, b]", "> 5; DROP"])
def test_a_condition_that_icesat2db_misreads_is_refused(both, areas, condition):
    with pytest.raises(ValueError, match="h_canopy"):
        both[1].get_data(["h_canopy"], geometry=areas["box"], h_canopy=condition)


def test_invalid_arguments_are_refused_as_there(both, areas, tmp_path):
    provider = both[1]
    for options in (
        {"query_type": "circle"},
        {"return_type": "csv", "geometry": areas["box"]},
        {"query_type": "nearest"},
        {"query_type": "nearest", "point": (1, 2), "num_shots": 0, "radius": 1},
        {"query_type": "nearest", "point": (1, 2), "num_shots": 5, "radius": -1},
    ):
        with pytest.raises(ValueError):
            provider.get_data(["h_canopy"], **options)
    with pytest.raises(ValueError, match="label '51' not found"):
        provider.get_data(["canopy_h_metrics:51"])
    with pytest.raises(isdb.UnknownColumn, match="h_canopi"):
        provider.get_data(["h_canopi"])
    with pytest.raises(ValueError, match="storage_type"):
        ours.IceSat2Provider(storage_type="ftp")
    with pytest.raises(isdb.NotFound):
        ours.IceSat2Provider(local_path=tmp_path)


def test_variables_have_their_descriptions(both):
    theirs, mine = (provider.get_available_variables() for provider in both)
    shared = set(theirs.index) & set(mine.index)
    assert len(shared) >= len(theirs) - 2 and mine.loc["h_canopy", "units"] == "meters" and mine.loc["h_canopy", "description"]


def test_a_processor_ingests_with_a_config_of_icesat2db(granules, config_file, areas, tmp_path):
    config = yaml.safe_load(config_file.read_text())
    config["tiledb"]["local_path"] = str(tmp_path / "forest")
    path = tmp_path / "data_config.yml"
    path.write_text(yaml.safe_dump(config))
    import concurrent.futures

    with ours.IceSat2Processor(
        geometry=areas["everything"],
        start_date="2018-10-01",
        end_date="2030-12-31",
        config_file=str(path),
        parallel_engine=concurrent.futures.ThreadPoolExecutor(max_workers=2),
        log_dir=str(tmp_path / "logs"),
    ) as processor:
        assert processor.database.endswith("forest/atl08.isdb") and processor.threads == 2
        report = processor.ingest(granules)
    assert report.counts["ingested"] > 0 and list((tmp_path / "logs").iterdir())
    provider = ours.IceSat2Provider(storage_type="local", local_path=str(tmp_path / "forest"))
    frame = provider.get_data(["h_canopy"], return_type="dataframe")
    assert len(frame) == report.segments and frame["h_canopy"].notna().all()
    with pytest.raises(ValueError, match="YYYY-MM-DD"):
        ours.IceSat2Processor(areas["box"], "01.10.2018", "2019-01-01", str(path))
    with pytest.raises(NotImplementedError, match="read_granule"):
        ours.IceSat2Processor.process_single_granule()


def test_module_paths_of_icesat2db_exist():
    from isdb.icesat2db.core.icesat2provider import IceSat2Provider
    from isdb.icesat2db.downloader.authentication import EarthDataAuthenticator

    assert IceSat2Provider is ours.IceSat2Provider and EarthDataAuthenticator is ours.EarthDataAuthenticator
    ours.show_versions()
