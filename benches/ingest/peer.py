"""Runs the Python package icesat2db on granules that are already on disk, and prints its times as JSON.

It runs the package's own `IceSat2Processor.compute()` with its shipped config. Two things differ from a normal run: the search
returns the local files, which are where its downloader looks first; and the login check finds a file without a login.
"""

import argparse
import concurrent.futures
import json
import re
import sys
import time
from pathlib import Path

import geopandas
import yaml
from icesat2db.core.icesat2processor import IceSat2Processor
from icesat2db.utils.constants import IceSat2Product
from shapely.geometry import box

NAME = re.compile(r"ATL08_(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)_(\d{4})(\d\d)(\d\d)_\d{3}_\d\d\.h5$")


class LocalProcessor(IceSat2Processor):
    """The package's processor with local files instead of a search."""

    found: dict = {}

    def _download_cmr_data(self):
        return self.found


def search(granules: list[Path], downloads: Path) -> dict:
    """Returns what the package's search would return, and links each granule to where its downloader keeps it."""
    found = {}
    for path in granules:
        year, month, day, hour, minute, second, rgt, cycle, region = NAME.search(path.name).groups()
        key = f"{rgt}_{cycle}_{region}"
        place = downloads / key / f"{IceSat2Product.ATL08.name}.h5"
        place.parent.mkdir(parents=True, exist_ok=True)
        place.hardlink_to(path)
        start = f"{year}-{month}-{day}T{hour}:{minute}:{second}Z"
        found[key] = [("no address", IceSat2Product.ATL08.value, start, path.stat().st_size / 1e6)]
    return found


def engine(kind: str, workers: int):
    """The two engines of the package's example."""
    if kind == "threads":
        return concurrent.futures.ThreadPoolExecutor(max_workers=workers)
    from dask.distributed import Client, LocalCluster

    return Client(LocalCluster(n_workers=workers, threads_per_worker=1, processes=True, memory_limit="8GB",
                               dashboard_address=None))


def config(shipped: Path, work: Path, flush_every: int | None) -> Path:
    """Writes the shipped config with its folders filled in."""
    settings = yaml.safe_load(shipped.read_text())
    settings["tiledb"]["local_path"] = str(work / "database")
    settings["data_dir"] = settings["progress_dir"] = str(work)
    if flush_every:
        settings["tiledb"]["flush_every"] = flush_every
    path = work / "data_config.yml"
    path.write_text(yaml.safe_dump(settings, sort_keys=False))
    return path


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("granules", type=Path, nargs="+")
    parser.add_argument("--work", type=Path, required=True, help="an empty folder for the database and other output")
    parser.add_argument("--config", type=Path, required=True, help="the config that the package ships")
    parser.add_argument("--engine", choices=("threads", "dask"), default="threads")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--flush-every", type=int, help="granules after which it writes; as shipped, it writes at the end")
    options = parser.parse_args()
    work = options.work.resolve()
    (work / "database").mkdir(parents=True)
    login = work / "login"
    login.mkdir()
    (login / ".netrc").write_text("machine urs.earthdata.nasa.gov\n")
    (login / ".cookies").write_text("none\n")

    LocalProcessor.found = search(options.granules, work / "download")
    processor = LocalProcessor(
        geometry=geopandas.GeoDataFrame(geometry=[box(-180, -90, 180, 90)], crs="EPSG:4326"),
        start_date="2018-10-01", end_date="2035-12-31", config_file=str(config(options.config, work, options.flush_every)),
        earth_data_dir=str(login), parallel_engine=engine(options.engine, options.workers),
    )
    database = processor.database_writer
    consolidate, consolidated = database.consolidate_fragments, [0.0]

    def timed(*arguments, **named):
        begin = time.monotonic()
        consolidate(*arguments, **named)
        consolidated[0] = time.monotonic() - begin

    database.consolidate_fragments = timed
    begin = time.monotonic()
    processor.compute()
    compute = time.monotonic() - begin
    json.dump({"compute": compute, "consolidation": consolidated[0], "array": database.array_uri}, sys.stdout)
    sys.stdout.flush()
    processor.close()


if __name__ == "__main__":
    main()
