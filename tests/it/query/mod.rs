//! Queries: statements, regions and periods, and their results as tables and files.

mod csv_files;
mod example_queries;
mod formats;
mod memory;
mod misleading_sql;
mod output;
mod prompt;
mod read_only;
mod region_and_period;
mod spatial_page;
mod statements;
