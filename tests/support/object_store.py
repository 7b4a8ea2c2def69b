"""An S3 server on loopback, and a web server that the test controls."""

import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

SECRET = "wJalrXUtnFEMI-not-to-be-shown"  # noqa: S105 - made up

_SECONDS_TO_START = 60


@dataclass(frozen=True)
class ObjectStore:
    """A running S3 server.

    Attributes:
        endpoint: Its address.
        environment: What makes the libraries use it.
    """

    endpoint: str
    environment: Mapping[str, str]

    def system(self) -> Any:
        """Return its file system, to put objects there."""
        import fsspec  # noqa: PLC0415 - not every environment has it

        return fsspec.filesystem(
            "s3",
            key="testing",
            secret=SECRET,
            endpoint_url=self.endpoint,
            use_listings_cache=False,
        )


def free_port() -> int:
    """Return a port of loopback that nothing listens on."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


@contextmanager
def object_store() -> Iterator[ObjectStore]:
    """Run moto's S3 server as a process of its own."""
    import fsspec  # noqa: PLC0415 - not every environment has it

    port = free_port()
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            _wait_for(port, process)
            endpoint = f"http://127.0.0.1:{port}"
            environment = {
                "AWS_ACCESS_KEY_ID": "testing",
                "AWS_SECRET_ACCESS_KEY": SECRET,
                "AWS_DEFAULT_REGION": "us-east-1",
                "AWS_ENDPOINT_URL": endpoint,
                "AWS_EC2_METADATA_DISABLED": "true",
            }
            yield ObjectStore(endpoint, environment)
        finally:
            process.kill()
            # They are kept for as long as a process lives, with the address of this server.
            fsspec.get_filesystem_class("s3").clear_instance_cache()


def _wait_for(port: int, process: "subprocess.Popen[bytes]") -> None:
    end = time.monotonic() + _SECONDS_TO_START
    while time.monotonic() < end and process.poll() is None:
        with socket.socket() as client:
            if client.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise RuntimeError("the server did not start")


@dataclass
class Web:
    """A web server's content and manners.

    Attributes:
        files: What it holds, by path.
        parts: Whether it answers with a part where one is asked for.
        failing: How many of the next requests for each path it breaks off in the middle.
        moved: Where it redirects paths to.
        statuses: What it answers for paths instead.
        before: Called with a path before it is sent.
        before_head: The same, where only its size is asked for.
        asked: Each request: method and path.
    """

    files: dict[str, bytes]
    parts: bool = True
    failing: dict[str, int] = field(default_factory=dict)
    moved: dict[str, str] = field(default_factory=dict)
    statuses: dict[str, int] = field(default_factory=dict)
    before: Callable[[str], None] = lambda _: None
    before_head: Callable[[str], None] = lambda _: None
    asked: list[str] = field(default_factory=list)


@contextmanager
def web_server(web: Web) -> Iterator[str]:
    """Run a web server in threads of this process, and give its address."""
    server = _Server(web)
    Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, web: Web) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.web = web


class _Handler(BaseHTTPRequestHandler):
    server: _Server

    def log_message(self, *_: Any) -> None:
        """Say nothing."""

    def do_HEAD(self) -> None:
        """Answer without a body."""
        self._answer(with_body=False)

    def do_GET(self) -> None:
        """Answer with a body."""
        self._answer(with_body=True)

    def _answer(self, *, with_body: bool) -> None:
        web, path = self.server.web, self.path.partition("?")[0]
        web.asked.append(f"{self.command} {self.path}")
        body = web.files.get(path)
        moved = web.moved.get(path) or (f"{path}/" if f"{path}/" in web.files else None)
        if path in web.statuses:
            self.send_error(web.statuses[path])
            return
        if body is None or path in web.moved:
            self.send_error(404) if moved is None else self._head(302, {"Location": moved})
            return
        (web.before if with_body else web.before_head)(path)
        headers = {"Content-Type": "text/html" if path.endswith("/") else "text/plain"}
        status, wanted = 200, self.headers.get("Range")
        if wanted and web.parts:
            first, _, last = wanted.removeprefix("bytes=").partition("-")
            headers["Content-Range"] = f"bytes {first}-{last}/{len(body)}"
            status, body = 206, body[int(first) : int(last) + 1]
        self._head(status, headers | {"Content-Length": str(len(body))})
        if with_body and web.failing.get(path, 0) > 0:
            web.failing[path] -= 1
            body = body[: len(body) // 2]
        if with_body:
            # Who asked may have been killed meanwhile.
            with suppress(ConnectionError):
                self.wfile.write(body)

    def _head(self, status: int, headers: Mapping[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
