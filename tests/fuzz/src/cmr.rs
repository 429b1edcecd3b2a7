//! Replies of CMR and work lists.

use std::time::Duration;

use futures::StreamExt;
use isdb_cmr::{Cmr, Query, RetryPolicy, WorkList, worklist};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::runtime::Runtime;

/// No second attempt: a wrong reply stays wrong.
const PATIENCE: RetryPolicy = RetryPolicy {
    connect_timeout: Duration::from_secs(5),
    read_timeout: Duration::from_secs(5),
    first_pause: Duration::from_secs(1),
    max_pause: Duration::from_secs(1),
    time_limit: Duration::ZERO,
};

/// A server and its client, which is kept because it takes ten milliseconds to create.
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
    // Unread parts of the request would reset the connection before the reply arrives.
    stream.shutdown().await?;
    while stream.read_buf(&mut request).await? > 0 {}
    Ok(())
}

/// A parsed reply can be written as a work list and read again. The same bytes are also read as a work list.
pub(crate) fn reply(input: &[u8]) {
    let mut list = WorkList::default();
    ARCHIVE.with(|Archive { runtime, listener, cmr }| {
        runtime.block_on(async {
            let query = Query::default();
            let mut pages = std::pin::pin!(cmr.pages(&query));
            // Connections of an earlier input are answered as well.
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
    same_when_written(list);
    let mut list = WorkList::default();
    for granule in worklist::read(input).filter_map(Result::ok) {
        list.insert(granule);
    }
    same_when_written(list);
}

fn same_when_written(list: WorkList) {
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
