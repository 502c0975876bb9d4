"""A server on 127.0.0.1 that answers from memory what `datasets.load_dataset` asks of a hub."""

import hashlib
import json
import re
from collections.abc import Mapping
from functools import partial
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qs, unquote, urlsplit

Files = Mapping[str, bytes]  # path in the repository -> content
Revisions = Mapping[str, Files]  # branch or tag -> its files

_API = re.compile(r"/api/datasets/([^/]+/[^/]+)(?:/(revision|tree)/([^/]+)(?:/(.*))?)?")
_RESOLVE = re.compile(r"/datasets/([^/]+/[^/]+)/resolve/([^/]+)/(.+)")
_RANGE = re.compile(r"bytes=(\d+)-(\d*)")


def commit_of(files: Files) -> str:
    """The 40-digit commit of these files: equal files are the same commit."""
    digest = hashlib.sha1(usedforsecurity=False)
    for path, content in sorted(files.items()):
        digest.update(f"{path}\0{len(content)}\0".encode() + content)
    return digest.hexdigest()


class HubServer:
    """Serves `repos` (owner/name -> revision -> files) from `with` to its end.

    `asked` lists every request as "METHOD path". While `broken` is a status, every request is
    answered with it. `repos` may change between requests, as a real hub does.
    """

    def __init__(self, repos: dict[str, Revisions]) -> None:
        self.repos = repos
        self.asked: list[str] = []
        self.broken: HTTPStatus | None = None
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Handler, self))
        self._thread = Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def stop(self) -> None:
        """Refuse connections from now on; a second call does nothing."""
        if self._thread.is_alive():
            self._server.shutdown()
            self._thread.join()
            self._server.server_close()


class _Handler(BaseHTTPRequestHandler):
    """Answers the requests of one connection from `hub`."""

    protocol_version = "HTTP/1.1"

    def __init__(self, hub: HubServer, *of_connection: Any) -> None:
        self.hub = hub
        super().__init__(*of_connection)  # which answers

    def log_message(self, format: str, *args: object) -> None:
        """Quiet: `asked` is the log."""

    def do_HEAD(self) -> None:
        self._answer()

    def do_GET(self) -> None:
        self._answer()

    def _answer(self) -> None:
        self.hub.asked.append(f"{self.command} {self.path}")
        path = urlsplit(self.path).path
        if self.hub.broken is not None:
            self._fail(self.hub.broken, "", "the server is broken")
        elif match := _RESOLVE.fullmatch(path):
            self._file(*match.groups())
        elif match := _API.fullmatch(path):
            self._api(*match.groups())
        else:
            self._fail(HTTPStatus.NOT_FOUND, "", f"no such route: {path}")

    def _find(self, repo: str, revision: str) -> tuple[str, Files] | None:
        """The commit and files of a branch, tag or commit; answers 404 where there are none."""
        revisions = self.hub.repos.get(repo)
        if revisions is None:
            self._fail(HTTPStatus.NOT_FOUND, "RepoNotFound", "Repository not found")
            return None
        for name, files in revisions.items():
            commit = commit_of(files)
            if revision in (name, commit):
                return commit, files
        self._fail(HTTPStatus.NOT_FOUND, "RevisionNotFound", f"Invalid rev id: {revision}")
        return None

    def _api(self, repo: str, route: str | None, revision: str | None, folder: str | None) -> None:
        found = self._find(repo, unquote(revision or "main"))
        if found is None:
            return
        commit, files = found
        if route != "tree":
            self._json({"id": repo, "sha": commit, "private": False})
            return
        deep = parse_qs(urlsplit(self.path).query).get("recursive") == ["true"]
        if entries := _listing(files, unquote(folder or ""), deep):
            self._json(entries)
        else:
            self._fail(HTTPStatus.NOT_FOUND, "EntryNotFound", "No such folder", commit)

    def _file(self, repo: str, revision: str, path: str) -> None:
        found = self._find(repo, unquote(revision))
        if found is None:
            return
        commit, files = found
        content = files.get(unquote(path))
        if content is None:
            self._fail(HTTPStatus.NOT_FOUND, "EntryNotFound", "Entry not found", commit)
            return
        headers = {
            "ETag": f'"{_oid(content)}"',
            "X-Repo-Commit": commit,
            "Accept-Ranges": "bytes",
            "Content-Type": "application/octet-stream",
        }
        if match := _RANGE.fullmatch(self.headers.get("Range", "")):
            first, last = int(match[1]), min(int(match[2] or len(content)), len(content) - 1)
            headers["Content-Range"] = f"bytes {first}-{last}/{len(content)}"
            self._send(HTTPStatus.PARTIAL_CONTENT, headers, content[first : last + 1])
        else:
            self._send(HTTPStatus.OK, headers, content)

    def _json(self, value: object) -> None:
        headers = {"Content-Type": "application/json"}
        self._send(HTTPStatus.OK, headers, json.dumps(value).encode())

    def _fail(self, status: HTTPStatus, code: str, message: str, commit: str = "") -> None:
        headers = {"X-Error-Message": message, "Content-Type": "application/json"}
        headers |= {"X-Error-Code": code} if code else {}
        headers |= {"X-Repo-Commit": commit} if commit else {}
        self._send(status, headers, json.dumps({"error": message}).encode())

    def _send(self, status: HTTPStatus, headers: Mapping[str, str], content: bytes) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.send_header("Connection", "close")  # a kept connection would outlive `stop`
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)


def _oid(content: bytes) -> str:
    return hashlib.sha1(content, usedforsecurity=False).hexdigest()


def _listing(files: Files, folder: str, deep: bool) -> list[dict[str, object]]:
    """The files and folders in `folder`, as the tree route lists them."""
    start = f"{folder}/" if folder else ""
    entries: dict[str, dict[str, object]] = {}
    for path, content in files.items():
        if path.startswith(start):
            parts = path.removeprefix(start).split("/")
            for depth in range(1, len(parts)):
                name = start + "/".join(parts[:depth])
                entries[name] = {"type": "directory", "oid": _oid(name.encode()), "path": name}
            size = len(content)
            entries[path] = {"type": "file", "oid": _oid(content), "size": size, "path": path}
    return [e for path, e in entries.items() if deep or "/" not in path.removeprefix(start)]
