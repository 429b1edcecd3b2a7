//! Inputs as other tools write them, made by `make_tries.py` from the real release 004 granule: each gives the rows of the
//! original, or one error with the file and the cause.

mod granules;
mod inputs;
mod links;
mod names;
mod outcome;
mod regions;
mod tables;
