"""Serves the page on one address. What the browser may load is said to it: nothing from anywhere else."""

import errno
import os
import socket
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from zoo.demo.limits import MOST_UPLOADED, PORT, PORTS
from zoo.demo.model_cache import ModelCache
from zoo.errors import UserError

CONTENT = (
    "default-src 'self' data: blob:; script-src 'self' 'unsafe-inline' 'unsafe-eval' blob:; "
    "style-src 'self' 'unsafe-inline'; connect-src 'self' data: blob: ws: wss:; base-uri 'self'; form-action 'self'"
)
"""Content Security Policy: scripts, styles, fonts and pictures come from this server alone."""

ENVIRONMENT = {
    "GRADIO_ANALYTICS_ENABLED": "False",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "HF_HUB_OFFLINE": "1",
}
"""What keeps gradio and its dependencies from sending anything; read when they are imported."""


def bind(host: str, port: int | None) -> socket.socket:
    """A listening socket.

    Args:
        host: Address or name of this computer.
        port: The port, 0 for any that is free; None for the first free one from `PORT` on.

    Raises:
        UserError: If the port is taken or not allowed, or the address is not one of this computer.
    """
    for candidate in range(PORT, PORT + PORTS) if port is None else [port]:
        try:
            family = socket.AF_INET6 if ":" in host else socket.AF_INET
            return socket.create_server((host, candidate), family=family)
        except OSError as error:
            if error.errno == errno.EADDRINUSE and port is None:
                continue
            raise UserError(_refused(error, host, candidate)) from error
        except UnicodeError as error:
            raise UserError(f"--host {host[:60]!r} is not the name of a computer.") from error
    raise UserError(f"The ports from {PORT} to {PORT + PORTS - 1} are all taken: name another with --port.")


def _refused(error: OSError, host: str, port: int) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"Port {port} is taken: give another --port, or leave it out for the first free one."
    if error.errno in (errno.EACCES, errno.EPERM):
        return f"Port {port} may not be used by you: give a --port from 1024 on."
    return (
        f"--host {host[:60]!r} is no address of this computer ({error.strerror}). Leave it out for this computer alone."
    )


def address(listening: socket.socket) -> str:
    """The address to open in a browser."""
    host, port = listening.getsockname()[:2]
    if host in ("0.0.0.0", "::"):
        host = socket.gethostname()
    return f"http://{f'[{host}]' if ':' in host else host}:{port}"


def is_local(listening: socket.socket) -> bool:
    """Whether only programs of this computer reach it."""
    host = listening.getsockname()[0]
    return host.startswith("127.") or host == "::1"


def announce(listening: socket.socket, port: int | None) -> None:
    """Says where the page is, and who can see it.

    Args:
        listening: Of `bind`.
        port: The port that was asked for; None if none was.
    """
    actual = listening.getsockname()[1]
    if port is None and actual != PORT:
        click.echo(f"Port {PORT} is taken; this is the next free one.", err=True)
    if not is_local(listening):
        click.echo("Anybody who can reach this computer over the network can use the page.", err=True)
    click.echo(f"Open {address(listening)} in a browser. Ctrl-C ends it.")


class Guarded:
    """An ASGI application whose answers carry `CONTENT`.

    Args:
        inner: The application.
    """

    def __init__(self, inner: Any) -> None:
        self.inner = inner

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answers one request."""

        async def guarded(event: Any) -> None:
            if event["type"] == "http.response.start":
                extra = [(b"content-security-policy", CONTENT.encode()), (b"referrer-policy", b"no-referrer")]
                event = {**event, "headers": [*event.get("headers", []), *extra]}
            await send(event)

        await self.inner(scope, receive, guarded)


def serve(listening: socket.socket, models: ModelCache, started: Callable[[], None]) -> None:
    """Serves the page until the program is interrupted. What is uploaded is deleted at the end.

    Args:
        listening: Of `bind`.
        models: The models.
        started: Called when the page can be opened.
    """
    os.environ.update(ENVIRONMENT)
    with tempfile.TemporaryDirectory(prefix="zoo-demo-") as folder:
        os.environ["GRADIO_TEMP_DIR"] = folder
        app = _application(models, Path(folder))
        import uvicorn

        config = uvicorn.Config(app, log_level="warning", timeout_graceful_shutdown=1, ws="none", server_header=False)
        try:
            started()
            uvicorn.Server(config).run(sockets=[listening])
        except KeyboardInterrupt:
            click.echo("The page is closed.", err=True)


def _application(models: ModelCache, folder: Path) -> Guarded:
    """The page as an ASGI application."""
    import fastapi
    import gradio

    from zoo.demo import page

    app = fastapi.FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    gradio.mount_gradio_app(
        app,
        page.build(models, folder),
        path="/",
        footer_links=[],
        run_history=False,
        allowed_paths=[],
        show_error=False,
        max_file_size=MOST_UPLOADED,
        ssr_mode=False,
        enable_monitoring=False,
        pwa=False,
        mcp_server=False,
        theme=page.theme(),
        css=page.CSS.read_text(encoding="utf-8"),
    )
    return Guarded(app)
