"""`corpid serve`: the service itself."""

import socket
from importlib import import_module
from typing import Annotated, Final

import typer

from corpid.cli.context import Run, command
from corpid.cli.output import Answer, CommandError

_BACKLOG: Final = 2048
_WEB: Final = "corpid.web.app"
"""Web and command line are edges beside each other; this is the one name between them."""


def add_to(parent: typer.Typer) -> None:
    """Put the command under ``corpid``."""

    @command(parent, "serve", example="corpid serve --port 8080")
    async def serve(
        run: Run,
        host: Annotated[str | None, typer.Option(help="Address to listen on.")] = None,
        port: Annotated[
            int | None, typer.Option(min=0, max=65535, help="Port; 0 takes a free one.")
        ] = None,
    ) -> Answer:
        """Run the service until it is told to stop (one process per core, one port)."""
        settings = run.settings()
        given = {"host": host, "port": port}
        settings = settings.model_copy(
            update={name: value for name, value in given.items() if value is not None}
        )
        listening = _listen(settings.host, settings.port)
        with listening:
            run.note(f"corpid: {settings.issuer} listens on {_shown(listening)}")
            await import_module(_WEB).serve(settings, listening)
        return Answer({"stopped": True})


def _listen(host: str, port: int) -> socket.socket:
    """A listening socket.

    Raises:
        CommandError: the address cannot be listened on, and what to do.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        family, kind, protocol, _, address = found[0]
        listening = socket.socket(family, kind, protocol)
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(address)
        listening.listen(_BACKLOG)
        listening.setblocking(False)
    except OSError as error:
        raise CommandError(
            "cannot_listen",
            f"cannot listen on {host} port {port} ({error.strerror}): if another program uses it, "
            "stop that, or choose another by CORPID_PORT or --port",
        ) from None
    return listening


def _shown(listening: socket.socket) -> str:
    host, port = listening.getsockname()[:2]
    return f"{host} port {port}"
