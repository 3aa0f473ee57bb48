"""The production form says what the code says: a worker for each queue, nobody root, nothing secret in it."""

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from app.up import _processes
from core.job_kinds import QUEUES

ROOT = Path(__file__).resolve().parents[2]
COMPOSE = ROOT / "docker-compose.yml"
DOCKERFILE = ROOT / "infra" / "docker" / "Dockerfile"
ONE_SHOT = {"migrate"}


@pytest.fixture(scope="module")
def services() -> dict[str, Any]:
    return yaml.safe_load(COMPOSE.read_text())["services"]


def celery_options(argv: list[str], *names: str) -> dict[str, str]:
    return {name: argv[argv.index(name) + 1] for name in names}


def queues_of(service: dict[str, Any]) -> set[str]:
    argv = service.get("command") or []
    return set(celery_options(argv, "-Q")["-Q"].split(",")) if "-Q" in argv else set()


def test_each_queue_has_a_worker_of_its_own(services: dict[str, Any]) -> None:
    served = [queues_of(service) for service in services.values() if queues_of(service)]
    assert all(len(queues) == 1 for queues in served)
    assert set().union(*served) == set(QUEUES)


@pytest.mark.parametrize("profile", ["cpu", "gpu"])
def test_each_profile_serves_every_queue_once(services: dict[str, Any], profile: str) -> None:
    served = [
        queue
        for service in services.values()
        if profile in service.get("profiles", [profile])
        for queue in queues_of(service)
    ]
    assert sorted(served) == sorted(QUEUES)


def test_workers_and_beat_run_the_commands_of_imp_up(services: dict[str, Any]) -> None:
    embedded = {
        child.name: list(child.argv)[1:] for child in _processes({"IMP_HOME": "/var/lib/imp"}, with_web=True)
    }
    own = {"-n", "-Q", "-c"}

    def shape(argv: list[str]) -> list[str]:
        return [word for i, word in enumerate(argv) if word not in own and argv[i - 1] not in own]

    wanted = shape(embedded["worker-ask"])
    for name, service in services.items():
        if queues_of(service):
            assert shape(service["command"][1:]) == wanted, name
    assert services["beat"]["command"][1:] == embedded["beat"]
    assert services["web"]["command"][1:] == embedded["web"]


def test_exactly_one_beat(services: dict[str, Any]) -> None:
    assert [name for name, service in services.items() if "beat" in (service.get("command") or [])] == [
        "beat"
    ]


def test_nobody_is_root(services: dict[str, Any]) -> None:
    for name, service in services.items():
        assert str(service["user"]).split(":")[0] not in ("", "0", "root"), name
    stages = re.split(r"^FROM ", DOCKERFILE.read_text(), flags=re.MULTILINE)
    runtime = next(stage for stage in stages if stage.startswith("base AS runtime"))
    assert re.search(r"^USER imp$", runtime, re.MULTILINE)
    finals = [stage for stage in stages if re.match(r"runtime AS (cpu|gpu)", stage)]
    assert len(finals) == 2 and not any("USER" in stage for stage in finals)


def test_what_stays_up_has_a_health_check(services: dict[str, Any]) -> None:
    for name, service in services.items():
        if name not in ONE_SHOT:
            assert service["healthcheck"]["test"], name
            assert service["restart"] == "unless-stopped", name


def test_everything_waits_for_the_schema(services: dict[str, Any]) -> None:
    for name in set(services) - {"postgres", "redis", "migrate"}:
        assert services[name]["depends_on"]["migrate"] == {"condition": "service_completed_successfully"}, (
            name
        )


def test_the_gpu_is_reserved_by_its_worker_alone(services: dict[str, Any]) -> None:
    reserving = [name for name, service in services.items() if "deploy" in service]
    assert reserving == ["worker-gpu"]


def test_data_lives_in_volumes(services: dict[str, Any]) -> None:
    declared = set(yaml.safe_load(COMPOSE.read_text())["volumes"])
    for name, service in services.items():
        for volume in service.get("volumes", []):
            assert volume.split(":")[0] in declared, name
    assert any(volume.endswith(":/var/lib/postgresql/data") for volume in services["postgres"]["volumes"])


def test_passwords_come_from_outside() -> None:
    text = COMPOSE.read_text()
    for line in text.splitlines():
        named = re.match(r"\s+\w*(?:PASSWORD|TOKEN|SECRET|AUTH|_KEY|_PAT)\w*: *(\S+)", line)
        assert named is None or named[1].startswith("${"), line.strip()
        for user_info in re.findall(r"://([^\s@]*)@", line):
            assert "${" in user_info, line.strip()


def test_the_image_holds_every_floor() -> None:
    copied = set(re.findall(r"^COPY (\w+) \1$", DOCKERFILE.read_text(), re.MULTILINE))
    floors = {"app", "connectors", "core", "migrations", "rag", "sandbox", "training", "workers"}
    assert copied == floors
    allowed = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    assert floors <= allowed


@pytest.mark.parametrize("profile", ["cpu", "gpu"])
def test_docker_compose_accepts_it(profile: str) -> None:
    if shutil.which("docker-compose") is None:
        pytest.skip("docker-compose is not installed")
    done = subprocess.run(
        ["docker-compose", "--env-file", ".env.example", "--profile", profile, "config"],
        cwd=ROOT, env={"PATH": "/usr/bin:/bin:/usr/local/bin", "IMP_ENV_FILE": ".env.example"},
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "change-me-postgres@postgres:5432" in done.stdout


def test_docker_compose_refuses_missing_passwords(tmp_path: Path) -> None:
    if shutil.which("docker-compose") is None:
        pytest.skip("docker-compose is not installed")
    (tmp_path / "empty.env").write_text("")
    done = subprocess.run(
        ["docker-compose", "--env-file", str(tmp_path / "empty.env"), "config", "--quiet"],
        cwd=ROOT, env={"PATH": "/usr/bin:/bin:/usr/local/bin", "IMP_ENV_FILE": ".env.example"},
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode != 0
    assert "POSTGRES_PASSWORD" in done.stderr
