"""The content of a granule, read with h5py: every row, every NULL, and its identity.

States the product's rules once more and shares no code with isdb. A value is NULL if it equals the dataset's `_FillValue`, the
product's fill or the HDF5 fill (zero is a value, and so is -1 in flags that have it), or if it is a float that is NaN or at
least 3.4e38; in lists each element for itself.
"""

import csv
import re
from datetime import datetime, timezone

import h5py
import numpy as np

BEAMS = ("gt1l", "gt1r", "gt2l", "gt2r", "gt3l", "gt3r")
GPS_OF_2018 = 1198800018  # GPS seconds of 2018-01-01T00:00:00Z
UNIX_OF_2018 = 1514764800
BACKWARD, FORWARD, TRANSITION = 0, 1, 2
FLAGS_WITH_MINUS_ONE = ("msw_flag", "sat_flag", "subset_can_flag", "subset_te_flag")
NAME = re.compile(r"ATL08_(\d{14})_(\d{4})(\d{2})(\d{2})_(\d{3})_(\d{2})")
WHOLE_SECOND = re.compile(r"(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:\.0*)?Z")
PARTS = ("rgt", "cycle", "region", "release", "revision")  # of a name after its time
# The datasets with the same parts, by group.
ANCILLARY = {"rgt": "start_rgt", "cycle": "start_cycle", "region": "start_region", "release": "release", "revision": "version"}
ORBIT_INFO = {"rgt": "rgt", "cycle": "cycle_number"}


def product_fills(path):
    """The fill of each variable by name, from the product's table `variables.csv`."""
    with open(path) as file:
        rows = list(csv.DictReader(file))
    return {row["dataset"].rsplit("/")[-1]: float(row["fill_value"]) for row in rows if row["fill_value"]}


def text(value):
    """An attribute or string element without the padding of fixed-length strings."""
    value = np.asarray(value).reshape(-1)[0]
    return (value.decode() if isinstance(value, bytes) else str(value)).strip(" \0")


def nanoseconds(*instant):
    """Nanoseconds since 1970 of a UTC year, month, day, hour, minute and second."""
    return int(datetime(*instant, tzinfo=timezone.utc).timestamp()) * 10**9


def of_name(name):
    """The parts of the name of a granule; none if the name has another form."""
    found = NAME.search(name)
    if found is None:
        return {}
    start = datetime.strptime(found[1], "%Y%m%d%H%M%S")
    return {"start_time": nanoseconds(*start.timetuple()[:6])} | dict(zip(PARTS, map(int, found.groups()[1:])))


class Beam:
    """The rows of one beam that have a position and a time, in the order of the file.

    `columns` gives for each variable its values and where they are NULL; `time` is UTC in nanoseconds since 1970;
    `strength` is "strong", "weak" or None, `spot` 1 to 6 or 0 for NULL, `sc_orient` 0 to 2 or -1 for NULL.
    """

    def __init__(self, granule, name, datasets):
        self.name = name
        columns = {key: granule.column(key, dataset) for key, dataset in datasets.items()}
        good = np.ones(len(columns["delta_time"][0]), bool)
        for key in ("latitude", "longitude", "delta_time"):
            good &= ~columns[key][1]
        self.columns = {key: (values[good], null[good]) for key, (values, null) in columns.items()}
        seconds = self.columns["delta_time"][0]
        self.time = granule.utc(seconds)
        self.sc_orient = granule.orientation(seconds)
        attributes = granule.file[name].attrs
        strong_side = np.where(self.sc_orient == BACKWARD, "l", "r")
        self.strength = np.where(strong_side == name[-1], "strong", "weak").astype(object)
        at = BEAMS.index(name)
        self.spot = np.where(self.sc_orient == BACKWARD, at + 1, 6 - at)
        self.strength[self.sc_orient < 0] = None
        self.spot[self.sc_orient < 0] = 0
        if "atlas_beam_type" in attributes:
            self.strength[:] = text(attributes["atlas_beam_type"])
        if "atlas_spot_number" in attributes:
            self.spot[:] = int(text(attributes["atlas_spot_number"]))
        self.strength[self.sc_orient == TRANSITION] = None
        self.spot[self.sc_orient == TRANSITION] = 0

    def __len__(self):
        return len(self.time)


class Granule:
    """An open granule; `fills` are those of `product_fills`."""

    def __init__(self, path, fills):
        self.file = h5py.File(path, "r")
        self.path = str(path)
        self.fills = fills

    def beams(self):
        """The beams that have rows."""
        for name in BEAMS:
            datasets = {}
            land = self.file.get(f"{name}/land_segments")
            for group in (land, *(land.get(part) for part in ("canopy", "terrain"))) if land is not None else ():
                if group is not None:
                    datasets |= {key: item for key, item in group.items() if isinstance(item, h5py.Dataset)}
            if "delta_time" in datasets and len(datasets["delta_time"]):
                yield Beam(self, name, datasets)

    def column(self, name, dataset):
        """The values of a dataset and its NULL mask."""
        values = dataset[...]
        fills = [dataset.attrs.get("_FillValue"), dataset.fillvalue, self.fills.get(name)]
        null = np.zeros(values.shape, bool)
        for fill in fills:
            if fill is None or np.asarray(fill).reshape(-1)[0] == 0:
                continue
            fill = np.asarray(fill).reshape(-1)[0]
            if not (fill == -1 and name in FLAGS_WITH_MINUS_ONE):
                null |= values == (fill.astype(values.dtype) if values.dtype.kind == "f" else fill)
        if values.dtype.kind == "f":
            null |= ~(values < 3.4e38)
        return values, null

    def utc(self, seconds):
        """Nanoseconds since 1970 of `delta_time`, whole seconds and fractions separately, without loss."""
        epoch = GPS_OF_2018
        if "ancillary_data/atlas_sdp_gps_epoch" in self.file:
            epoch = int(self.file["ancillary_data/atlas_sdp_gps_epoch"][0])
        whole = np.floor(seconds)
        start = UNIX_OF_2018 + epoch - GPS_OF_2018
        return (whole.astype("i8") + start) * 10**9 + np.round((seconds - whole) * 1e9).astype("i8")

    def orientation(self, seconds):
        """`sc_orient` at each `delta_time`: the last change before it, -1 where the file has none."""
        known = np.full(len(seconds), -1)
        if "orbit_info/sc_orient" not in self.file:
            return known
        orientations = np.asarray(self.file["orbit_info/sc_orient"]).reshape(-1)
        if "orbit_info/sc_orient_time" in self.file:
            times = np.asarray(self.file["orbit_info/sc_orient_time"]).reshape(-1)
        else:
            times = np.array([-np.inf] if len(orientations) == 1 else [])
        changes = sorted((time, int(value)) for time, value in zip(times, orientations) if value in (0, 1, 2))
        for time, value in changes:
            known[seconds >= time] = value
        return known

    def parts(self, group, names):
        """The parts of a name that the datasets of a group have."""
        datasets = {part: self.file.get(f"{group}/{name}") for part, name in names.items()}
        return {part: int(text(dataset[...])) for part, dataset in datasets.items() if dataset is not None and dataset.size}

    def ancillary(self):
        """The parts of a name in `ancillary_data`."""
        found = self.parts("ancillary_data", ANCILLARY)
        starts = [f"ancillary_data/{name}" for name in ("granule_start_utc", "data_start_utc")]
        for start in (text(self.file[path][...]) for path in starts if path in self.file):
            # A name has whole seconds; a time with a fraction is another time.
            if whole := WHOLE_SECOND.fullmatch(start):
                found.setdefault("start_time", nanoseconds(*map(int, whole.groups())))
        return found

    def doi(self):
        """The release at the end of the product's DOI."""
        doi = text(self.file.attrs.get("identifier_product_doi", ""))
        return {"release": int(doi.rsplit(".")[-1])} if doi else {}

    def identity(self):
        """start_time, rgt, cycle, region, release, revision, None if unknown; identity_source; the quality flag of the
        granule.

        The name in the metadata has precedence, then the datasets, the rows, the name of the file, unless that contradicts the
        content, and the DOI. The source is that of the start if all parts are known, else the first with any part."""
        kept = self.file.get("METADATA/DatasetIdentification")
        kept = text(kept.attrs["fileName"]) if kept is not None and "fileName" in kept.attrs else ""
        rows = [self.file.get(f"{beam}/land_segments/rgt") for beam in BEAMS]
        rows = [{"rgt": int(dataset[0])} for dataset in rows if dataset is not None and len(dataset)]
        claims = {
            "metadata": of_name(kept),
            "ancillary": self.ancillary(),
            "orbit_info": self.parts("orbit_info", ORBIT_INFO),
            "rows": rows[0] if rows else {},
            "file_name": of_name(self.path.rsplit("/")[-1]),
            "doi": self.doi(),
        }
        parts = ("start_time", *PARTS)
        known = lambda part: next((claim[part] for claim in claims.values() if part in claim), None)
        if any(known(part) != value for part, value in claims["file_name"].items()):
            claims["file_name"] = {}
        found = {part: known(part) for part in parts}
        whole = None not in found.values()
        said = [source for source, claim in claims.items() if ("start_time" in claim if whole else claim)]
        found["identity_source"] = (said + ["content"])[0]
        # A file without track, cycle or region gets the second of its first segment as its start.
        if found["start_time"] is None and None in (found["rgt"], found["cycle"], found["region"]):
            times = [beam.time.min() for beam in self.beams() if len(beam)]
            found["start_time"] = int(min(times)) // 10**9 * 10**9 if times else None
        verdict = self.file.get("quality_assessment/qa_granule_pass_fail")
        found["qa_granule_pass_fail"] = int(verdict[0]) if verdict is not None else None
        return found
