//! A database after kills, power cuts, full disks and limited file systems, and while others write to it.

mod concurrent_readers;
mod filesystems;
mod full_disk;
mod kill_points;
mod killed_ingest;
mod power_cut;
mod repair;
