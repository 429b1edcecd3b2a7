//! Downloads that are killed, run at the same time, or are large.

use super::*;

/// Runs the program for a random time, then kills it.
fn killed_after(mut child: Child, pause: u64) {
    std::thread::sleep(Duration::from_millis(pause));
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn a_download_killed_twenty_times_repeats_no_complete_file_and_accepts_no_corrupt_one() {
    let (archive, place) = (Archive::new(), TestFolder::new());
    let mut random = Random::new(11);
    let names: Vec<String> = (0..8).map(|number| format!("f{number}.h5")).collect();
    let contents: Vec<Bytes> = (0..8).map(|seed| hdf5(seed, 4_000_000)).collect();
    for (name, content) in names.iter().zip(&contents) {
        archive.put(name, content.clone());
    }
    archive.slow_down(Duration::from_millis(3));
    let urls: Vec<String> = names.iter().map(|name| archive.url(name)).collect();
    let arguments = [vec!["download", "--connections", "3"], urls.iter().map(String::as_str).collect()].concat();
    let whole = |name: &str| place.path(&format!("granules/{}/{name}", name.trim_end_matches(".h5")));
    let part = |name: &str| std::fs::metadata(whole(name).with_extension("h5.part")).map_or(0, |part| part.len());
    let (mut there, mut begun, mut resumed) = (Vec::<&String>::new(), vec![0; names.len()], 0);
    for kill in 0..=20 {
        let before = archive.seen().len();
        let mut command = command(&place, &archive, &arguments);
        command.env("EARTHDATA_TOKEN", TOKEN).stdout(Stdio::null()).stderr(Stdio::null());
        if kill < 20 {
            killed_after(command.spawn().unwrap(), 40 + random.below(400));
        } else {
            assert!(command.status().unwrap().success(), "the last one is left to end");
        }
        let requests = archive.seen().split_off(before);
        for (index, (name, content)) in names.iter().zip(&contents).enumerate() {
            let of_it =
                |host| requests.iter().find(move |seen| seen.host == host && seen.path.ends_with(name.as_str()));
            assert!(!there.contains(&name) || of_it("archive").is_none(), "a complete file is not requested again");
            if let (1.., Some(first)) = (begun[index], of_it("store")) {
                let range = first.headers.get("range").map(|range| range.to_str().unwrap().to_owned());
                assert_eq!(range, Some(format!("bytes={}-", begun[index])), "{name} goes on where it stopped");
                resumed += 1;
            }
            assert!(!whole(name).exists() || std::fs::read(whole(name)).unwrap() == *content, "{name} is corrupt");
            begun[index] = part(name);
        }
        there = names.iter().filter(|name| whole(name).exists()).collect();
    }
    assert_eq!(there.len(), names.len());
    assert!(resumed > 0, "no kill came while a file was on its way");
}

#[test]
fn two_downloads_into_one_folder_do_not_mix_their_bytes() {
    let (archive, place) = (Archive::new(), TestFolder::new());
    let contents: Vec<Bytes> = (0..4).map(|seed| hdf5(seed, 1_000_000)).collect();
    let urls: Vec<String> = (0..4).map(|number| archive.url(&format!("f{number}.h5"))).collect();
    for (number, content) in contents.iter().enumerate() {
        archive.put(&format!("f{number}.h5"), content.clone());
    }
    archive.slow_down(Duration::from_millis(2));
    let arguments = [vec!["download"], urls.iter().map(String::as_str).collect()].concat();
    let spawn = || {
        let mut command = command(&place, &archive, &arguments);
        command.env("EARTHDATA_TOKEN", TOKEN).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    };
    for ended in [spawn(), spawn()].map(|child| Run::from(child.wait_with_output().unwrap())) {
        assert!(ended.code == Some(0) || ended.stderr.contains("is already being downloaded"), "{}", ended.stderr);
    }
    for (number, content) in contents.iter().enumerate() {
        let path = place.path(&format!("granules/f{number}/f{number}.h5"));
        assert!(std::fs::read(path).unwrap() == *content, "f{number}");
        assert_eq!(archive.sent(&format!("f{number}.h5")), content.len() as u64);
    }
}

#[test]
fn ctrl_c_keeps_partial_files_for_the_next_run() {
    let (archive, place) = (Archive::new(), TestFolder::new());
    archive.put("a.h5", hdf5(1, 8_000_000));
    archive.slow_down(Duration::from_millis(2));
    let url = archive.url("a.h5");
    let mut first = command(&place, &archive, &["download", &url]);
    let child = first.env("EARTHDATA_TOKEN", TOKEN).stderr(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
    let part = place.path("granules/a/a.h5.part");
    while std::fs::metadata(&part).map_or(0, |part| part.len()) < 1 << 20 {
        std::thread::sleep(Duration::from_millis(5));
    }
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
    assert_eq!(child.wait_with_output().unwrap().status.code(), Some(130));
    let there = std::fs::metadata(&part).unwrap().len();
    archive.slow_down(Duration::ZERO);
    let last = with_token(command(&place, &archive, &["download", &url]));
    assert_eq!(last.code, Some(0), "{}", last.stderr);
    let ranges: Vec<String> = archive
        .seen()
        .iter()
        .filter_map(|seen| Some(seen.headers.get("range")?.to_str().unwrap().to_owned()))
        .collect();
    assert_eq!(ranges.last(), Some(&format!("bytes={there}-")), "{ranges:?}");
}

#[test]
fn a_large_file_is_downloaded_in_little_memory() {
    let (archive, place) = (Archive::new(), TestFolder::new());
    archive.put("a.h5", hdf5(1, 200_000_000));
    archive.put("small.h5", hdf5(1, 1000));
    let peak = |name: &str| {
        let url = archive.url(name);
        let mut command = command(&place, &archive, &["download", &url]);
        let mut child =
            command.env("EARTHDATA_TOKEN", TOKEN).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let mut peak = 0;
        while child.try_wait().unwrap().is_none() {
            peak = peak.max(high_water(child.id()));
            std::thread::sleep(Duration::from_millis(5));
        }
        peak
    };
    let (small, large) = (peak("small.h5"), peak("a.h5"));
    assert_eq!(std::fs::metadata(place.path("granules/a/a.h5")).unwrap().len(), 200_000_000);
    eprintln!("peak memory: {small} kB for 1 kB, {large} kB for 200 MB");
    assert!(large > 0 && large < 150_000, "{large} kB");
}

/// The largest resident set of a process so far, in kB; 0 after its end.
fn high_water(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.split_whitespace().next()?.parse().ok()).unwrap_or(0)
}
