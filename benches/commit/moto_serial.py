"""An S3 server for tests that handles one request at a time, so that its check and its write are one step.

Usage: moto_serial.py PORT. The threaded `moto_server` sometimes lets two creates of one key both succeed.
"""

import sys

from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import run_simple

if __name__ == "__main__":
    run_simple("127.0.0.1", int(sys.argv[1]), DomainDispatcherApplication(create_backend_app), threaded=False)
