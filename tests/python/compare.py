"""Compares a database with its granules: every segment, every variable, every NULL.

    compare.py DATABASE TIMESTAMP [--parquet FILE] [--fills variables.csv]

The granules are read with h5py (granule.py), the array with TileDB-Py at the timestamp that `isdb info` prints, and the file
that `isdb query -o FILE "SELECT * FROM atl08"` wrote with pyarrow (database.py). `--fills` is the product's table of variables.
"""

import argparse
import sys

import numpy as np

from database import from_array, from_parquet, ledger
from granule import Granule, product_fills

# Columns of a database beside the variables of the product; the view adds plain names and columns of the ledger.
OWN = {"latitude", "longitude", "time", "ingest_id", "fragment_id", "beam", "beam_strength", "sc_orient", "spot", "n_geosegments"}
OF_LEDGER = ("cycle", "region", "release", "revision", "qa_granule_pass_fail")
PLAIN = {
    "canopy_h": "h_canopy",
    "canopy_h_mean": "h_mean_canopy",
    "canopy_h_median": "h_median_canopy",
    "canopy_h_max": "h_max_canopy",
    "canopy_h_uncertainty": "h_canopy_uncertainty",
    "canopy_h_abs": "h_canopy_abs",
    "terrain_h": "h_te_best_fit",
    "terrain_h_mean": "h_te_mean",
    "terrain_h_uncertainty": "h_te_uncertainty",
    "landcover": "segment_landcover",
    "canopy_cover": "segment_cover",
    "snowcover": "segment_snowcover",
    "watermask": "segment_watermask",
}


def fail(text):
    sys.exit(f"different: {text}")


def equal(what, found, expected):
    """Compares two pairs of values and NULLs; returns the number of compared values."""
    (values, null), (expected_values, expected_null) = found, expected
    if not np.array_equal(null, expected_null):
        fail(f"{what}: {null.sum()} NULLs in the database, {expected_null.sum()} in the granule, or elsewhere")
    if not np.array_equal(values[~null].astype(expected_values.dtype), expected_values[~null]):
        fail(f"{what}: values")
    return null.size


def geosegments(columns, rows):
    """The number of 20 m segments of each row."""
    if not {"segment_id_beg", "segment_id_end"} <= columns.keys():
        return np.zeros(rows, int), np.ones(rows, bool)
    (first, first_null), (last, last_null) = columns["segment_id_beg"], columns["segment_id_end"]
    return last.astype(int) - first + 1, first_null | last_null


def compare_beam(where, beam, rows, here):
    """Compares the rows `here` of the database with a beam; returns the number of compared values."""
    if len(here) != len(beam):
        fail(f"{where} {len(beam)} segments in the granule and {len(here)} in the database")
    latitude, longitude = (beam.columns[name][0].astype("f8") for name in ("latitude", "longitude"))
    there = np.lexsort((longitude, latitude, beam.time))
    here = here[np.lexsort((rows["longitude"][0][here], rows["latitude"][0][here], rows["time"][0][here].astype("i8")))]
    expect = lambda values, null: (values[there], null[there])
    never = np.zeros(len(beam), bool)
    derived = {
        "latitude": expect(latitude, never),
        "longitude": expect(longitude, never),
        "beam": expect(np.full(len(beam), beam.name, object), never),
        "beam_strength": expect(beam.strength, beam.strength == None),  # noqa: E711 (element by element)
        "spot": expect(beam.spot, beam.spot == 0),
        "sc_orient": expect(beam.sc_orient, beam.sc_orient < 0),
        "n_geosegments": expect(*geosegments(beam.columns, len(beam))),
    }
    compared = 0
    take = lambda name: tuple(part[here] for part in rows[name])
    for name, expected in derived.items():
        compared += equal(f"{where} {name}", take(name), expected)
    if len(here) and np.abs(beam.time[there] - take("time")[0].astype("i8")).max() > 1:
        fail(f"{where} time")
    for name in rows.columns.keys() - OWN - {"granule", *OF_LEDGER}:
        product = PLAIN.get(name, name)
        if product in beam.columns:
            compared += equal(f"{where} {name}", take(name), expect(*beam.columns[product]))
        elif not take(name)[1].all():
            fail(f"{where} {name} is not in the granule and not NULL in the database")
    return compared


def compare_granule(row, sources, fills):
    """Compares a granule of the ledger with its rows in all `sources`; returns the numbers of compared segments and values."""
    granule = Granule(row["source"], fills)
    for part, expected in granule.identity().items():
        # Releases and revisions are texts with leading zeros.
        found = int(row[part]) if isinstance(expected, int) and row[part] is not None else row[part]
        if found != expected:
            fail(f"{row['source']} {part}: {found} in the ledger, {expected} in the granule")
    beams = list(granule.beams())
    segments = sum(len(beam) for beam in beams)
    compared = 0
    for name, rows in sources.items():
        of_granule = np.flatnonzero(rows["ingest_id"][0] == row["ingest_id"])
        if segments != len(of_granule):
            fail(f"{row['source']} has {segments} segments and {len(of_granule)} in the {name}")
        for part in rows.columns.keys() & OF_LEDGER:
            values, null = (array[of_granule] for array in rows[part])
            if set(np.where(null, None, values).tolist()) != {row[part]}:
                fail(f"{row['source']} {part}: {set(values.tolist())} in the view, {row[part]} in the ledger")
        for beam in beams:
            here = of_granule[rows["beam"][0][of_granule] == beam.name]
            compared += compare_beam(f"{row['source']} {beam.name} in the {name}:", beam, rows, here)
    return segments, compared


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("database")
    parser.add_argument("timestamp", type=int)
    parser.add_argument("--parquet")
    parser.add_argument("--fills")
    arguments = parser.parse_args()
    fills = product_fills(arguments.fills) if arguments.fills else {}
    rows, meta = from_array(arguments.database, arguments.timestamp)
    if meta.get("h_canopy.units") != "meters":
        fail(f"the metadata have {meta.get('h_canopy.units')!r} as the unit of h_canopy")
    sources = {"array": rows}
    if arguments.parquet:
        sources["parquet"] = from_parquet(arguments.parquet)
    ingested = [row for row in ledger(arguments.database, arguments.timestamp) if row["state"] == "ingested"]
    counts = [compare_granule(row, sources, fills) for row in ingested]
    segments, compared = (sum(count) for count in zip(*counts)) if counts else (0, 0)
    for name, rows in sources.items():
        if segments != len(rows):
            fail(f"{name}: {len(rows)} rows, {segments} in the granules")
    if not compared:
        fail("nothing to compare")
    print(f"equal: {' and '.join(sources)}, {len(ingested)} granules, {segments} segments, {compared} values")


if __name__ == "__main__":
    main()
