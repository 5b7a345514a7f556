"""compose.yaml: what issue and design ask of it, read from the file; and Compose accepts it."""

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from tools.source_tree import ROOT

COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
PROCESSES = ("application-1", "application-2")


def test_the_services_are_those_of_the_design() -> None:
    assert set(SERVICES) == {"database", "migrate", *PROCESSES, "proxy"}


@pytest.mark.parametrize("name", [name for name in SERVICES if name != "migrate"])
def test_every_service_that_stays_up_has_a_health_check(name: str) -> None:
    check = SERVICES[name]["healthcheck"]
    assert check["test"][0] == "CMD"
    assert {"interval", "timeout", "retries"} <= set(check)


def test_each_step_waits_until_the_one_before_it_is_done() -> None:
    conditions = {
        (name, other): wait["condition"]
        for name, service in SERVICES.items()
        for other, wait in service.get("depends_on", {}).items()
    }
    done = "service_completed_successfully"
    assert conditions == {
        ("migrate", "database"): "service_healthy",
        **{(process, "migrate"): done for process in PROCESSES},
        **{("proxy", process): "service_healthy" for process in PROCESSES},
    }


@pytest.mark.parametrize("name", SERVICES)
def test_no_container_can_write_its_root_or_gain_rights(name: str) -> None:
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert "no-new-privileges:true" in service["security_opt"]
    assert not {"privileged", "cap_add", "network_mode", "pid", "devices"} & set(service)


@pytest.mark.parametrize("name", SERVICES)
def test_secrets_come_through_files_only(name: str) -> None:
    secret = re.compile(r"PASSWORD|SECRET|MASTER_KEY|TOKEN")
    for variable, value in SERVICES[name].get("environment", {}).items():
        if secret.search(variable):
            assert variable.endswith("_FILE")
            assert value in {f"/run/secrets/{held}" for held in SERVICES[name]["secrets"]}
        assert not re.search(r"://[^/@]*:[^/@]*@", value), f"{variable} holds a password"


def test_every_secret_is_a_file_that_is_never_committed() -> None:
    for secret in COMPOSE["secrets"].values():
        assert set(secret) == {"file"}
        assert Path(secret["file"]).parent == Path("deploy/secrets")
    assert "*" in (ROOT / "deploy/secrets/.gitignore").read_text().splitlines()


def test_the_script_that_makes_the_secrets_makes_these() -> None:
    script = (ROOT / "deploy/make_secrets.py").read_text()
    for name in COMPOSE["secrets"]:
        assert f'"{name}"' in script


@pytest.mark.parametrize("name", SERVICES)
def test_no_path_outside_the_repository_is_mounted(name: str) -> None:
    for mount in SERVICES[name].get("volumes", []):
        source, _, rest = mount.partition(":")
        if source not in COMPOSE["volumes"]:
            assert (ROOT / source).resolve().is_relative_to(ROOT)
            assert (ROOT / source).is_file()
            assert rest.endswith(":ro")


def test_only_the_proxy_is_reachable_from_outside() -> None:
    assert [name for name, service in SERVICES.items() if "ports" in service] == ["proxy"]
    outside = [name for name, service in SERVICES.items() if "outside" in service["networks"]]
    assert outside == ["proxy"]
    assert COMPOSE["networks"]["inside"]["internal"] is True


def test_both_processes_and_the_migration_run_one_image_with_the_same_settings() -> None:
    first, *others = (SERVICES[name] for name in ("migrate", *PROCESSES))
    for other in others:
        assert other["image"] == first["image"]
        assert other["environment"] == first["environment"]


def test_the_proxy_serves_both_processes_and_forwards_no_claim_of_the_client() -> None:
    text = (ROOT / "deploy/nginx.conf").read_text()
    for process in PROCESSES:
        assert f"server {process}:8000" in text
    assert "proxy_set_header X-Forwarded-For $remote_addr;" in text
    assert 'proxy_set_header Forwarded "";' in text
    assert "$request " not in text, "a query string may hold an authorization code"
    assert "$args" not in text


def test_metrics_are_where_the_proxy_does_not_lead() -> None:
    for process in PROCESSES:
        port = SERVICES[process]["environment"]["CORPID_OPERATIONS_PORT"]
        assert port != SERVICES[process]["environment"]["CORPID_PORT"]
        for file in ("nginx.conf", "nginx-mtls.conf"):
            assert f":{port}" not in (ROOT / "deploy" / file).read_text()


@pytest.mark.parametrize("file", ["nginx.conf", "nginx-mtls.conf"])
def test_rfc9440_4_no_outsider_sends_a_certificate_through_the_proxy(file: str) -> None:
    """Each place that passes requests on replaces every header that could hold a certificate."""
    text = (ROOT / "deploy" / file).read_text()
    passing = [block for block in re.findall(r"location [^{]*\{([^}]*)\}", text) if "pass" in block]
    assert passing
    seen = "$ssl_client_escaped_cert" if file == "nginx-mtls.conf" else '""'
    for block in passing:
        assert f"proxy_set_header X-Client-Certificate {seen};" in block
        for name in ("Client-Cert", "Client-Cert-Chain"):
            assert f'proxy_set_header {name} "";' in block


def test_the_proxy_proves_the_key_and_leaves_the_verdict_to_the_application() -> None:
    text = (ROOT / "deploy" / "nginx-mtls.conf").read_text()
    assert "ssl_verify_client optional_no_ca;" in text
    assert "ssl_protocols TLSv1.2 TLSv1.3;" in text
    assert "ssl_ciphers ECDHE+AESGCM;" in text, "FAPI 2.0 5.2.2: those of BCP 195 alone"
    assert "include /etc/nginx/mtls/*.conf;" in (ROOT / "deploy" / "nginx.conf").read_text()


def test_images_are_named_with_a_version() -> None:
    for service in SERVICES.values():
        tag = service["image"].rpartition(":")[2]
        assert tag == "local" or re.match(r"\d", tag)


@pytest.mark.parametrize(
    "line", [line for line in (ROOT / "Dockerfile").read_text().splitlines() if "COPY " in line]
)
def test_the_image_copies_what_the_build_context_lets_through(line: str) -> None:
    if "--from=" in line:
        return
    context = (ROOT / ".dockerignore").read_text().splitlines()
    for source in line.split()[1:-1]:
        assert (ROOT / source).exists(), source
        allowed = {f"!{source}", f"!{Path(source).parent}/*{Path(source).suffix}"}
        assert allowed & set(context), source


def test_the_image_runs_without_rights_on_locked_packages() -> None:
    text = (ROOT / "Dockerfile").read_text()
    installs = re.findall(r"pip install .*", text)
    assert all("--require-hashes" in line or "--no-index" in line for line in installs)
    assert re.search(r"^USER \d+:\d+$", text, re.MULTILINE)


def compose_command() -> list[str] | None:
    """Docker's own plugin, else the older program of the same reading, else neither."""
    if shutil.which("docker"):
        plugin = ["docker", "compose"]
        answer = subprocess.run([*plugin, "version"], capture_output=True, check=False)
        if answer.returncode == 0:
            return plugin
    return ["docker-compose"] if shutil.which("docker-compose") else None


def test_compose_accepts_the_file() -> None:
    """The tests above hold the structure everywhere; this one asks the program itself."""
    command = compose_command()
    if command is None:
        pytest.skip("Docker Compose is not installed; compose.yaml was checked by structure only")
    outcome = subprocess.run(
        [*command, "-f", str(ROOT / "compose.yaml"), "config", "-q"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert outcome.returncode == 0, outcome.stderr
