"""Other servers and libraries, measured in the same run where they are installed."""

from contextlib import AsyncExitStack
from pathlib import Path

from rich.console import Console

from bench.library import LibraryRow, SdJwtSample
from bench.peers import node, oidc_provider, sd_jwt
from bench.rows import Row, Target


async def start(
    stack: AsyncExitStack, directory: Path, core: int, console: Console
) -> list[tuple[Target, Row]]:
    """Start every server that is there, until the stack ends; say how to get the others.

    Raises NotStarted, Unexpected.
    """
    name = node.name_of(oidc_provider.SCRIPT)
    if name is None:
        _left_out(console, oidc_provider.NAME)
        return []
    return await oidc_provider.start(stack, directory, core, name)


async def call(
    core: int, made: SdJwtSample, repeats: int, console: Console
) -> dict[str, list[LibraryRow]]:
    """The rows of every library that is there, by its name; say how to get the others."""
    rows = {sd_jwt.reference_name(): await sd_jwt.measure_reference(core, made, repeats)}
    name = node.name_of(sd_jwt.SCRIPT)
    if name is None:
        _left_out(console, sd_jwt.NPM)
    else:
        rows[name] = sd_jwt.measure_npm(core, made, repeats)
    return rows


def _left_out(console: Console, name: str) -> None:
    console.print(f"peer left out: {name}: {node.INSTALL}", markup=False)
