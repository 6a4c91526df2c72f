"""A small stand-in for the Hugging Face hub: its file protocol over plain HTTP, with faults on request."""

import hashlib
import http.server
import json
import threading
import urllib.parse

COMMIT = "0123456789abcdef0123456789abcdef01234567"


def git_hash(content):
    return hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()


def sha256(content):
    return hashlib.sha256(content).hexdigest()


class Server:
    """Serves until closed; `handler` is a subclass of Handler."""

    def __init__(self, handler):
        self.requests = []  # (method, path, headers) in order
        self.lock = threading.Lock()
        self.http = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self.http.daemon_threads = True
        self.http.owner = self
        self.thread = threading.Thread(target=self.http.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        self.thread.start()

    @property
    def url(self):
        return "http://127.0.0.1:%d" % self.http.server_address[1]

    def gets(self, name):
        return [headers for method, path, headers in self.requests
                if method == "GET" and path.split("?")[0].endswith(name)]

    def close(self):
        self.http.shutdown()
        self.http.server_close()


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *arguments):
        pass

    def do_HEAD(self):
        self.serve("HEAD")

    def do_GET(self):
        self.serve("GET")

    def serve(self, method):
        owner = self.server.owner
        with owner.lock:
            owner.requests.append((method, self.path, dict(self.headers)))
        self.answer(method, owner)

    def reply(self, status, headers=None, body=b"", method="GET"):
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        if "Content-Length" not in (headers or {}):
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if method == "GET":
            self.wfile.write(body)


class Bytes(Server):
    """Where large files lie: answers ranges, and misbehaves as told.

    cut_after: send only so many bytes of each answer, then close, for the first `cuts` answers
    ignore_range: always the whole file with status 200
    refuse_range: 416 for every range
    absences: 404 for so many first requests
    """

    def __init__(self):
        self.files = {}
        self.cuts = 0
        self.cut_after = 0
        self.ignore_range = False
        self.refuse_range = False
        self.absences = 0
        super().__init__(BytesHandler)


class BytesHandler(Handler):
    def answer(self, method, owner):
        content = owner.files.get(urllib.parse.urlsplit(self.path).path)
        with owner.lock:
            absent = owner.absences > 0
            owner.absences -= absent
        if content is None or absent:
            return self.reply(404)
        start = 0
        wanted = self.headers.get("Range")
        if wanted and owner.refuse_range:
            return self.reply(416)
        if wanted and not owner.ignore_range:
            start = int(wanted.removeprefix("bytes=").removesuffix("-"))
            if start >= len(content):
                return self.reply(416, {"Content-Range": "bytes */%d" % len(content)})
        body = content[start:]
        headers = {"Content-Length": str(len(body))}
        if start:
            headers["Content-Range"] = "bytes %d-%d/%d" % (start, len(content) - 1, len(content))
        with owner.lock:
            cut = owner.cuts > 0
            owner.cuts -= cut
        self.reply(206 if start else 200, headers, body[: owner.cut_after] if cut else body, method)
        if cut:
            self.close_connection = True


class Hub(Server):
    """Repositories by name, each a dict from file name to content.

    Files over 1,000 bytes are large: they are redirected to `storage` and named by SHA-256, as the hub does with LFS.
    """

    def __init__(self, storage, repositories):
        self.storage = storage
        self.repositories = repositories
        self.commit = COMMIT
        self.token = None  # needed where set
        self.gated = False
        self.failures = []  # statuses to answer with before anything else
        self.hashes = {}  # file name -> a hash to claim
        self.relative_redirects = False
        self.location = None  # instead of the storage
        super().__init__(HubHandler)


class HubHandler(Handler):
    def answer(self, method, owner):
        with owner.lock:
            failure = owner.failures.pop(0) if owner.failures else None
        if failure:
            return self.reply(failure)
        path = self.path
        if owner.relative_redirects and not path.startswith("/moved/"):
            return self.reply(307, {"Location": "/moved" + path, "X-Repo-Commit": owner.commit})
        parts = [urllib.parse.unquote(part) for part in path.removeprefix("/moved").strip("/").split("/")]
        if len(parts) != 5 or parts[2] != "resolve":
            return self.reply(404)
        repository, revision, name = "/".join(parts[:2]), parts[3], parts[4]
        if owner.token and self.headers.get("Authorization") != "Bearer " + owner.token:
            if owner.gated:
                return self.reply(403, {"X-Error-Code": "GatedRepo"})
            return self.reply(401, {"X-Error-Code": "RepoNotFound"})
        if repository not in owner.repositories:
            return self.reply(401, {"X-Error-Code": "RepoNotFound"})
        if revision not in (owner.commit, "main", "refs/pr/4"):
            return self.reply(404, {"X-Error-Code": "RevisionNotFound"})
        content = owner.repositories[repository].get(name)
        if content is None:
            return self.reply(404, {"X-Error-Code": "EntryNotFound", "X-Repo-Commit": owner.commit})
        self.send_file(method, owner, name, content)

    def send_file(self, method, owner, name, content):
        if len(content) <= 1000:
            headers = {"X-Repo-Commit": owner.commit, "ETag": '"%s"' % owner.hashes.get(name, git_hash(content)),
                       "Content-Length": str(len(content))}
            return self.reply(200, headers, content, method)
        hash = owner.hashes.get(name, sha256(content))
        owner.storage.files.setdefault("/" + hash, content)
        location = owner.location or "%s/%s?Signature=secret" % (owner.storage.url, hash)
        self.reply(302, {"X-Repo-Commit": owner.commit, "X-Linked-Etag": '"%s"' % hash, "ETag": '"something-else"',
                         "X-Linked-Size": str(len(content)), "Location": location})


def safetensors(tensors):
    """A safetensors file of uint8 tensors: name -> bytes."""
    header, data = {}, b""
    for name, content in tensors.items():
        header[name] = {"dtype": "U8", "shape": [len(content)], "data_offsets": [len(data), len(data) + len(content)]}
        data += content
    text = json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + data
