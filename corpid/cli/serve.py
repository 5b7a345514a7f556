"""`corpid serve`: the service itself."""

from importlib import import_module
from typing import Annotated

import typer

from corpid.cli.context import Run, command
from corpid.cli.output import Answer


def add_to(parent: typer.Typer) -> None:
    """Put the command under ``corpid``."""

    @command(parent, "serve", example="corpid serve --port 8080", fast_loop=True)
    async def serve(
        run: Run,
        host: Annotated[str | None, typer.Option(help="Address to listen on.")] = None,
        port: Annotated[
            int | None, typer.Option(min=0, max=65535, help="Port; 0 takes a free one.")
        ] = None,
    ) -> Answer:
        """Run the service until it is told to stop."""
        # Web and command line are edges beside each other: loaded by name, not imported.
        edge = import_module("corpid.web.edge")
        app = import_module("corpid.web.app")
        listening = import_module("corpid.web.listening")

        settings = run.settings()
        given = {"host": host, "port": port}
        settings = settings.model_copy(
            update={name: value for name, value in given.items() if value is not None}
        )
        edge.configure_logging(settings.log_format)
        with listening.opened(settings) as sockets:
            run.note(f"corpid: {settings.issuer} {sockets.told()}")
            await app.serve(settings, sockets)
        return Answer({"stopped": True})
