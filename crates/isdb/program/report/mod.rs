//! The result of an ingest: a summary on standard error and a report as JSON; for a dry run, the plan.

mod dry_run;
mod failures;
mod json;
mod summary;

pub(crate) use dry_run::print_dry_run;
pub(crate) use failures::{FailedFile, print_failures};
pub(crate) use json::{ReportFile, report_json, request_json};
pub(crate) use summary::print_summary;
