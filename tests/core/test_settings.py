"""Settings: what is missing or bad is named, what is secret stays secret, what exists is documented."""

import ast
import os
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from app.configuration_table import README, markdown_table, with_table
from core.errors import NotConfigured
from core.settings import Settings, load_settings

ROOT = Path(__file__).resolve().parents[2]
PRODUCT = ("app", "connectors", "core", "migrations", "rag", "sandbox", "training", "workers")
SECRETS = sorted(
    name for name, field in Settings.model_fields.items() if "SecretStr" in str(field.annotation)
)
PASSES_IT_ON = {"app/supervisor.py": "{**os.environ, **child.env}"}


@pytest.fixture(autouse=True)
def _bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)


def test_starts_without_any_setting() -> None:
    settings = load_settings()
    assert settings.imp_home == Path.home() / ".imp"
    assert settings.blobs_url == (Path.home() / ".imp" / "blobs").as_uri()
    assert settings.database_url is None


def test_reads_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("CONFLUENCE_SPACES", "ENG, OPS ,,")
    monkeypatch.setenv("IMP_HOME", str(tmp_path))
    monkeypatch.setenv("IMP_PUBLIC_URL", "https://imp.example.com/")
    settings = load_settings()
    assert settings.confluence_spaces == ("ENG", "OPS")
    assert settings.blobs_url == f"file://{tmp_path}/blobs"
    assert settings.public_url == "https://imp.example.com"


def test_an_empty_value_counts_as_unset(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IMP_PORT", "")
    monkeypatch.setenv("SLACK_APP_TOKEN", "")
    assert load_settings().imp_port == 8080
    assert load_settings().slack_app_token is None


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("IMP_PORT", "eighty"),
        ("IMP_PORT", "65536"),
        ("CONFLUENCE_URL", "example.atlassian.net"),
        ("IMP_PUBLIC_URL", "ftp://imp.example.com"),
        ("SLACK_API_URL", "slack.com/api"),
        ("IMP_LOG_FORMAT", "xml"),
        ("IMP_MINUTES_POLICY", "maybe"),
        ("CONFLUENCE_POLL_S", "1"),
        ("IMP_MAX_UPLOAD_BYTES", "-1"),
        ("IMP_WINDOW_S", "nan"),
    ],
)
def test_a_bad_value_is_named(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(NotConfigured, match=rf"bad configuration: {name}: "):
        load_settings()


def test_all_bad_values_are_named_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IMP_PORT", "eighty")
    monkeypatch.setenv("IMP_LOG_LEVEL", "LOUD")
    with pytest.raises(NotConfigured, match=r"IMP_PORT: .*; IMP_LOG_LEVEL: "):
        load_settings()


@pytest.mark.parametrize(
    ("given_settings", "missing"),
    [
        ({"CONFLUENCE_URL": "https://example.com"}, "CONFLUENCE_API_TOKEN, or CONFLUENCE_PAT"),
        (
            {"CONFLUENCE_URL": "https://example.com", "CONFLUENCE_USERNAME": "a@example.com"},
            "CONFLUENCE_API_TOKEN",
        ),
        ({"SLACK_BOT_TOKEN": "xoxb"}, r"SLACK_SIGNING_SECRET \(HTTP\) or SLACK_APP_TOKEN"),
        ({"IMP_STALE_S": "5"}, "IMP_STALE_S must be at least twice IMP_HEARTBEAT_S"),
    ],
)
def test_what_is_missing_is_named(
    monkeypatch: pytest.MonkeyPatch, given_settings: dict[str, str], missing: str
) -> None:
    for name, value in given_settings.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(NotConfigured, match=missing):
        load_settings()


def test_servers_are_asked_for_by_name() -> None:
    settings = load_settings()
    with pytest.raises(NotConfigured, match="DATABASE_URL is not set"):
        settings.require_database_url()
    with pytest.raises(NotConfigured, match="REDIS_URL is not set"):
        settings.require_redis_url()


def test_everything_that_sounds_secret_is_a_secret() -> None:
    sounding = {
        name
        for name in Settings.model_fields
        if name.endswith(("_token", "_secret", "_pat", "_key", "_password", "database_url", "redis_url"))
    }
    assert sounding == set(SECRETS)


@pytest.mark.parametrize("name", SECRETS)
def test_secrets_print_as_stars(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    scheme = {"database_url": "postgresql://imp:", "redis_url": "redis://:"}.get(name, "")
    monkeypatch.setenv(name.upper(), f"{scheme}zebra-crossing-1")
    monkeypatch.setenv("SLACK_SIGNING_SECRET", "zebra-crossing-1")
    settings = load_settings()
    assert getattr(settings, name).get_secret_value() == f"{scheme}zebra-crossing-1"
    for shown in (repr(settings), str(settings), f"{getattr(settings, name)}", settings.model_dump_json()):
        assert "zebra" not in shown
    assert "**********" in repr(settings)


@given(st.text(st.characters(codec="ascii", exclude_categories=["Cc"]), min_size=12, max_size=40))
def test_an_error_never_shows_the_values_beside_it(drawn: str) -> None:
    secret = f"zebra{drawn}"  # words of the message itself would be found in it
    with pytest.raises(NotConfigured) as caught:
        load_settings(slack_bot_token=SecretStr(secret), imp_port=-1, confluence_url=f"x{secret}")
    assert secret not in str(caught.value)


def test_settings_cannot_be_changed_afterwards() -> None:
    with pytest.raises(ValueError, match="frozen"):
        load_settings().imp_port = 1


@pytest.mark.parametrize("name", Settings.model_fields)
def test_every_setting_is_described(name: str) -> None:
    description = Settings.model_fields[name].description
    assert description and description.rstrip().endswith((".", "`")), name
    assert "|" not in description, "it would break the README's table"


def test_the_readme_shows_the_settings_as_they_are() -> None:
    text = README.read_text()
    assert with_table(text) == text, "run `python -m app.configuration_table`"
    for name in Settings.model_fields:
        assert f"| `{name.upper()}` |" in markdown_table()


def test_the_example_environment_names_every_setting_and_no_other() -> None:
    compose_only = {
        "COMPOSE_PROFILES", "POSTGRES_PASSWORD", "REDIS_PASSWORD", "IMP_BIND", "TORCH_CPU_ARGS", "TORCH_GPU_ARGS",
    }  # fmt: skip
    named = re.findall(r"^(?:# )?([A-Z_]+)=", (ROOT / ".env.example").read_text(), re.MULTILINE)
    assert len(named) == len(set(named))
    assert set(named) - compose_only == {name.upper() for name in Settings.model_fields}


def test_the_example_environment_loads_and_holds_no_real_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    for line in (ROOT / ".env.example").read_text().splitlines():
        name, found, value = line.partition("=")
        if found and name.lower() in Settings.model_fields:
            monkeypatch.setenv(name, value)
            assert name.lower() not in SECRETS or value == "" or value.startswith("change-me"), name
    settings = load_settings()
    assert settings.confluence_spaces == ("ENG", "OPS")


def test_defaults_in_the_example_environment_are_the_defaults() -> None:
    invented = {"DATABASE_URL", "REDIS_URL", "IMP_BLOBS", "IMP_WHISPER_MODEL", "IMP_RECORDINGS_AUDIENCE"}
    for line in (ROOT / ".env.example").read_text().splitlines():
        name, found, value = line.removeprefix("# ").partition("=")
        if line.startswith("# ") and found and name.lower() in Settings.model_fields and name not in invented:
            with_value = load_settings(**{name.lower(): value})
            assert getattr(with_value, name.lower()) == getattr(load_settings(), name.lower()), name


def reads_of_the_environment(path: Path) -> list[str]:
    """Source of every expression in the file that reaches for the process' environment."""
    text = path.read_text()
    tree = ast.parse(text)
    parents = {id(child): node for node in ast.walk(tree) for child in ast.iter_child_nodes(node)}
    found = []
    for node in ast.walk(tree):
        is_attribute = isinstance(node, ast.Attribute) and node.attr in (
            "environ",
            "environb",
            "getenv",
            "getenvb",
        )
        is_import = isinstance(node, ast.ImportFrom) and node.module == "os"
        if is_attribute and isinstance(node.value, ast.Name) and node.value.id == "os":
            found.append(ast.get_source_segment(text, parents[id(node)]) or "")
        elif is_import and any(alias.name in ("environ", "getenv") for alias in node.names):
            found.append(ast.unparse(node))
    return found


def test_nothing_else_reads_the_environment() -> None:
    found = {}
    for folder in PRODUCT:
        for path in (ROOT / folder).rglob("*.py"):
            if reads := reads_of_the_environment(path):
                found[str(path.relative_to(ROOT))] = reads
    assert {file: reads for file, reads in found.items() if file != "core/settings.py"} == {
        file: [expression] for file, expression in PASSES_IT_ON.items()
    }


def test_the_search_for_readers_finds_them(tmp_path: Path) -> None:
    guilty = tmp_path / "guilty.py"
    guilty.write_text("import os\nfrom os import getenv\nA = os.environ['A']\nB = os.getenv('B')\n")
    assert len(reads_of_the_environment(guilty)) == 3
    assert os.environ is not None


@pytest.mark.parametrize(
    ("name", "value"),
    [("DATABASE_URL", "mysql://root:hunter2@db/imp"), ("REDIS_URL", "hunter2.example:6379")],
)
def test_a_url_of_another_server_is_named_without_its_password(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(NotConfigured, match=f"{name}: must start with") as caught:
        load_settings()
    assert "hunter2" not in str(caught.value)
