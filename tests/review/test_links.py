"""Links in a real browser: a page elsewhere leads to an invitation, and later to a view of the report; both arrive."""

from __future__ import annotations

import os
import threading
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from review import report
from review.tokens import Person, Tokens, load_secret
from tests.review.outputs import desk_of, output_of
from tests.review.servers import served

REPORT = """<p>waits<script>
fetch("/api/session").then(answer => answer.json()).then(session => {
  const audio = new Audio("/audio?track=T1&side=cd"), told = document.querySelector("p")
  audio.onloadedmetadata = () => told.textContent = `${session.reviewer} ${location.hash} ${audio.duration} s`
  audio.onerror = () => told.textContent = "no sound"
})</script>"""


@contextmanager
def elsewhere(links):
    """A site of another name, whose pages lead on at once as a mail's links do: the browser calls that cross-site."""

    class Pages(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(f"<script>location.href = '{links.get(self.path, '')}'</script>".encode())

        def log_message(self, *words):
            pass

    site = ThreadingHTTPServer(("127.0.0.1", 0), Pages)
    threading.Thread(target=site.serve_forever, daemon=True).start()
    yield f"http://localhost:{site.server_address[1]}"
    site.shutdown()
    site.server_close()


@pytest.mark.slow
def test_a_link_elsewhere_signs_in_and_a_mailed_view_keeps_its_place(tmp_path, monkeypatch, chromium):
    def write_report(output):
        os.makedirs(f"{output}/report", exist_ok=True)
        with open(f"{output}/report/index.html", "w") as handle:
            handle.write(REPORT)

    monkeypatch.setattr(report, "write_report", write_report)
    ann = Person(name="Ann", role="viewer", until_s=time.time() + 1000)
    with served(desk_of(output_of(tmp_path, "T1")), host="127.0.0.1") as server:
        token = Tokens(load_secret(server.desk.output)).invitation(ann)
        links = {"/invitation": f"{server.url}/login?token={token}", "/view": f"{server.url}/#album=3"}
        with elsewhere(links) as site, chromium.new_context() as hers, chromium.new_context() as anybodys:
            page, stranger = hers.new_page(), anybodys.new_page()
            page.goto(f"{site}/invitation")
            page.wait_for_function("document.body.innerText.startsWith('Ann')")
            assert page.url == f"{server.url}/"
            page.goto(f"{site}/view")
            page.wait_for_function("document.body.innerText.includes('#album=3 0.1 s')")
            stranger.goto(f"{site}/view")
            stranger.wait_for_function("document.body.innerText.includes('invitation') && !document.scripts.length")
