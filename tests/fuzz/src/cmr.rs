//! CMR replies and work lists.

use std::time::Duration;

use futures::StreamExt;
use isdb_cmr::{Cmr, Patience, Query, WorkList, worklist};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::runtime::Runtime;

/// No second attempt, because the same reply would come again.
const PATIENCE: Patience = Patience {
    connect: Duration::from_secs(5),
    read: Duration::from_secs(5),
    first_wait: Duration::from_secs(1),
    longest_wait: Duration::from_secs(1),
    total: Duration::ZERO,
};

/// A server whose reply is set later, and its client, which is shared because making one takes ten milliseconds.
struct Archive {
    runtime: Runtime,
    listener: TcpListener,
    cmr: Cmr,
}

thread_local! {
    static ARCHIVE: Archive = Archive::start();
}

impl Archive {
    fn start() -> Archive {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        Archive { runtime, listener, cmr: Cmr::new(&url, PATIENCE).expect("a client") }
    }
}

/// Answers one request with `body`.
async fn serve(listener: &TcpListener, body: &[u8]) -> std::io::Result<()> {
    let (mut stream, _) = listener.accept().await?;
    let mut request = Vec::new();
    while !request.windows(4).any(|end| end == b"\r\n\r\n") {
        if stream.read_buf(&mut request).await? == 0 {
            break;
        }
    }
    let head = format!("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: {}\r\n\r\n", body.len());
    stream.write_all(head.as_bytes()).await?;
    stream.write_all(body).await?;
    // Closing with unread bytes of the request would cut the answer off.
    stream.shutdown().await?;
    while stream.read_buf(&mut request).await? > 0 {}
    Ok(())
}

/// The granules of a reply can be written as a work list and read again. The same bytes are also read as a work list.
pub(crate) fn reply(input: &[u8]) {
    let mut list = WorkList::default();
    ARCHIVE.with(|Archive { runtime, listener, cmr }| {
        runtime.block_on(async {
            let query = Query::default();
            let mut pages = std::pin::pin!(cmr.pages(&query));
            // Connections left over from an earlier input are answered, too.
            let served = async {
                loop {
                    let _ = serve(listener, input).await;
                }
            };
            let page = tokio::select! { page = pages.next() => page, () = served => None };
            if let Some(Ok(page)) = page {
                assert!(page.unusable.iter().all(|unusable| !unusable.reason.is_empty()));
                list.add(page);
            }
        });
    });
    check_round_trip(list);
    let mut list = WorkList::default();
    for granule in worklist::read(input).filter_map(Result::ok) {
        list.insert(granule);
    }
    check_round_trip(list);
}

/// Writes `list`, reads it again and compares.
fn check_round_trip(list: WorkList) {
    let granules = list.into_granules();
    let mut written = Vec::new();
    worklist::write(&mut written, &granules).unwrap();
    let read: Vec<_> = worklist::read(&*written).collect::<Result<_, _>>().expect("a work list that was just written");
    assert_eq!(read, granules, "{}", String::from_utf8_lossy(&written));
    for granule in &granules {
        let name = granule.file_name();
        assert!(!name.contains(['/', '\\', '\0']) && !name.chars().any(char::is_control), "{name:?}");
    }
}
