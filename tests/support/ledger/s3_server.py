"""An S3 endpoint of one process: what pyarrow's S3 client asks for, kept in memory."""

from __future__ import annotations

import hashlib
import re
import threading
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, unquote, urlparse
from xml.sax.saxutils import escape


class Handler(BaseHTTPRequestHandler):
    """One request; the server holds the objects by ``bucket/key``."""

    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        """Say nothing."""

    def reply(self, status=200, body=b"", head=False, **headers):
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        if not head:
            self.wfile.write(body)

    def body(self):
        if "chunked" in self.headers.get("Transfer-Encoding", ""):
            raw = b"".join(iter(self._chunk, b""))
        else:
            raw = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        return _unchunked(raw) if "aws-chunked" in self.headers.get("Content-Encoding", "") else raw

    def _chunk(self):
        content = self.rfile.read(int(self.rfile.readline().split(b";")[0], 16))
        self.rfile.readline()
        return content

    @property
    def key(self):
        return unquote(urlparse(self.path).path).lstrip("/")

    @property
    def query(self):
        return {name: values[0] for name, values in parse_qs(urlparse(self.path).query, keep_blank_values=True).items()}

    def xml(self, text):
        self.reply(200, f'<?xml version="1.0" encoding="UTF-8"?>{text}'.encode(), Content_Type="application/xml")

    def do_PUT(self):
        content, query = self.body(), self.query
        if self.server.refusing:
            self.reply(507)
        elif "partNumber" in query:
            self.server.parts.setdefault(query["uploadId"], {})[int(query["partNumber"])] = content
            self.reply(ETag=f'"{hashlib.md5(content).hexdigest()}"')
        else:
            self.server.store(self.key, content)
            self.reply(ETag=f'"{hashlib.md5(content).hexdigest()}"')

    def do_POST(self):
        content, query = self.body(), self.query
        bucket, _, key = self.key.partition("/")
        names = f"<Bucket>{bucket}</Bucket><Key>{escape(key)}</Key>"
        if "uploads" in query:
            upload = str(len(self.server.parts) + 1)
            self.server.parts[upload] = {}
            self.xml(f"<InitiateMultipartUploadResult>{names}<UploadId>{upload}</UploadId></InitiateMultipartUploadResult>")
        elif "uploadId" in query:
            parts = self.server.parts.pop(query["uploadId"])
            self.server.store(self.key, b"".join(parts[number] for number in sorted(parts)))
            self.xml(f"<CompleteMultipartUploadResult>{names}<ETag>x</ETag></CompleteMultipartUploadResult>")
        else:
            for name in re.findall(rb"<Key>(.*?)</Key>", content):
                self.server.objects.pop(f"{bucket}/{name.decode()}", None)
            self.xml("<DeleteResult/>")

    def do_GET(self, head=False):
        if "list-type" in self.query:
            self.listing()
            return
        found = self.server.objects.get(self.key)
        if found is None:
            exists = "/" not in self.key.rstrip("/")  # a bucket
            self.reply(200 if exists else 404, head=head)
            return
        content, when = found
        stamp = when.strftime("%a, %d %b %Y %H:%M:%S GMT")
        wanted = re.match(r"bytes=(\d+)-(\d+)", self.headers.get("Range", ""))
        if wanted:
            first, last = int(wanted[1]), min(int(wanted[2]), len(content) - 1)
            span = f"bytes {first}-{last}/{len(content)}"
            self.reply(206, content[first : last + 1], head, Last_Modified=stamp, Content_Range=span)
        else:
            self.reply(200, content, head, Last_Modified=stamp)

    def do_HEAD(self):
        self.do_GET(head=True)

    def do_DELETE(self):
        self.server.objects.pop(self.key, None)
        self.reply(204)

    def listing(self):
        bucket, prefix, delimiter = self.key.rstrip("/"), self.query.get("prefix", ""), self.query.get("delimiter", "")
        lines, folders = [], set()
        for name, (content, when) in sorted(self.server.objects.items()):
            key = name.removeprefix(f"{bucket}/")
            if not key.startswith(prefix):
                continue
            rest = key.removeprefix(prefix)
            if delimiter and delimiter in rest:
                folders.add(prefix + rest.split(delimiter)[0] + delimiter)
                continue
            stamp = when.strftime("%Y-%m-%dT%H:%M:%S.000Z")
            lines.append(
                f"<Contents><Key>{escape(key)}</Key><LastModified>{stamp}</LastModified><Size>{len(content)}</Size></Contents>"
            )
        lines += [f"<CommonPrefixes><Prefix>{escape(folder)}</Prefix></CommonPrefixes>" for folder in sorted(folders)]
        count = f"<KeyCount>{len(lines)}</KeyCount><IsTruncated>false</IsTruncated>"
        self.xml(
            f"<ListBucketResult><Name>{bucket}</Name><Prefix>{escape(prefix)}</Prefix>{count}{''.join(lines)}</ListBucketResult>"
        )


class S3Server(ThreadingHTTPServer):
    """The endpoint; ``refusing`` makes it take no more objects."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.objects, self.parts, self.refusing = {}, {}, False
        self.clock = lambda: datetime.now(UTC)

    def store(self, name, content):
        self.objects[name] = (content, self.clock())

    @property
    def url(self):
        place = f"127.0.0.1:{self.server_address[1]}"
        return f"s3://key:secret@bucket/ledger?endpoint_override={place}&scheme=http&region=us-east-1"


def _unchunked(raw):
    """Return the content of an ``aws-chunked`` body: sizes in hex, contents, checksums at the end."""
    content, at = b"", 0
    while True:
        end = raw.index(b"\r\n", at)
        size = int(raw[at:end].split(b";")[0], 16)
        if size == 0:
            return content
        content += raw[end + 2 : end + 2 + size]
        at = end + 2 + size + 2


@contextmanager
def s3_server():
    """Yield a running endpoint."""
    server = S3Server()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
