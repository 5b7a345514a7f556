"""Other servers, measured in the same run with the same generator where they are installed."""

from contextlib import AsyncExitStack
from pathlib import Path

from rich.console import Console

from bench.peers import oidc_provider
from bench.rows import Row, Target

PEERS = (oidc_provider,)


async def start(
    stack: AsyncExitStack, directory: Path, core: int, console: Console
) -> list[tuple[Target, Row]]:
    """Start every peer that is there, until the stack ends; say how to get the others.

    Raises NotStarted, Unexpected.
    """
    rows: list[tuple[Target, Row]] = []
    for peer in PEERS:
        missing = peer.missing()
        if missing is not None:
            console.print(f"peer left out: {missing}", markup=False)
            continue
        rows += await peer.start(stack, directory, core)
    return rows
