"""Records: frozen for whoever writes the code, at the price of plain objects when it runs."""

from dataclasses import dataclass, field
from typing import TypeVar, dataclass_transform

T = TypeVar("T")


@dataclass_transform(frozen_default=True, field_specifiers=(field,))
def record(cls: type[T]) -> type[T]:
    """A dataclass with slots whose fields the type checker lets nobody assign.

    A frozen dataclass goes round its own guard for every field that it is made with, which costs
    three times as much; a request makes dozens of them.
    """
    return dataclass(slots=True, unsafe_hash=True)(cls)
