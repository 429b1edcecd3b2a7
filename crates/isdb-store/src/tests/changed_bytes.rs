//! A changed byte in a fragment is found, because everything compressed in it has a checksum.

use super::home::PLACES;
use super::repairing::{assert_sound, examine, fragment, two_granules};

#[tokio::test]
async fn a_changed_byte_in_any_file_of_a_fragment_is_found() {
    for place in PLACES {
        let (home, database) = two_granules(place).await;
        let mut files = home.files(&fragment(&database).await);
        files.retain(|file| !home.read(file).is_empty());
        assert!(files.len() > 5, "{files:?}");
        for file in files {
            let content = home.read(&file);
            home.flip(&file);
            let report = examine(&database).await;
            let [damage] = &report.damages[..] else { panic!("{file} was changed, and its values may be others") };
            assert_eq!(damage.path, database.location().child(&file), "{damage:?}");
            home.write(&file, &content);
        }
        assert_sound(&database).await;
    }
}
