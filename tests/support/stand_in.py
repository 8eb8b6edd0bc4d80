"""A small service that behaves as it is told: for tests of what starts and stops services.

``python stand_in.py PORT [--notes FILE] [--ignore-term] [--child] [--crash-after S] [--exit CODE] [--unready FILE]``
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path


def main() -> None:
    """Answer ``/health/*`` until SIGTERM."""
    parser = argparse.ArgumentParser()
    parser.add_argument("port", type=int)
    parser.add_argument("--notes", type=Path, help="a line is added when it starts and when it ends")
    parser.add_argument("--name", default="stand-in")
    parser.add_argument("--ignore-term", action="store_true")
    parser.add_argument("--child", action="store_true", help="start a grandchild that ignores SIGTERM")
    parser.add_argument("--exit", type=int, help="end at once with this code")
    parser.add_argument("--unready", type=Path, help="not ready while this file exists")
    parser.add_argument("--details", type=Path, help="what health tells beside the verdict, as JSON")
    told = parser.parse_args()

    def note(what: str) -> None:
        if told.notes:
            with told.notes.open("a") as notes:
                notes.write(f"{told.name} {what} {os.getpid()}\n")

    if told.exit is not None:
        print("this setting cannot be used", flush=True)
        sys.exit(told.exit)
    if told.child:
        code = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(600)"
        child = subprocess.Popen([sys.executable, "-c", code])
        note(f"child {child.pid}")

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            waiting = ["the file"] if told.unready and told.unready.exists() else []
            details = json.loads(told.details.read_text()) if told.details else {}
            status = "waiting" if waiting else "ready"
            body = json.dumps({"status": status, "waiting_for": waiting, "details": details}).encode()
            self.send_response(503 if waiting else 200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", told.port), Handler)
    stopping = threading.Event()

    def on_term(*_: object) -> None:
        if not told.ignore_term:
            stopping.set()

    signal.signal(signal.SIGTERM, on_term)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    note("started")
    print("serving", flush=True)
    while not stopping.wait(0.02):
        pass
    note("ended")
    time.sleep(0.02)


if __name__ == "__main__":
    main()
