//! A CMR server: it pages with search-after over given granules, and plays failures by a script.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures::{StreamExt, stream};
use isdb_schema::granule_name::GranuleName;
use serde_json::{Value, json};
use tokio::sync::oneshot;

/// The response to one request.
#[derive(Clone, Debug)]
pub(crate) enum Act {
    /// The correct response.
    Serve,
    /// 429 with this many seconds in `Retry-After`.
    Throttle(u64),
    /// 504 with an HTML page.
    GatewayTimeout,
    /// Half a page, marked as incomplete by the header of this name.
    Partial(&'static str),
    /// The connection breaks in the middle of the body.
    Cut,
    /// A whole body that ends in the middle of its JSON.
    Truncated,
    /// A page that begins with the last granules of the one before, as after an insertion.
    Overlap,
    /// A wrong number of hits.
    Hits(u64),
    /// A correct response after this time.
    Late(Duration),
    /// 400 with this message of CMR.
    Refuse(&'static str),
    /// 200 with an HTML page.
    Html,
    /// A redirect with this status to another path of the same CMR.
    Moved(u16),
    /// A response without end.
    Endless,
}

/// A request that CMR received.
#[derive(Clone, Debug)]
pub(crate) struct CmrRequest {
    pub(crate) path: String,
    pub(crate) form: Vec<(String, String)>,
    pub(crate) headers: HeaderMap,
}

impl CmrRequest {
    /// The value of a parameter.
    pub(crate) fn value(&self, key: &str) -> Option<&str> {
        self.form.iter().find(|(name, _)| name == key).map(|(_, value)| value.as_str())
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    pub(crate) fn page_size(&self) -> usize {
        self.value("page_size").unwrap().parse().unwrap()
    }
}

#[derive(Default)]
struct Inside {
    items: Vec<Value>,
    script: VecDeque<Act>,
    /// Larger requested pages break off.
    largest_page: Option<usize>,
    requests: Vec<CmrRequest>,
}

/// The server; dropping it stops it.
pub(crate) struct FakeCmr {
    pub(crate) url: String,
    inside: Arc<Mutex<Inside>>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl FakeCmr {
    /// Starts a CMR with these descriptions of granules.
    pub(crate) fn start(items: Vec<Value>) -> FakeCmr {
        let inside = Arc::new(Mutex::new(Inside { items, ..Inside::default() }));
        let (stop, stopped) = oneshot::channel::<()>();
        let (address, message) = std::sync::mpsc::channel::<SocketAddr>();
        let state = Arc::clone(&inside);
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
                address.send(listener.local_addr().unwrap()).unwrap();
                let router = Router::new().fallback(answer).with_state(state);
                tokio::select! {
                    served = async { axum::serve(listener, router).await } => served.unwrap(),
                    _ = stopped => {}
                }
            });
        });
        let url = format!("http://{}", message.recv().unwrap());
        FakeCmr { url, inside, stop: Some(stop), thread: Some(thread) }
    }

    /// Replaces the descriptions.
    pub(crate) fn know(&self, items: Vec<Value>) {
        self.inside.lock().unwrap().items = items;
    }

    /// The responses to the next requests, in order; later requests are served correctly.
    pub(crate) fn script(&self, acts: &[Act]) -> &FakeCmr {
        self.inside.lock().unwrap().script = acts.iter().cloned().collect();
        self
    }

    /// Breaks the connection whenever a request has a larger page size.
    pub(crate) fn cut_pages_above(&self, granules: usize) -> &FakeCmr {
        self.inside.lock().unwrap().largest_page = Some(granules);
        self
    }

    /// The requests so far.
    pub(crate) fn requests(&self) -> Vec<CmrRequest> {
        self.inside.lock().unwrap().requests.clone()
    }
}

impl Drop for FakeCmr {
    fn drop(&mut self) {
        if let Some(stop) = self.stop.take() {
            let _ = stop.send(());
        }
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// A UMM-G description as CMR returns it for the cloud archive, without the links to images.
pub(crate) fn description(name: &str, number: u64, provider: &str) -> Value {
    let parsed: GranuleName = name.parse().unwrap();
    let day = format!("{}-{}-{}", &name[6..10], &name[10..12], &name[12..14]);
    let folder = format!("ATLAS/ATL08/{:03}/{}/{name}", parsed.release, day.replace('-', "/"));
    let (hour, minute) = (&name[14..16], &name[16..18]);
    json!({
        "meta": {
            "concept-type": "granule",
            "concept-id": format!("G{number}-{provider}"),
            "revision-id": 1,
            "native-id": format!("{name}_KOiFgTqo"),
            "provider-id": provider,
        },
        "umm": {
            "GranuleUR": format!("{name}_KOiFgTqo"),
            "TemporalExtent": {"RangeDateTime": {
                "BeginningDateTime": format!("{day}T{hour}:{minute}:07.250Z"),
                "EndingDateTime": format!("{day}T{hour}:{minute}:59.750Z"),
            }},
            "CollectionReference": {"ShortName": "ATL08", "Version": format!("{:03}", parsed.release)},
            "RelatedUrls": [
                {"URL": format!("https://data.example/{folder}"), "Type": "GET DATA", "MimeType": "application/x-hdf5"},
                {"URL": format!("s3://archive/{folder}"), "Type": "GET DATA VIA DIRECT ACCESS"},
                {"URL": format!("https://data.example/{folder}.dmrpp"), "Type": "VIEW RELATED INFORMATION"},
            ],
            "DataGranule": {
                "Identifiers": [{"IdentifierType": "ProducerGranuleId", "Identifier": name}],
                "ArchiveAndDistributionInformation": [{
                    "Name": name,
                    "Size": 83.0,
                    "SizeUnit": "MB",
                    "SizeInBytes": 87_031_808,
                    "Checksum": {"Algorithm": "MD5", "Value": format!("{number:032x}")},
                }],
            },
        },
    })
}

/// `count` granules of release 007, one every hour from 2022-06-01 on.
pub(crate) fn descriptions(count: u64) -> Vec<Value> {
    (0..count).map(|number| description(&name(number), 1000 + number, "NSIDC_CPRD")).collect()
}

/// The name of one of [`descriptions`].
pub(crate) fn name(number: u64) -> String {
    let (day, hour) = (number / 24 + 1, number % 24);
    format!("ATL08_202206{day:02}{hour:02}0000_{:04}1502_007_01.h5", 100 + number)
}

async fn answer(State(inside): State<Arc<Mutex<Inside>>>, uri: Uri, headers: HeaderMap, body: String) -> Response {
    let form = parameters(&body);
    let request = CmrRequest { path: uri.path().to_owned(), form, headers };
    let (act, items) = {
        let mut inside = inside.lock().unwrap();
        inside.requests.push(request.clone());
        let is_large = inside.largest_page.is_some_and(|largest| request.page_size() > largest);
        let act = inside.script.pop_front().unwrap_or(if is_large { Act::Cut } else { Act::Serve });
        (act, inside.items.clone())
    };
    let path = request.path.trim_start_matches("/moved");
    match path {
        "/search/granules.umm_json" => granules(&request, act, items).await,
        "/search/collections.umm_json" => collections(&items),
        _ => StatusCode::NOT_FOUND.into_response(),
    }
}

fn parameters(body: &str) -> Vec<(String, String)> {
    let uri: Uri = format!("/?{body}").parse().unwrap();
    Query::try_from_uri(&uri).unwrap().0
}

fn release(item: &Value) -> Value {
    item["umm"]["CollectionReference"]["Version"].clone()
}

fn collections(items: &[Value]) -> Response {
    let mut releases: Vec<Value> = items.iter().map(release).collect();
    releases.sort_by_key(Value::to_string);
    releases.dedup();
    let collections =
        releases.iter().map(|version| json!({"meta": {}, "umm": {"ShortName": "ATL08", "Version": version}}));
    axum_json(&json!({"hits": releases.len(), "took": 3, "items": collections.collect::<Vec<_>>()}))
}

fn axum_json(body: &Value) -> Response {
    ([("content-type", "application/vnd.nasa.cmr.umm_results+json;version=1.6.6; charset=utf-8")], body.to_string())
        .into_response()
}

async fn granules(request: &CmrRequest, act: Act, items: Vec<Value>) -> Response {
    let found: Vec<Value> = items.into_iter().filter(|item| is_sought(request, item)).collect();
    let id = |item: &Value| item["meta"]["concept-id"].clone();
    // As the real header, a JSON array of the sort key.
    let begin = request.header("cmr-search-after").map_or(0, |place| {
        let place: Value = serde_json::from_str(place).unwrap();
        found.iter().position(|item| id(item) == place[1]).unwrap() + 1
    });
    let overlap = if matches!(act, Act::Overlap) { 2.min(request.page_size() - 1) } else { 0 };
    let begin = begin.saturating_sub(overlap);
    let page: Vec<Value> = found.iter().skip(begin).take(request.page_size()).cloned().collect();
    let hits = if let Act::Hits(hits) = act { hits } else { found.len() as u64 };
    let mut answer = axum_json(&json!({"hits": hits, "took": 1, "items": page}));
    answer.headers_mut().insert("CMR-Hits", hits.into());
    if let Some(last) = page.last() {
        let place = json!(["nsidc_cprd", id(last)]).to_string();
        answer.headers_mut().insert("CMR-Search-After", place.parse().unwrap());
    }
    match act {
        Act::Serve | Act::Overlap | Act::Hits(_) => answer,
        Act::Throttle(seconds) => {
            let words = json!({"errors": ["Too many requests."]}).to_string();
            (StatusCode::TOO_MANY_REQUESTS, [("retry-after", seconds.to_string())], words).into_response()
        }
        Act::GatewayTimeout => (StatusCode::GATEWAY_TIMEOUT, "<html>504 Gateway Time-out</html>").into_response(),
        Act::Partial(header) => {
            answer.headers_mut().insert(header, "true".parse().unwrap());
            let half: Vec<&Value> = page.iter().take(page.len() / 2).collect();
            *answer.body_mut() = Body::from(json!({"hits": hits, "took": 170_000, "items": half}).to_string());
            answer
        }
        Act::Cut => {
            let cut = async {
                // Time to send the bytes before the break.
                tokio::time::sleep(Duration::from_millis(20)).await;
                Err(std::io::Error::other("cut"))
            };
            *answer.body_mut() = Body::from_stream(stream::iter([Ok(half(&page))]).chain(stream::once(cut)));
            answer
        }
        Act::Truncated => {
            *answer.body_mut() = Body::from(half(&page));
            answer
        }
        Act::Late(wait) => {
            tokio::time::sleep(wait).await;
            answer
        }
        Act::Refuse(words) => (StatusCode::BAD_REQUEST, json!({"errors": [words]}).to_string()).into_response(),
        Act::Moved(status) => {
            let place = format!("/moved{}", request.path);
            (StatusCode::from_u16(status).unwrap(), [("location", place)], "").into_response()
        }
        Act::Endless => {
            let spaces = stream::repeat_with(|| Ok::<_, std::io::Error>(Bytes::from(vec![b' '; 1 << 20])));
            *answer.body_mut() = Body::from_stream(spaces);
            answer
        }
        Act::Html => "<html>Earthdata is under maintenance</html>".into_response(),
    }
}

/// The first half of a page's text.
fn half(page: &[Value]) -> Bytes {
    let text = json!({"hits": 1, "took": 1, "items": page}).to_string();
    Bytes::from(text).slice(..20.max(page.len() * 600))
}

/// Whether the description matches the requested release and name pattern. Regions and times are ignored: tests compare requests.
fn is_sought(request: &CmrRequest, item: &Value) -> bool {
    let name = item["umm"]["DataGranule"]["Identifiers"][0]["Identifier"].as_str().unwrap_or_default();
    request.value("version").is_none_or(|version| release(item) == version)
        && request.value("readable_granule_name[]").is_none_or(|pattern| {
            let pattern = pattern.strip_suffix('*').unwrap();
            let fits = |(wanted, byte): (u8, u8)| wanted == b'?' || wanted == byte;
            name.len() >= pattern.len() && pattern.bytes().zip(name.bytes()).all(fits)
        })
}
