//! Lists of links from Earthdata Search: refused with a hint.

use super::inputs::inputs;
use super::outcome::all_good;
use crate::support::TestFolder;

const LISTS: [&str; 3] = ["links.txt", "links_ecs.txt", "links_s3.txt"];

#[test]
fn a_list_of_links_is_refused_and_fetches_nothing() {
    let Some(folder) = inputs() else { return };
    let place = TestFolder::in_memory();
    all_good(LISTS.map(|name| {
        let list = folder.join(name);
        let run = place.run(&["download", list.to_str().unwrap()]);
        let expected = [name, "line 1", "a link", "isdb search"];
        match run.code == Some(1) && expected.iter().all(|text| run.stderr.contains(text)) {
            true => Ok(()),
            false => Err(format!("{name}: expected {expected:?}, found {:?} {}", run.code, run.stderr)),
        }
    }));
    all_good(LISTS.map(|name| {
        let run = place.run(&["ingest", folder.join(name).to_str().unwrap()]);
        match run.code == Some(3) && run.stderr.contains(name) && run.stderr.contains("not an HDF5 file") {
            true => Ok(()),
            false => Err(format!("{name}: expected an error that names it, found {:?} {}", run.code, run.stderr)),
        }
    }));
}
