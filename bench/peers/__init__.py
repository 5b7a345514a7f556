"""Other servers and libraries, measured in the same run where they are installed."""

from contextlib import AsyncExitStack, ExitStack
from pathlib import Path

from rich.console import Console

from bench.library import Case, SdJwtSample
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


def library_cases(
    stack: ExitStack, core: int, made: SdJwtSample, console: Console
) -> dict[str, list[Case]]:
    """The calls of every library that is there, by its name; say how to get the others."""
    cases = {sd_jwt.reference_name(): sd_jwt.reference_cases(made)}
    name = node.name_of(sd_jwt.SCRIPT)
    if name is None:
        _left_out(console, sd_jwt.NPM)
    else:
        cases[name] = stack.enter_context(sd_jwt.npm_cases(core, made))
    return cases


def _left_out(console: Console, name: str) -> None:
    console.print(f"peer left out: {name}: {node.INSTALL}", markup=False)
