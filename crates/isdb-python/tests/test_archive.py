"""Search, download and login, against a server that imitates NASA's archive."""

import hashlib
import http.server
import json
import threading
import urllib.parse

import pytest

import isdb

TOKEN = "a-token-of-a-test"


class Archive(http.server.ThreadingHTTPServer):
    """Serves descriptions of files, and the files to those who have the token."""

    def __init__(self, files):
        super().__init__(("127.0.0.1", 0), Handler)
        self.files = {file.name: file for file in files}
        self.forms = []
        self.url = f"http://127.0.0.1:{self.server_port}"

    def description(self, number, name):
        content = self.files[name].read_bytes()
        day = f"{name[6:10]}-{name[10:12]}-{name[12:14]}"
        size = {"Name": name, "Size": 1.0, "SizeUnit": "MB", "SizeInBytes": len(content)}
        return {
            "meta": {"concept-type": "granule", "concept-id": f"G{number}-NSIDC_CPRD", "revision-id": 1, "provider-id": "NSIDC_CPRD"},
            "umm": {
                "GranuleUR": name,
                "TemporalExtent": {"RangeDateTime": {"BeginningDateTime": f"{day}T00:00:07.250Z", "EndingDateTime": f"{day}T00:04:59.750Z"}},
                "CollectionReference": {"ShortName": "ATL08", "Version": "007"},
                "RelatedUrls": [{"URL": f"{self.url}/data/{name}", "Type": "GET DATA", "MimeType": "application/x-hdf5"}],
                "DataGranule": {
                    "Identifiers": [{"IdentifierType": "ProducerGranuleId", "Identifier": name}],
                    "ArchiveAndDistributionInformation": [
                        {**size, "Checksum": {"Algorithm": "MD5", "Value": hashlib.md5(content).hexdigest()}}  # noqa: S324
                    ],
                },
            },
        }


class Handler(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        form = dict(urllib.parse.parse_qsl(self.rfile.read(int(self.headers["Content-Length"])).decode()))
        self.server.forms.append(form)
        if "collections" in self.path:
            items = [{"meta": {}, "umm": {"ShortName": "ATL08", "Version": "007"}}]
        else:
            items = [self.server.description(number, name) for number, name in enumerate(sorted(self.server.files))]
        if self.headers.get("CMR-Search-After"):
            items = []
        self.reply(200, json.dumps({"hits": len(self.server.files), "took": 1, "items": items}).encode(), {"CMR-Hits": str(len(self.server.files)), "CMR-Search-After": '["end"]'})

    def do_GET(self):
        name = self.path.rpartition("/")[2]
        authorization = self.headers.get("Authorization")
        if authorization is None:
            self.reply(302, b"", {"Location": f"http://localhost:{self.server.server_port}/oauth/authorize?client_id=archive&response_type=code&state={self.path}"})
        elif authorization != f"Bearer {TOKEN}":
            self.reply(401, b"invalid_token", {})
        elif name in self.server.files:
            self.reply(200, self.server.files[name].read_bytes(), {})
        else:
            self.reply(404, b"", {})

    def reply(self, status, content, headers):
        self.send_response(status)
        for name, value in {"Content-Length": str(len(content)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *arguments):
        pass


@pytest.fixture
def archive(granules, monkeypatch, tmp_path):
    server = Archive(sorted(granules.glob("*.h5"))[:3])
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    monkeypatch.setenv("ISDB_CMR_URL", server.url)
    monkeypatch.setenv("ISDB_EARTHDATA_HOSTS", server.url)
    monkeypatch.setenv("ISDB_EARTHDATA_LOGIN_URL", f"http://localhost:{server.server_port}")
    monkeypatch.setenv("EARTHDATA_TOKEN", TOKEN)
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    yield server
    server.shutdown()
    thread.join()


def test_a_search_lists_granules_and_nothing_is_downloaded(archive, tmp_path):
    pytest.importorskip("shapely")
    import shapely

    events = []
    found = isdb.search(region=shapely.box(-180, -60, 180, 60), start="2018", progress=events.append)
    assert len(found) == 3 and found.bytes == sum(file.stat().st_size for file in archive.files.values())
    assert {"release", "page"} <= {event["event"] for event in events}
    assert any("2018" in str(form) for form in archive.forms)
    frame = found.to_pandas()
    assert set(frame["granule"]) == set(archive.files) and str(frame["start"].dt.tz) == "UTC"
    assert len(found[:2]) == 2 and len(found[0]) == 1 and len(found[frame["bytes"] > 0]) == 3
    found.write(tmp_path / "list.ndjson")
    assert len(isdb.Granules.read(tmp_path / "list.ndjson")) == 3
    assert "3" in repr(found) and "<table>" in found._repr_html_()
    with pytest.raises(isdb.InvalidValue, match="rgt from 1 to 1387"):
        isdb.search(rgt=2000, progress=False)


def test_files_are_downloaded_and_ingested(archive, tmp_path):
    found = isdb.search(progress=False)
    paths = isdb.download(found[:2], tmp_path / "granules", progress=False)
    assert len(paths) == 2 and all(path.stat().st_size > 0 for path in paths)
    report = isdb.ingest(found, tmp_path / "a.isdb", data=tmp_path / "granules", progress=False)
    assert report.counts["ingested"] == 3
    again = isdb.open(tmp_path / "a.isdb").ingest(start="2018", progress=False)
    assert again.counts["skipped"] == 3


def test_a_file_that_is_missing_is_named(archive, tmp_path):
    found = isdb.search(progress=False)
    gone = sorted(archive.files)[0]
    archive.files = {name: file for name, file in archive.files.items() if name != gone}
    with pytest.raises(isdb.GranulesFailed, match=gone):
        isdb.download(found, tmp_path, progress=False)
    assert len(list(tmp_path.rglob("*.h5"))) == 2


def test_a_login_that_is_missing_or_refused_is_an_error_with_advice(archive, monkeypatch, tmp_path):
    found = isdb.search(progress=False)
    monkeypatch.setenv("EARTHDATA_TOKEN", "another")
    with pytest.raises(isdb.LoginFailed) as error:
        isdb.download(found, tmp_path, progress=False)
    assert "EARTHDATA_TOKEN" in str(error.value)


def test_an_archive_that_does_not_answer_is_an_error(monkeypatch):
    monkeypatch.setenv("ISDB_CMR_URL", "http://127.0.0.1:9")
    with pytest.warns(isdb.IngestWarning), pytest.raises(isdb.ArchiveError):
        isdb.search(start="2020", progress=False)
