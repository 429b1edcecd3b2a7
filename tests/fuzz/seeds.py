"""Write the seed inputs of the fuzz targets.

    seeds.py CORPUS [GRANULE...]

Without granules: the inputs of corpus/ in the repository, all synthetic, with granules of three segments. With real granules: the
first two segments of each beam, for a corpus outside the repository. Needs h5py and numpy.
"""

import json
import pathlib
import sys

import h5py
import numpy as np

BEAMS = ("gt1l", "gt1r", "gt2l", "gt2r", "gt3l", "gt3r")
SEGMENTS = 3


def fill(group, beam, few, **layout):
    """Add three segments with variables of every shape and type, or with only a `few` variables."""
    rows = np.arange(SEGMENTS)
    columns = {
        "latitude": (10 + rows * 0.001).astype("f4"),
        "longitude": (-60 + rows * 0.001).astype("f4"),
        "delta_time": 1e8 + rows * 0.01,
        "segment_id_beg": (500000 + 5 * rows).astype("i4"),
        "segment_id_end": (500004 + 5 * rows).astype("i4"),
        "rgt": np.full(SEGMENTS, 873, "i2"),
        "night_flag": np.array([0, 1, 1], "i4"),
        "latitude_20m": np.full((SEGMENTS, 5), 10, "f4"),
        "canopy/h_canopy": np.array([12.5, 3.4028235e38, 4.25], "f4"),
        "canopy/canopy_h_metrics": np.arange(SEGMENTS * 18, dtype="f4").reshape(SEGMENTS, 18),
        "terrain/h_te_best_fit": np.array([100.5, 101, 3.4028235e38], "f4"),
        "terrain/n_te_photons": np.array([40, 0, 7], "i4"),
    }
    for name, values in list(columns.items())[: 4 if few else None]:
        made = group.create_dataset(f"{beam}/land_segments/{name}", data=values, **layout)
        if values.dtype.kind == "f":
            made.attrs["_FillValue"] = np.array([3.4028235e38], values.dtype)
    group[beam].attrs["atlas_beam_type"] = "strong"


def granule(path, beams, libver=None, few=False, **layout):
    with h5py.File(path, "w", libver=libver) as file:
        file.attrs["short_name"] = "ATL08"
        for beam in beams:
            fill(file, beam, few, **layout)
        if not few:
            file["ancillary_data/atlas_sdp_gps_epoch"] = np.array([1198800018.0])
            file["ancillary_data/release"] = np.array([b"006"])
            file["orbit_info/sc_orient"] = np.array([1], "i1")
            file["orbit_info/sc_orient_time"] = np.array([9e7])
            file["orbit_info/rgt"] = np.array([873], "i2")
            file["orbit_info/cycle_number"] = np.array([8], "i1")
            file["quality_assessment/qa_granule_pass_fail"] = np.array([0], "i4")


def granules(folder):
    chunks = dict(chunks=True, compression="gzip", shuffle=True)
    granule(folder / "two_beams_deflate.h5", BEAMS[:2], few=True, **chunks)
    granule(folder / "contiguous.h5", BEAMS[:1])
    granule(folder / "fletcher.h5", BEAMS[:1], chunks=True, fletcher32=True, few=True)
    granule(folder / "lzf.h5", BEAMS[:1], chunks=True, compression="lzf", few=True)
    granule(folder / "v110.h5", BEAMS[:1], libver=("v110", "v110"), **chunks)
    granule(folder / "no_beams.h5", ())
    whole = (folder / "contiguous.h5").read_bytes()
    (folder / "truncated.h5").write_bytes(whole[: len(whole) // 2])
    (folder / "signature.h5").write_bytes(whole[:8])


CONFIG = {
    "all.yml": """product: ATL08
database: db.isdb
variables: [h_canopy, h_te_best_fit, canopy_h_metrics]
derived:
  relief: h_canopy - h_te_best_fit
filters:
  - night
  - {name: tall, where: "h_canopy > 5"}
layout: {capacity: 10000}
window: {granules: 32, bytes: 4GB, span: quarter}
resources: {threads: 2, memory: 2GB}
consolidate: {policy: queries, fragments: 16, keep: 1d}
download: {folder: granules, keep: true, connections: 4}
""",
    "least.yml": "product: ATL08\n",
    "anchor.yml": "product: &p ATL08\nvariables: [*p, *p]\n",
    "nested.yml": "product: " + "[" * 200 + "\n",
    "tab.yml": "product: ATL08\nwindow:\n\tgranules: 1\n",
    "unknown.yml": "product: ATL08\nvariables: [nigth]\nwidnow: 3\n",
}
PREDICATE = [
    "latitude BETWEEN -6 AND 4.5 AND longitude >= -60",
    "NOT (h > 3.25 OR h IS NULL) AND beam IN ('gt1l', 'gt2l')",
    "time >= TIMESTAMP '2020-01-02' AND time < '2020-01-05T00:00:00Z'",
    "tiny NOT IN (1, -2, 127) OR flag",
    "wild > 3.5 OR wild <> wild",
    "CAST(h AS DOUBLE) = 5.1 OR tiny < 1.5",
    "NOT (latitude NOT BETWEEN 10 AND 20) AND id <> 7",
    "beam LIKE 'gt%' AND beam > 'gt1l'",
    "CASE WHEN flag THEN h > 1 ELSE tiny = 2 END",
    "flag IS NOT TRUE AND 5 < id AND -1e9 < longitude",
]
RING = "[[-82,48],[-81,48],[-81,49],[-82,49],[-82,48]]"
HOLE = "[[-81.8,48.2],[-81.2,48.2],[-81.2,48.8],[-81.8,48.8],[-81.8,48.2]]"
POLYGON = '{"type":"Polygon","coordinates":[%s]}'
GEOJSON = {
    "box.txt": "-82,48,-81,49",
    "dateline.txt": "170,-10,-170,10",
    "polygon.geojson": POLYGON % RING,
    "hole.geojson": POLYGON % f"{RING},{HOLE}",
    "pole.geojson": POLYGON % "[[-180,60],[-90,60],[0,60],[90,60],[180,60],[-180,60]]",
    "dateline.geojson": POLYGON % "[[170,60],[-170,60],[-170,70],[170,70],[170,60]]",
    "bow_tie.geojson": POLYGON % "[[0,0],[10,10],[10,0],[0,10],[0,0]]",
    "several.geojson": '{"type":"MultiPolygon","coordinates":[[%s],[[[0,0],[1,0],[1,1],[0,0]]]]}' % RING,
    "features.geojson": '{"type":"FeatureCollection","features":[{"type":"Feature","properties":{},"geometry":%s},'
    '{"type":"Feature","properties":null,"geometry":null}]}' % (POLYGON % RING),
    "collection.geojson": '{"type":"GeometryCollection","geometries":[%s]}' % (POLYGON % RING),
    "crs.geojson": '{"type":"FeatureCollection","crs":{"type":"name","properties":{"name":"urn:ogc:def:crs:EPSG::3857"}},"features":[]}',
    "point.geojson": '{"type":"Point","coordinates":[0,0]}',
    "nested.geojson": '{"type":"Polygon","coordinates":' + "[" * 300,
}
NETRC = {
    "one": "machine urs.earthdata.nasa.gov login ann password secret\n",
    "two": "machine urs.earthdata.nasa.gov\n  login ann\n  password \"a b\"\nmachine other.example login bob password x\n",
    "default": "default login anonymous password me@example.org\n",
    "macro": "macdef init\ncd /pub\n\nmachine other.example login bob password x account y\n",
    "comment": "# machine none\nmachine other.example login bob password x # y\n",
    "open_quote": "machine other.example login \"bob password x\n",
    "twice": "machine urs.earthdata.nasa.gov login a password b machine urs.earthdata.nasa.gov login c password d",
    "crlf": "machine other.example\r\nlogin bob\r\npassword x\r\n",
}


def cmr(folder):
    name = "ATL08_20220601000000_01001502_006_02.h5"
    item = {
        "meta": {"concept-id": "G1-NSIDC_CPRD", "revision-id": 1, "provider-id": "NSIDC_CPRD"},
        "umm": {
            "GranuleUR": name,
            "TemporalExtent": {
                "RangeDateTime": {"BeginningDateTime": "2022-06-01T00:00:00Z", "EndingDateTime": "2022-06-01T00:05:00Z"}
            },
            "DataGranule": {
                "ArchiveAndDistributionInformation": [
                    {"Name": name, "SizeInBytes": 1234, "Size": 0.001, "SizeUnit": "MB", "Checksum": {"Value": "ab12", "Algorithm": "MD5"}}
                ],
                "Identifiers": [{"Identifier": name, "IdentifierType": "ProducerGranuleId"}],
            },
            "RelatedUrls": [
                {"URL": f"https://data.nsidc.earthdatacloud.nasa.gov/a/{name}", "Type": "GET DATA"},
                {"URL": f"s3://nsidc-cumulus-prod-protected/a/{name}", "Type": "GET DATA VIA DIRECT ACCESS"},
            ],
        },
    }
    bare = {"meta": {"concept-id": "G2-NSIDC_ECS"}, "umm": {"GranuleUR": "SC:ATL08.005:1"}}
    write = lambda name, value: (folder / name).write_text(json.dumps(value, separators=(",", ":")))
    write("one.json", {"hits": 1, "items": [item]})
    write("two.json", {"hits": 2, "items": [item, bare]})
    write("none.json", {"hits": 0, "items": []})
    write("errors.json", {"errors": ["temporal start datetime is invalid"]})
    (folder / "page.html").write_text("<html><body>502 Bad Gateway</body></html>")
    line = {
        "granule": name, "concept_id": "G1-NSIDC_CPRD", "start": "2022-06-01T00:00:00Z", "bytes": 1234,
        "https": f"https://data.nsidc.earthdatacloud.nasa.gov/a/{name}",
    }  # fmt: skip
    write("work_list.ndjson", line)


def shortened(source, path, rows=2):
    """The first `rows` segments of each beam of a real granule, without the groups that isdb does not read."""
    with h5py.File(source) as old, h5py.File(path, "w") as new:
        new.attrs.update({key: value for key, value in old.attrs.items() if key in ("short_name", "identifier_product_doi")})

        def take(name, item):
            wanted = "/land_segments/" in name or name.startswith(("orbit_info", "quality_assessment/qa_granule"))
            if not isinstance(item, h5py.Dataset) or not (wanted or name == "ancillary_data/atlas_sdp_gps_epoch"):
                return
            values = item[:rows] if item.ndim else item[()]
            made = new.create_dataset(name, data=values, chunks=values.shape if item.chunks else None, compression=item.compression)
            if "_FillValue" in item.attrs:
                made.attrs["_FillValue"] = item.attrs["_FillValue"]

        old.visititems(take)


def main():
    corpus = pathlib.Path(sys.argv[1])
    folders = {name: corpus / name for name in ("granule", "config", "predicate", "geojson", "netrc", "cmr")}
    for folder in folders.values():
        folder.mkdir(parents=True, exist_ok=True)
    for source in sys.argv[2:]:
        shortened(source, folders["granule"] / pathlib.Path(source).name)
    if sys.argv[2:]:
        return
    granules(folders["granule"])
    for name, texts in (("config", CONFIG), ("geojson", GEOJSON), ("netrc", NETRC)):
        for file, text in texts.items():
            (folders[name] / file).write_text(text, newline="")
    for at, text in enumerate(PREDICATE):
        (folders["predicate"] / f"{at}.sql").write_text(text)
    cmr(folders["cmr"])


main()
