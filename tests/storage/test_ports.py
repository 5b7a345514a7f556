"""mypy proves that storage implements the ports: run it over this file too."""

from typing import TYPE_CHECKING

from corpid.services import ports, register_ports
from corpid.storage.register_rows import SqlRegisterRows
from corpid.storage.store import SqlStore, SqlUnitOfWork
from oidc import ports as protocols

if TYPE_CHECKING:

    def _store(store: SqlStore) -> ports.Store:
        return store

    def _provider(store: SqlStore) -> protocols.ProviderStore:
        return store.provider

    def _unit_of_work(uow: SqlUnitOfWork) -> ports.UnitOfWork:
        return uow

    def _register_rows(rows: SqlRegisterRows) -> register_ports.RegisterRows:
        return rows


def test_every_repository_has_every_method_of_its_port() -> None:
    for name, repository in vars(SqlUnitOfWork).items():
        if not isinstance(repository, property) or name == "has_one_writer":
            continue
        assert repository.fget is not None
        port = {
            "provider_reads": protocols.ProviderReads,
            "provider_writes": protocols.ProviderWrites,
        }.get(name) or getattr(ports, "".join(part.title() for part in name.split("_")))
        implementation = repository.fget.__annotations__["return"]
        wanted = {method for method in vars(port) if not method.startswith("_")}
        assert wanted <= {method for method in dir(implementation) if not method.startswith("_")}
