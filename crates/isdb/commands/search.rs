//! `isdb search`: which granules NASA has for a place and time, how large they are, and what a database of them would take.

use arrow::compute::kernels::cast_utils::string_to_timestamp_nanos;
use futures::TryStreamExt;
use indicatif::{ProgressBar, ProgressStyle};
use isdb_cmr::{Cmr, Patience, Query, WorkList};
use isdb_schema::ledger::GranuleState;
use isdb_store::{Database, Location};

use crate::cli::{Format, Search, Sought};
use crate::failure::{Failure, SUCCESS};
use crate::instant::instant;
use crate::progress;

mod listing;
mod totals;

pub(crate) async fn run(arguments: Search, database: Option<Location>) -> Result<u8, Failure> {
    let format = Format::choose(arguments.format, arguments.output.as_deref())?;
    let mut query = query(&arguments.sought)?;
    let cmr = Cmr::new(&arguments.sought.cmr_url, Patience::default())?;
    query.release = release(arguments.sought.release, database.as_ref(), &cmr).await?;
    let mut found = gather(&cmr, &query).await?;
    let unusable = std::mem::take(&mut found.unusable);
    let left_out = (found.older_revisions, found.copies);
    let granules = found.into_granules();
    listing::write(&granules, format, arguments.output.as_deref()).await?;
    totals::tell(&granules, left_out, &unusable);
    Ok(SUCCESS)
}

/// The release to search for, told when nobody named it: a database holds one release, and the newest is best for a new one.
async fn release(asked: Option<u16>, database: Option<&Location>, cmr: &Cmr) -> Result<Option<u16>, Failure> {
    if asked.is_some() {
        return Ok(asked);
    }
    if let Some(release) = release_of(database).await? {
        eprintln!("release: {release:03}, that of the database");
        return Ok(Some(release));
    }
    let newest = cmr.releases().await?.last().copied();
    if let Some(release) = newest {
        eprintln!("release: {release:03}, the newest");
    }
    Ok(newest)
}

/// The newest release that was read into the database; None without database or granules.
async fn release_of(database: Option<&Location>) -> Result<Option<u16>, Failure> {
    let Some(location) = database else { return Ok(None) };
    let database = match Database::open(location).await {
        Ok(database) => database,
        Err(isdb_store::Error::NotFound { .. }) => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    let ledger = database.snapshot().await?.ledger().await?;
    let read = ledger.iter().filter(|row| matches!(row.state, GranuleState::Ingested | GranuleState::Empty));
    Ok(read.filter_map(|row| row.release.as_deref()?.parse().ok()).max())
}

/// Everything that CMR has, with a line on a terminal that says how far we are.
async fn gather(cmr: &Cmr, query: &Query) -> Result<WorkList, Failure> {
    let style = ProgressStyle::with_template("{spinner} {msg}").unwrap_or_else(|_| ProgressStyle::default_spinner());
    let bar = ProgressBar::new_spinner().with_style(style);
    progress::draw(&bar);
    let mut found = WorkList::default();
    let mut pages = std::pin::pin!(cmr.pages(query));
    while let Some(page) = pages.try_next().await? {
        let hits = page.hits;
        found.add(page);
        bar.set_message(format!("granules: {} of {hits}", found.len()));
        bar.tick();
    }
    bar.finish_and_clear();
    Ok(found)
}

fn query(sought: &Sought) -> Result<Query, Failure> {
    let boxes = sought.bbox.iter().map(|text| boxes(text)).collect::<Result<Vec<_>, _>>()?;
    Ok(Query {
        boxes: boxes.concat(),
        temporal: temporal(sought.start.as_deref(), sought.end.as_deref())?,
        rgt: sought.rgt,
        cycle: sought.cycle,
        region: sought.orbit_region,
        ..Query::default()
    })
}

/// The box that `text` names; two where it lies over the dateline.
fn boxes(text: &str) -> Result<Vec<[f64; 4]>, Failure> {
    let wrong = |reason: &str| Failure::Argument { flag: "bbox", value: text.to_owned(), reason: reason.to_owned() };
    let numbers: Option<Vec<f64>> = text.split(',').map(|part| part.trim().parse().ok()).collect();
    let Some([west, south, east, north]) = numbers.and_then(|numbers| <[f64; 4]>::try_from(numbers).ok()) else {
        return Err(wrong("a box is W,S,E,N in degrees, such as -70.5,-10,-60,0"));
    };
    if ![west, east].iter().all(|longitude| (-180.0..=180.0).contains(longitude)) {
        return Err(wrong("longitudes are -180 to 180"));
    }
    if !(-90.0 <= south && south <= north && north <= 90.0) {
        return Err(wrong("latitudes are -90 to 90, the southern one first"));
    }
    Ok(match west <= east {
        true => vec![[west, south, east, north]],
        false => vec![[west, south, 180.0, north], [-180.0, south, east, north]],
    })
}

const SECONDS_OF_DAY_BUT_ONE: i64 = 86_399;

/// Both bounds as CMR takes them. A day without a time is meant as a whole.
fn temporal(start: Option<&str>, end: Option<&str>) -> Result<Option<String>, Failure> {
    let nanoseconds = |flag, text: &str| {
        let wrong = |_| {
            let reason = "a time is like 2020-01-31 or 2020-01-31T12:00:00Z".to_owned();
            Failure::Argument { flag, value: text.to_owned(), reason }
        };
        string_to_timestamp_nanos(text).map_err(wrong)
    };
    let first = start.map(|text| nanoseconds("start", text)).transpose()?;
    let last = end.map(|text| {
        let rest = if text.len() == "2020-12-31".len() { SECONDS_OF_DAY_BUT_ONE * 1_000_000_000 } else { 0 };
        Ok::<_, Failure>(nanoseconds("end", text)?.saturating_add(rest))
    });
    let last = last.transpose()?;
    if let (Some(first), Some(last), Some(value)) = (first, last, end)
        && last < first
    {
        return Err(Failure::Argument {
            flag: "end",
            value: value.to_owned(),
            reason: "it is before --start".to_owned(),
        });
    }
    let told = |bound: Option<i64>| bound.map_or_else(String::new, instant);
    Ok((first.is_some() || last.is_some()).then(|| format!("{},{}", told(first), told(last))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_box_over_the_dateline_becomes_two() {
        assert_eq!(boxes("-70.5,-10,-60,0").unwrap(), [[-70.5, -10.0, -60.0, 0.0]]);
        assert_eq!(boxes("170, -20,-175,-10").unwrap(), [[170.0, -20.0, 180.0, -10.0], [-180.0, -20.0, -175.0, -10.0]]);
        for wrong in ["1,2,3", "1,2,3,x", "1,2,3,4,x", "1,2,3,4,5", "0,10,1,5", "-190,0,1,1", "0,-91,1,1", "0,0,1,NaN"]
        {
            assert!(matches!(boxes(wrong), Err(Failure::Argument { flag: "bbox", .. })), "{wrong}");
        }
    }

    #[test]
    fn the_last_day_is_meant_as_a_whole() {
        let both = temporal(Some("2020-01-01"), Some("2020-12-31")).unwrap();
        assert_eq!(both.as_deref(), Some("2020-01-01T00:00:00Z,2020-12-31T23:59:59Z"));
        let until = temporal(None, Some("2020-12-31T12:00:00+02:00")).unwrap();
        assert_eq!(until.as_deref(), Some(",2020-12-31T10:00:00Z"));
        assert_eq!(temporal(Some("2020-02-29"), None).unwrap().as_deref(), Some("2020-02-29T00:00:00Z,"));
        assert_eq!(temporal(None, None).unwrap(), None);
        assert!(temporal(Some("2020-02-30"), None).is_err());
        assert!(temporal(Some("2020-02-02"), Some("2020-02-01")).is_err());
    }
}
