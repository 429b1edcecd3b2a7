//! moto, an S3 server that isdb has nothing to do with.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Stdio};

use super::{DATABASE, life, without_profiles};
use crate::support::{Content, TestFolder};

/// A server, which ends with the test.
struct Moto {
    child: Child,
    endpoint: String,
}

impl Moto {
    /// Starts a server with the bucket `bucket` on a free port; `None`, counted as a skipped test, without its packages.
    fn start() -> Option<Moto> {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/python/s3_server.py");
        // The server ends when its standard input does, which is also when this process dies.
        let mut child =
            isdb_testing::python()?.arg(script).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let mut endpoint = String::new();
        BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut endpoint).unwrap();
        Some(Moto { child, endpoint: endpoint.trim().to_owned() })
    }
}

impl Drop for Moto {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn another_s3_server_has_the_same_database() {
    let mut place = TestFolder::in_memory();
    let Some(moto) = Moto::start() else { return };
    without_profiles(&mut place);
    place.set_variables([
        ("AWS_ENDPOINT_URL", moto.endpoint.clone()),
        ("AWS_ALLOW_HTTP", "true".to_owned()),
        ("AWS_REGION", "us-east-1".to_owned()),
        ("AWS_ACCESS_KEY_ID", "any".to_owned()),
        ("AWS_SECRET_ACCESS_KEY", "any".to_owned()),
    ]);
    std::fs::write(place.path("c.yml"), "product: ATL08\nvariables: [h_canopy, night_flag]\n").unwrap();
    place.synthesise("granules", 3, 30);
    life(&place, &["--db", "local", "--config", "c.yml"]);
    life(&place, &["--db", DATABASE, "--config", "c.yml"]);
    Content::read_database(&place, "local").is_in_database(&place, DATABASE, "moto");
}
