"""Compare a database with the granules it was made of: every segment, every variable, every NULL.

    compare.py DATABASE TIMESTAMP

Reads the arrays with TileDB-Py at the timestamp that `isdb info` prints and the granules with h5py. It shares no code with
isdb and states the product's rules once more: a value is NULL if it equals the dataset's `_FillValue` or its non-zero HDF5
fill, or if it is a float that is NaN or at least 3.4e38; in profiles each element for itself.
"""

import sys

import h5py
import numpy as np
import tiledb

BEAMS = ("gt1l", "gt1r", "gt2l", "gt2r", "gt3l", "gt3r")
GPS_OF_2018 = 1198800018  # GPS seconds of 2018-01-01T00:00:00Z
UNIX_OF_2018 = 1514764800
COORDINATES = ("latitude", "longitude", "delta_time")


def fail(text):
    sys.exit(f"different: {text}")


def null_in_file(dataset, values):
    """Where the granule says that there is no value."""
    fills = [dataset.attrs["_FillValue"]] if "_FillValue" in dataset.attrs else []
    if dataset.fillvalue is not None and dataset.fillvalue != 0:
        fills.append(dataset.fillvalue)
    null = np.zeros(values.shape, bool)
    for fill in fills:
        null |= values == np.asarray(fill, values.dtype).reshape(-1)[0]
    if values.dtype.kind == "f":
        null |= ~(values < 3.4e38)
    return null


def stored(column, element_null):
    """Values and NULLs of a column as TileDB-Py hands it out: plain, masked, or with one field per element of a list."""
    null = np.ma.getmaskarray(column) if isinstance(column, np.ma.MaskedArray) else np.zeros(len(column), bool)
    values = np.ma.getdata(column)
    if values.dtype.names:
        null = null[values.dtype.names[0]] if null.dtype.names else null
        values = np.stack([values[name] for name in values.dtype.names], axis=1)
        null = np.repeat(null[:, None], values.shape[1], axis=1)
        null |= np.isnan(values) if values.dtype.kind == "f" else values == element_null
    return values, null


def utc(file, seconds):
    """Nanoseconds since 1970 of delta_time, whole seconds and fractions apart so that nothing is lost."""
    epoch = GPS_OF_2018
    if "ancillary_data/atlas_sdp_gps_epoch" in file:
        epoch = int(file["ancillary_data/atlas_sdp_gps_epoch"][0])
    whole = np.floor(seconds)
    start = UNIX_OF_2018 + epoch - GPS_OF_2018
    return (whole.astype("i8") + start) * 10**9 + np.round((seconds - whole) * 1e9).astype("i8")


def land_segments(file, beam):
    """The datasets of a beam by name, or none if it has no rows."""
    found = {}
    group = file.get(f"{beam}/land_segments")
    if group is not None:
        group.visititems(lambda path, item: found.update({path.rsplit("/")[-1]: item}) if isinstance(item, h5py.Dataset) else None)
    return found if "latitude" in found and len(found["latitude"]) else {}


def compare_beam(file, beam, columns, rows, meta):
    """Compares the stored rows `rows` of one beam of one granule; gives the number of values compared."""
    datasets = land_segments(file, beam)
    if not datasets:
        return 0 if not rows.size else fail(f"{beam} has no segments in the file and {rows.size} in the database")
    read = {name: dataset[...] for name, dataset in datasets.items()}
    good = np.ones(len(read["latitude"]), bool)
    for name in COORDINATES:
        good &= ~null_in_file(datasets[name], read[name])
    if good.sum() != rows.size:
        fail(f"{beam} has {good.sum()} segments in the file and {rows.size} in the database")
    here = np.flatnonzero(good)[np.lexsort((read["latitude"][good], read["delta_time"][good]))]
    there = rows[np.lexsort((columns["latitude"][rows], columns["time"][rows]))]

    for name in ("latitude", "longitude"):
        if not np.array_equal(read[name][here].astype("f8"), columns[name][there]):
            fail(f"{beam} {name}")
    if np.abs(utc(file, read["delta_time"][here]) - columns["time"][there].astype("i8")).max() > 1:
        fail(f"{beam} time")
    strength = file[beam].attrs.get("atlas_beam_type")
    if strength is not None:
        strength = np.asarray(strength).reshape(-1)[0]
        strength = strength.decode() if isinstance(strength, bytes) else str(strength)
        if set(np.ma.getdata(columns["beam_strength"][there]).astype(str)) != {strength}:
            fail(f"{beam} beam_strength")
    spot = file[beam].attrs.get("atlas_spot_number")
    if spot is not None and set(np.ma.getdata(columns["spot"][there])) != {int(np.asarray(spot).reshape(-1)[0])}:
        fail(f"{beam} spot")
    if "segment_id_beg" in read and "segment_id_end" in read:
        spans = read["segment_id_end"][here] - read["segment_id_beg"][here] + 1
        if not np.array_equal(np.ma.filled(columns["n_geosegments"][there], 0), spans):
            fail(f"{beam} n_geosegments")

    compared = 0
    own = {"latitude", "longitude", "time", "ingest_id", "fragment_id", "beam", "beam_strength", "sc_orient", "spot"}
    own.add("n_geosegments")
    for name in set(columns) - own:
        values, null = stored(columns[name][there], meta.get(f"{name}.element_null"))
        if name not in read:
            if not null.all():
                fail(f"{beam} {name} is not in the file and not NULL in the database")
            continue
        expected = read[name][here]
        expected_null = null_in_file(datasets[name], read[name])[here]
        if not np.array_equal(null, expected_null):
            fail(f"{beam} {name}: {null.sum()} NULLs in the database, {expected_null.sum()} in the file")
        if not np.array_equal(values[~null], expected[~null].astype(values.dtype)):
            fail(f"{beam} {name}: values")
        compared += null.size
    return compared


def main(database, timestamp):
    with tiledb.open(f"{database}/granules", timestamp=timestamp) as array:
        ledger = array.query(attrs=["source", "state"])[:]
    with tiledb.open(f"{database}/segments", timestamp=timestamp) as array:
        columns = dict(array.query()[:])
        meta = {key: value for key, value in array.meta.items()}
    if meta.get("h_canopy.units") != "meters":
        fail(f"the metadata tell {meta.get('h_canopy.units')!r} as the unit of h_canopy")
    meta = {key: int(value) for key, value in meta.items() if key.endswith(".element_null")}
    granules = compared = 0
    for ingest_id, source, state in zip(ledger["ingest_id"], ledger["source"], ledger["state"]):
        if state != "ingested":
            continue
        granules += 1
        of_granule = columns["ingest_id"] == ingest_id
        with h5py.File(source, "r") as file:
            for beam in BEAMS:
                rows = np.flatnonzero(of_granule & (columns["beam"] == beam))
                compared += compare_beam(file, beam, columns, rows, meta)
    if not compared:
        fail("nothing to compare")
    print(f"equal: {granules} granules, {columns['latitude'].size} segments, {compared} values")


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
