"""An S3 server for tests with the bucket `bucket`: prints its URL, and ends with its standard input.

It handles one request at a time, so that its check and its write are one step. Otherwise moto sometimes lets two creations of one key
both succeed.
"""

import sys
import threading
import urllib.request

from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import WSGIRequestHandler, make_server


class Quiet(WSGIRequestHandler):
    """Keeps connections open and logs nothing."""

    protocol_version = "HTTP/1.1"

    def log(self, *_):
        pass


class OneAtATime:
    """A WSGI application that handles one request at a time."""

    def __init__(self, application):
        self.application = application
        self.lock = threading.Lock()

    def __call__(self, environ, start_response):
        with self.lock:
            return list(self.application(environ, start_response))


def main():
    application = OneAtATime(DomainDispatcherApplication(create_backend_app))
    server = make_server("127.0.0.1", 0, application, threaded=True, request_handler=Quiet)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{server.port}"
    urllib.request.urlopen(urllib.request.Request(f"{url}/bucket", method="PUT"), timeout=60).read()
    print(url, flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main()
