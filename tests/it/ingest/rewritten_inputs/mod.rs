//! Inputs as people have them, made by `make_tries.py` from the real release 004 granule: each gives the original's rows, or one
//! error that names the file and the cause.

mod granules;
mod inputs;
mod links;
mod names;
mod outcome;
mod regions;
mod tables;
