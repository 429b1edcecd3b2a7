//! Refused downloads: files of the user in the way, a full disk, responses that are not HDF5, expired links.

use super::*;

/// A file of the user under the name of a granule.
fn own_file(folder: &Path) -> PathBuf {
    let path = target_path(folder, "a.h5");
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(&path, hdf5(7, 5000)).unwrap();
    path
}

#[test]
fn a_file_of_the_user_is_never_replaced() {
    let (archive, folder, content) = one_file();
    let own = own_file(folder.path());
    let announced = DownloadRequest { size: Some(SIZE as u64), ..wanted(&archive, "a.h5") };
    let error = fetch(&archive, folder.path(), announced.clone()).unwrap_err();
    assert!(matches!(error, Error::Occupied { .. }), "{error}");
    assert_eq!(std::fs::read(&own).unwrap(), hdf5(7, 5000));
    assert_eq!((visible(own.parent().unwrap()).len(), archive.seen().len()), (1, 0), "nothing is beside it");
    std::fs::remove_file(&own).unwrap();
    let fetched = fetch(&archive, folder.path(), announced).unwrap();
    assert_eq!(std::fs::read(&fetched.path).unwrap(), content);
    // A downloaded file that no longer matches the catalogue is downloaded again.
    let newer = hdf5(2, SIZE + 10);
    archive.put("a.h5", newer.clone());
    let changed = DownloadRequest { size: Some(SIZE as u64 + 10), ..wanted(&archive, "a.h5") };
    assert_eq!(std::fs::read(fetch(&archive, folder.path(), changed).unwrap().path).unwrap(), newer);
    // Except if the user has changed it.
    std::fs::write(&own, hdf5(3, 6000)).unwrap();
    let changed = DownloadRequest { size: Some(SIZE as u64 + 10), ..wanted(&archive, "a.h5") };
    assert!(matches!(fetch(&archive, folder.path(), changed).unwrap_err(), Error::Occupied { .. }));
    assert_eq!(std::fs::read(&own).unwrap(), hdf5(3, 6000));
}

#[test]
fn a_response_other_than_hdf5_is_refused_at_its_first_bytes() {
    let (archive, folder, _) = one_file();
    archive.play("a.h5", [Trick::Junk]);
    let error = fetch(&archive, folder.path(), wanted(&archive, "a.h5")).unwrap_err();
    assert!(matches!(error, Error::WebPage { .. }), "{error}");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn a_file_larger_than_the_free_space_is_refused_before_the_disk_is_full() {
    let (archive, folder, _) = one_file();
    archive.play("a.h5", [Trick::Endless]);
    let error = fetch(&archive, folder.path(), wanted(&archive, "a.h5")).unwrap_err();
    assert!(matches!(error, Error::NoSpace { needed, .. } if needed == 1 << 60), "{error}");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn an_empty_response_is_reported() {
    let (archive, folder, _) = one_file();
    archive.put("a.h5", Bytes::new());
    let message = fetch(&archive, folder.path(), wanted(&archive, "a.h5")).unwrap_err().to_string();
    assert!(message.ends_with("/data/a.h5: the downloaded file is empty"), "{message}");
    assert_eq!(archive.count("store", "a.h5"), 2, "once more, not for ever");
}

#[test]
fn an_expired_link_is_reported_as_expired() {
    let (archive, folder, _) = one_file();
    archive.play("a.h5", vec![Trick::Store(403); 9]);
    let error = fetch(&archive, folder.path(), wanted(&archive, "a.h5")).unwrap_err();
    let Error::GivenUp { source, .. } = error else { panic!("{error}") };
    assert!(
        source
            .to_string()
            .ends_with("redirects to a link that responded with 403 Forbidden: the link may have expired")
    );
}

#[test]
fn a_file_in_place_of_the_target_folder_is_reported() {
    let (archive, folder, _) = one_file();
    let file = folder.path().join("data");
    std::fs::write(&file, "mine").unwrap();
    let error = fetch(&archive, &file, wanted(&archive, "a.h5")).unwrap_err();
    let source = std::error::Error::source(&error).unwrap().to_string();
    assert!(source.contains("expected a folder, found a file"), "{source}");
}

#[test]
fn a_broken_connection_is_reported_in_one_sentence() {
    let (archive, folder, _) = one_file();
    archive.play("a.h5", vec![Trick::Cut(0); 9]);
    let error = fetch(&archive, folder.path(), wanted(&archive, "a.h5")).unwrap_err();
    let Error::GivenUp { source, .. } = error else { panic!("{error}") };
    let message = source.to_string();
    assert!(message.contains("/data/a.h5: connection was interrupted: ") && !message.contains("decoding"), "{message}");
    assert!(std::error::Error::source(&*source).is_none(), "no layers below it");
}
