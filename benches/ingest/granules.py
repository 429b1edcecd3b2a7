"""Full-size synthetic granules to ingest: created once by the project's example `make_granules`, padded with photons."""

import shutil
import subprocess
from pathlib import Path

import h5py
import numpy as np

ROOT = Path(__file__).resolve().parents[2]
# Segments of a beam: about 36,500 a granule, the mean of the product.
SEGMENTS = 6_100
# Bytes of a granule of the product, most of them photons that no ingest reads.
FULL_SIZE = 80_000_000
# Days from one granule to the next.
EVERY = 3.0
BEAMS = ("gt1l", "gt1r", "gt2l", "gt2r", "gt3l", "gt3r")


def build(profile: str) -> Path:
    """Builds isdb and the generator, and returns the folder of the binaries."""
    flags = ["--release"] if profile == "release" else []
    subprocess.run(["cargo", "build", *flags, "--bin", "isdb", "--example", "make_granules"], cwd=ROOT, check=True)
    return ROOT / "target" / ("release" if profile == "release" else "debug")


def make(binaries: Path, folder: Path, count: int, segments: int = SEGMENTS, size: int = FULL_SIZE, every: float = EVERY) -> list[Path]:
    """Creates `count` granules in `folder`, or reuses the granules of an earlier call with the same arguments."""
    made = folder / f"{count}x{segments}x{size}x{every}.txt"
    if not made.exists():
        for old in [*folder.glob("*.h5"), *folder.glob("*.txt")]:
            old.unlink()
        command = [binaries / "examples" / "make_granules", folder, "--count", count, "--segments", segments, "--every", every]
        subprocess.run([str(part) for part in command], check=True, stdout=subprocess.DEVNULL)
        for path in sorted(folder.glob("*.h5")):
            pad(path, size)
        made.touch()
    return sorted(folder.glob("*.h5"))


def copies(originals: list[Path], folder: Path, count: int) -> list[Path]:
    """Creates `count` granules that count as different ones: copies of the originals, each time with another track."""
    folder.mkdir(parents=True, exist_ok=True)
    made = []
    for index in range(count):
        original, turn = originals[index % len(originals)], index // len(originals)
        _, start, orbit, release, revision = original.stem.split("_")
        rgt = (int(orbit[:4]) + 13 * turn - 1) % 1387 + 1
        copy = folder / f"ATL08_{start}_{rgt:04}{orbit[4:]}_{release}_{revision}.h5"
        if not copy.exists():
            fresh = copy.with_suffix(".part")
            shutil.copy(original, fresh)
            with h5py.File(fresh, "r+") as granule:
                granule["METADATA/DatasetIdentification"].attrs["fileName"] = np.bytes_(copy.name)
                granule["orbit_info/rgt"][...] = rgt
                for beam in BEAMS:
                    granule[f"{beam}/land_segments/rgt"][...] = rgt
            fresh.rename(copy)
        made.append(copy)
    return made


def pad(path: Path, size: int) -> None:
    """Pads a granule to `size` bytes with photons in its beams, as in the product."""
    missing = size - path.stat().st_size
    photons = missing // (len(BEAMS) * 13)
    if photons <= 0:
        return
    noise = np.random.default_rng(1)
    with h5py.File(path, "r+") as granule:
        for beam in BEAMS:
            group = granule.require_group(f"{beam}/signal_photons")
            chunks = (min(100_000, photons),)
            group.create_dataset("delta_time", data=np.sort(noise.random(photons)), chunks=chunks)
            group.create_dataset("ph_h", data=noise.normal(5, 8, photons).astype("f4"), chunks=chunks)
            group.create_dataset("classed_pc_flag", data=noise.integers(0, 4, photons).astype("i1"), chunks=chunks)


def segments_of(paths: list[Path]) -> int:
    """Counts the segments of the granules."""
    total = 0
    for path in paths:
        with h5py.File(path) as granule:
            total += sum(len(granule[beam]["land_segments/delta_time"]) for beam in BEAMS if beam in granule)
    return total


def described(paths: list[Path]) -> str:
    """Describes the granules in one line, for the head of a table."""
    size = sum(path.stat().st_size for path in paths) / len(paths)
    return f"{len(paths)} synthetic granules of {segments_of(paths) / len(paths):,.0f} segments and {size / 1e6:.0f} MB each"
