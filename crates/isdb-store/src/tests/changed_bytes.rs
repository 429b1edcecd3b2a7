//! A changed byte in a fragment is found, because everything compressed in it has a checksum.

use super::repairing::{assert_sound, examine, flip, fragment, two_granules};

#[tokio::test]
async fn a_changed_byte_in_any_file_of_a_fragment_is_found() {
    let (_folder, database) = two_granules().await;
    let folder = fragment(&database).await;
    let files = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path());
    let files: Vec<_> = files.filter(|path| path.metadata().unwrap().len() > 0).collect();
    assert!(files.len() > 5, "{files:?}");
    for file in files {
        let content = std::fs::read(&file).unwrap();
        flip(&file);
        assert!(!examine(&database).await.is_sound(), "{} was changed, and its values may be others", file.display());
        std::fs::write(&file, content).unwrap();
    }
    assert_sound(&database).await;
}
