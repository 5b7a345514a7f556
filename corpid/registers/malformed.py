"""The error of a register file that cannot be read on, and the bound that both formats share."""

from typing import Final

MAX_ROW: Final = 64 * 1024
"""Largest row in bytes; the Registry's are about 400."""


class MalformedRegisterFile(Exception):
    """The file is damaged or of another kind from `line` on; `problem` says what to do.

    Every good row before that line has been yielded.
    """

    code = "malformed_register_file"

    def __init__(self, line: int, problem: str) -> None:
        super().__init__(f"line {line}: {problem}")
        self.line = line
        self.problem = problem
