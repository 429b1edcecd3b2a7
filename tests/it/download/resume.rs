//! Resumed downloads: a partial file is continued if it belongs to the file on the server.

use super::*;

/// Leaves an unfinished `a.h5.part` and returns its length.
fn leave_partial_file(archive: &Archive, folder: &Path) -> u64 {
    archive.play("a.h5", [Trick::Cut(120_000), Trick::Archive(404, vec![])]);
    fetch(archive, folder, wanted(archive, "a.h5")).unwrap_err();
    let length = std::fs::metadata(partial_path(folder)).unwrap().len();
    assert!((1..=120_000).contains(&length), "{length}");
    length
}

fn partial_path(folder: &Path) -> PathBuf {
    target_path(folder, "a.h5").with_file_name("a.h5.part")
}

#[test]
fn the_next_run_resumes_a_partial_file() {
    let (archive, folder, content) = one_file();
    let there = leave_partial_file(&archive, folder.path());
    let fetched = fetch(&archive, folder.path(), wanted(&archive, "a.h5")).unwrap();
    assert_eq!((fetched.bytes_reused, fetched.bytes_downloaded, fetched.attempts), (there, SIZE as u64 - there, 1));
    assert_eq!(std::fs::read(&fetched.path).unwrap(), content);
    let again = fetch(&archive, folder.path(), wanted(&archive, "a.h5")).unwrap();
    assert_eq!((again.bytes_reused, again.bytes_downloaded, again.attempts), (SIZE as u64, 0, 0));
}

#[test]
fn a_file_that_changed_on_the_server_is_restarted() {
    let other = hdf5(2, SIZE);
    for (etag, modified) in
        [(Some("\"new\""), None), (None, Some("Thu, 22 Oct 2020 07:28:00 GMT")), (None, None), (Some("W/\"1\""), None)]
    {
        let (archive, folder, _) = one_file();
        leave_partial_file(&archive, folder.path());
        let file =
            File { content: other.clone(), etag: etag.map(str::to_owned), modified: modified.map(str::to_owned) };
        archive.put_as("a.h5", file);
        let fetched = fetch(&archive, folder.path(), wanted(&archive, "a.h5")).unwrap();
        assert_eq!(std::fs::read(&fetched.path).unwrap(), other, "{etag:?} {modified:?}");
        assert_eq!(fetched.bytes_reused, 0);
    }
}

#[test]
fn a_response_with_another_range_is_not_appended() {
    let (archive, folder, content) = one_file();
    leave_partial_file(&archive, folder.path());
    archive.play("a.h5", [Trick::OtherRange]);
    let fetched = fetch(&archive, folder.path(), wanted(&archive, "a.h5")).unwrap();
    assert_eq!(std::fs::read(&fetched.path).unwrap(), content);
    assert_eq!((fetched.bytes_reused, fetched.attempts), (0, 2));
}

#[test]
fn a_server_without_etag_or_date_restarts_the_file() {
    let (archive, folder, content) = one_file();
    archive.put_as("a.h5", File { content: content.clone(), etag: None, modified: None });
    archive.play("a.h5", [Trick::Cut(100_000)]);
    let fetched = fetch(&archive, folder.path(), wanted(&archive, "a.h5")).unwrap();
    assert_eq!(std::fs::read(&fetched.path).unwrap(), content);
    assert!(archive.seen().iter().all(|seen| !seen.headers.contains_key("range")));
    archive.put_as(
        "b.h5",
        File { content: content.clone(), etag: None, modified: Some("Wed, 21 Oct 2020 07:28:00 GMT".to_owned()) },
    );
    archive.play("b.h5", [Trick::Cut(100_000)]);
    assert_eq!(
        fetch(&archive, folder.path(), wanted(&archive, "b.h5")).unwrap().bytes_downloaded,
        SIZE as u64,
        "the date is enough"
    );
}

#[test]
fn a_complete_partial_file_needs_no_request_or_ends_at_status_416() {
    let (archive, folder, content) = one_file();
    leave_partial_file(&archive, folder.path());
    std::fs::write(partial_path(folder.path()), &content).unwrap();
    let before = archive.seen().len();
    let fetched = fetch(&archive, folder.path(), wanted(&archive, "a.h5")).unwrap();
    assert_eq!((fetched.bytes_reused, fetched.bytes_downloaded, archive.seen().len()), (SIZE as u64, 0, before));

    let (archive, folder, content) = one_file();
    leave_partial_file(&archive, folder.path());
    std::fs::write(partial_path(folder.path()), &content).unwrap();
    forget_length(folder.path());
    let fetched = fetch(&archive, folder.path(), wanted(&archive, "a.h5")).unwrap();
    assert_eq!((fetched.bytes_reused, fetched.bytes_downloaded, fetched.attempts), (SIZE as u64, 0, 1));

    let (archive, folder, content) = one_file();
    leave_partial_file(&archive, folder.path());
    std::fs::write(partial_path(folder.path()), [&content[..], b"more"].concat()).unwrap();
    forget_length(folder.path());
    let fetched = fetch(&archive, folder.path(), wanted(&archive, "a.h5")).unwrap();
    assert_eq!(std::fs::read(fetched.path).unwrap(), content, "a part longer than the file is restarted");
}

fn forget_length(folder: &Path) {
    let sidecar = target_path(folder, "a.h5").with_file_name("a.h5.part.json");
    let text = std::fs::read_to_string(&sidecar).unwrap();
    std::fs::write(&sidecar, text.replace(&format!("\"length\":{SIZE}"), "\"length\":null")).unwrap();
}

#[test]
fn a_corrupt_partial_file_is_detected_by_the_checksum() {
    let (archive, folder, content) = one_file();
    let sum = Command::new("md5sum").arg(written(folder.path(), &content)).output().unwrap();
    let sum = String::from_utf8(sum.stdout).unwrap().split_whitespace().next().unwrap().to_owned();
    leave_partial_file(&archive, folder.path());
    std::fs::write(partial_path(folder.path()), vec![7; 120_000]).unwrap();
    let checksum = Some((ChecksumAlgorithm::Md5, sum));
    let fetched = fetch(&archive, folder.path(), DownloadRequest { checksum, ..wanted(&archive, "a.h5") }).unwrap();
    assert_eq!(std::fs::read(&fetched.path).unwrap(), content);
    let checksum = Some((ChecksumAlgorithm::Md5, "00".repeat(16)));
    let error = fetch(&archive, folder.path(), DownloadRequest { checksum, ..wanted(&archive, "a.h5") }).unwrap_err();
    assert!(error.to_string().contains("checksum"), "{error}");
    assert_eq!(archive.sent("a.h5"), 4 * SIZE as u64, "a file that never verifies is fetched twice, not for ever");
}

fn written(folder: &Path, content: &[u8]) -> PathBuf {
    let path = folder.join("original");
    std::fs::write(&path, content).unwrap();
    path
}

#[test]
fn an_invalid_response_keeps_the_partial_file() {
    let (archive, folder, content) = one_file();
    let there = leave_partial_file(&archive, folder.path());
    archive.play("a.h5", [Trick::Junk]);
    let error = fetch(&archive, folder.path(), wanted(&archive, "a.h5")).unwrap_err();
    assert!(matches!(error, Error::WebPage { .. }), "{error}");
    assert_eq!(std::fs::metadata(partial_path(folder.path())).unwrap().len(), there);
    let fetched = fetch(&archive, folder.path(), wanted(&archive, "a.h5")).unwrap();
    assert_eq!((fetched.bytes_reused, std::fs::read(&fetched.path).unwrap() == content), (there, true));
}

#[test]
fn a_file_with_trailing_bytes_is_fetched_once() {
    let (archive, folder, content) = one_file();
    let content = Bytes::from([&content[..], b"a legal trailer"].concat());
    archive.put("a.h5", content.clone());
    let fetched = fetch(&archive, folder.path(), wanted(&archive, "a.h5")).unwrap();
    assert_eq!(std::fs::read(&fetched.path).unwrap(), content);
    let again = fetch(&archive, folder.path(), wanted(&archive, "a.h5")).unwrap();
    assert_eq!((again.attempts, again.bytes_reused), (0, content.len() as u64));
}

#[test]
fn a_hundred_downloads_that_break_at_random_are_equal_byte_for_byte() {
    let (archive, folder) = (Archive::new(), tempfile::tempdir().unwrap());
    let mut random = Random::new(5);
    let mut files = Vec::new();
    for number in 0..100 {
        let (name, length) = (format!("f{number}.h5"), 50_000 + usize::try_from(random.below(2_000_000)).unwrap());
        let content = hdf5(number, length);
        archive.put(&name, content.clone());
        archive.play(&name, [Trick::Cut(usize::try_from(random.below(length as u64)).unwrap())]);
        files.push((name, content));
    }
    let list = files.iter().map(|(name, _)| wanted(&archive, name)).collect();
    let outcomes = fetch_all(&archive, folder.path(), list);
    assert_eq!(outcomes.len(), files.len());
    for (name, content) in &files {
        assert!(std::fs::read(target_path(folder.path(), name)).unwrap() == *content, "{name} differs");
        let outcome = outcomes.iter().find(|outcome| outcome.request.name == *name).unwrap();
        let fetched = outcome.result.as_ref().unwrap();
        assert!(
            fetched.attempts == 2 && fetched.bytes_downloaded - content.len() as u64 <= 1 << 20,
            "{name}: {fetched:?}"
        );
    }
}
