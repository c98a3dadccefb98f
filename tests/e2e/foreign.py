"""Another site: a server of its own, which knows nothing of Django."""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class ForeignSite:
    """Serves its files until it is left.

    Args:
        files: Path -> content type and text.
        policy: ``Content-Security-Policy`` of all of them.
    """

    def __init__(self, files, policy):
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                """Send the file."""
                kind, text = files.get(self.path, ("text/plain", ""))
                self.send_response(200 if self.path in files else 404)
                self.send_header("Content-Type", f"{kind}; charset=utf-8")
                self.send_header("Content-Security-Policy", policy)
                self.end_headers()
                self.wfile.write(text.encode())

            def log_message(self, *_):
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever)

    def origin(self, host="127.0.0.1"):
        """Return where its page is, by one of the machine's own names."""
        return f"http://{host}:{self._server.server_port}"

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
