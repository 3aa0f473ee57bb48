"""Every setting of the house, typed and documented; the only file that reads the environment.

Each process calls `load_settings()` once at its entry point and passes the result down. A value that is
missing or bad stops the start with `NotConfigured`, which names it. Secrets print as stars.
"""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, SecretStr, ValidationError, ValidationInfo, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from core.errors import NotConfigured

GIB = 1024**3
URL_SCHEMES = {
    "database_url": ("postgresql", "postgresql+psycopg", "postgres"),
    "redis_url": ("redis", "rediss"),
}


class Settings(BaseSettings):
    """The environment, read once. A field's name in capitals is the variable's name."""

    model_config = SettingsConfigDict(frozen=True, extra="ignore", env_ignore_empty=True)

    # Where things are
    database_url: SecretStr | None = Field(
        None, description="Postgres with pgvector >= 0.8; unset means embedded."
    )
    redis_url: SecretStr | None = Field(
        None, description="Redis for Celery's doorbell; unset means embedded."
    )
    imp_home: Path = Field(Path("~/.imp"), description="Folder of the embedded services, blobs and logs.")
    imp_blobs: str | None = Field(
        None, description="fsspec URL for recordings and files; default `IMP_HOME/blobs`."
    )
    imp_public_url: str = Field("http://127.0.0.1:8080", description="Where people reach the web server.")
    imp_host: str = Field("127.0.0.1", description="Address the web server binds.")
    imp_port: int = Field(8080, ge=0, le=65535, description="Port of the web server; 0 picks a free one.")
    imp_log_format: Literal["text", "json"] = Field(
        "text", description="Log lines for people or for machines."
    )
    imp_log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        "INFO", description="Least level logged."
    )

    # Confluence
    confluence_url: str | None = Field(None, description="Site, e.g. `https://example.atlassian.net/wiki`.")
    confluence_username: str | None = Field(None, description="Cloud: e-mail of the service account.")
    confluence_api_token: SecretStr | None = Field(None, description="Cloud: its API token.")
    confluence_pat: SecretStr | None = Field(None, description="Data Center: personal access token.")
    confluence_spaces: Annotated[tuple[str, ...], NoDecode] = Field(
        (), description="Space keys to sync, comma-separated; empty means every space the account sees."
    )
    confluence_webhook_secret: SecretStr | None = Field(
        None, description="Secret that signs incoming webhooks."
    )
    confluence_minutes_space: str | None = Field(None, description="Space key where minutes are published.")
    confluence_minutes_parent: str | None = Field(
        None, description="Id or title of the page minutes go under."
    )
    confluence_minutes_rules: Path | None = Field(
        None, description="YAML file of rules: which meetings' minutes go to which space and parent page."
    )
    confluence_minutes_transcript: Literal["section", "page"] = Field(
        "section",
        description="The transcript is a collapsed `section` of the minutes, or a `page` of its own under them.",
    )
    confluence_minutes_recording: Literal["link", "attach"] = Field(
        "link", description="Minutes `link` to the recording; `attach` puts the file on their page as well."
    )
    confluence_minutes_attach_bytes: int = Field(
        100 * 1024**2, ge=1, description="Larger recordings are linked even where they would be attached."
    )
    confluence_minutes_labels: Annotated[tuple[str, ...], NoDecode] = Field(
        (), description="More labels for new pages of minutes, comma-separated."
    )
    atlassian_client_id: str | None = Field(
        None, description="OAuth 2.0 (3LO) app with `read:me`: people connect their own Atlassian account."
    )
    atlassian_client_secret: SecretStr | None = Field(None, description="Secret of that app.")
    atlassian_auth_url: str = Field(
        "https://auth.atlassian.com", description="Base URL of the authorization server."
    )
    atlassian_api_url: str = Field(
        "https://api.atlassian.com", description="Base URL that tells whose account was connected (`/me`)."
    )
    confluence_poll_s: int = Field(60, ge=5, description="Seconds between incremental syncs of a site.")
    confluence_gates_s: int = Field(
        300, ge=30, le=600, description="Seconds between full looks at permissions, restrictions and places."
    )
    confluence_exclude_spaces: Annotated[tuple[str, ...], NoDecode] = Field(
        (), description="Space keys never synced, comma-separated."
    )
    confluence_space_labels: Annotated[tuple[str, ...], NoDecode] = Field(
        (), description="Only spaces with one of these labels are synced, comma-separated; empty means any."
    )
    confluence_exclude_space_labels: Annotated[tuple[str, ...], NoDecode] = Field(
        (), description="Spaces with one of these labels are never synced, comma-separated."
    )
    confluence_rate: float = Field(
        40.0, gt=0, le=1000, description="Most requests a second to the site, of all workers together."
    )
    confluence_at_once: int = Field(
        8, ge=1, le=64, description="Most requests to the site at once, of all workers together."
    )

    # Slack
    slack_bot_token: SecretStr | None = Field(
        None, description="Bot token (xoxb-…) of the one workspace; several: `SLACK_CLIENT_ID` instead."
    )
    slack_signing_secret: SecretStr | None = Field(None, description="Verifies requests from Slack.")
    slack_app_token: SecretStr | None = Field(
        None, description="App token (xapp-…); switches Socket Mode on."
    )
    slack_client_id: str | None = Field(
        None, description="Client id of the app: workspaces install it at `/slack/install`."
    )
    slack_client_secret: SecretStr | None = Field(None, description="Client secret of the app.")
    slack_token_key: SecretStr | None = Field(
        None,
        description="Fernet keys, comma-separated, that encrypt the workspaces' tokens; the first one encrypts.",
    )
    slack_teams: Annotated[tuple[str, ...], NoDecode] = Field(
        (),
        description="Workspaces (T…) whose confirmed addresses link people; in any other one people link "
        "themselves or get what is open to everyone. Only with `SLACK_CLIENT_ID`.",
    )
    slack_api_url: str = Field("https://slack.com/api/", description="Base URL of the Web API.")
    slack_command: str = Field("/ask", description="Name of the slash command as shown in help texts.")
    slack_announce_channel: str | None = Field(
        None,
        description="Channel where published minutes are announced; `T…/C…` with several workspaces.",
    )
    slack_experts: Annotated[tuple[str, ...], NoDecode] = Field(
        (),
        description="Slack user ids who may confirm answers and are asked for help where a channel names nobody.",
    )

    slack_allowed_bots: Annotated[tuple[str, ...], NoDecode] = Field(
        (),
        description="Ids (B…, A… or U…) of bots whose mentions are answered, from what is open to everyone; all others "
        "are ignored.",
    )

    confluence_recordings: bool = Field(
        True, description="Audio and video attached to pages are recordings, for who may read the page."
    )

    # Zoom
    zoom_webhook_secret: SecretStr | None = Field(
        None, description="Secret token of the Zoom app whose webhooks bring recordings."
    )
    zoom_download_hosts: Annotated[tuple[str, ...], NoDecode] = Field(
        ("zoom.us", "zoomgov.com"),
        description="Hosts (with subdomains, https, public addresses only) recordings may be fetched from; a whole "
        "origin such as `http://proxy.internal:8080` is taken as it is.",
    )

    # Engines
    imp_embedder: str = Field(
        "all-MiniLM-L6-v2", description="Embedding model: name, hub name or local path."
    )
    imp_transcriber: str = Field(
        "auto",
        description="`auto`, `faster-whisper:<path or name>`, `pocketsphinx` or `openai:<url>#<model>`.",
    )
    imp_generator: str = Field(
        "extractive", description="`extractive`, `t5:<path or name>` or `openai:<url>#<model>`."
    )
    imp_engine_api_key: SecretStr | None = Field(None, description="Key for OpenAI-compatible engines.")
    imp_whisper_model: str | None = Field(
        None, description="Whisper model for `auto`: a CTranslate2 folder or a hub name such as `large-v3`."
    )
    imp_transcripts: Literal["words", "names"] = Field(
        "words",
        description="Of a transcript beside a recording take its `words`, or only its `names` for the words we hear.",
    )
    imp_diarizer: str | None = Field(
        None,
        description="Tells voices apart: `pyannote:<folder or hub name>` or "
        "`sherpa:<segmentation.onnx>,<embedding.onnx>`; unset means one honest `Speaker ?`.",
    )
    imp_hub_token: SecretStr | None = Field(None, description="Hugging Face token for gated models.")
    imp_match_voices: bool = Field(
        False, description="Name speakers by the voices of people who consented (`imp people consent`)."
    )
    imp_window_s: float = Field(
        120.0, ge=10, le=600, description="Seconds of sound transcribed and saved at a time."
    )
    imp_recordings_audience: Annotated[tuple[str, ...], NoDecode] = Field(
        (),
        description="Who may read recordings: `space:KEY`, `group:NAME`, `user:ID`, `anyone`; "
        "default the space of the minutes.",
    )
    imp_minutes_policy: Literal["review", "auto"] = Field(
        "review", description="`auto` publishes drafts at once; `review` waits for `imp minutes approve`."
    )
    imp_publish_support: float | None = Field(
        None,
        gt=0,
        le=1,
        description="Publish without review when each line's support is at least this (0 to 1) and none is to be "
        "checked; unset: never.",
    )
    imp_review_ask: Literal["organizer", "channel", "both"] = Field(
        "organizer",
        description="Who is asked in Slack to review: who gave the recording, `SLACK_ANNOUNCE_CHANNEL`, or both; where "
        "one cannot be reached, the other.",
    )
    imp_review_h: float = Field(
        0,
        ge=0,
        le=8760,
        description="Hours to review a draft, with one reminder at three quarters; 0: no deadline.",
    )

    # Limits
    imp_max_upload_bytes: int = Field(5 * GIB, ge=1, description="Largest recording accepted.")
    imp_upload_expires_h: int = Field(
        24, ge=1, description="Hours after which an unfinished resumable upload is thrown away."
    )
    imp_max_recording_s: int = Field(6 * 3600, ge=1, description="Longest recording accepted, seconds.")
    imp_max_attachment_bytes: int = Field(50 * 1024**2, ge=1, description="Largest attachment that is read.")
    imp_ocr: Literal["auto", "off"] = Field(
        "auto", description="Text in attached pictures is recognized where tesseract is installed, or never."
    )
    imp_question_max_chars: int = Field(2_000, ge=10, description="Longest question accepted.")
    imp_questions_per_minute: int = Field(
        20, ge=1, description="Questions one person may ask within a minute in Slack."
    )
    imp_workspace_questions_per_minute: int = Field(
        1_000, ge=0, description="Questions one Slack workspace may ask within a minute; 0 sets no limit."
    )
    imp_reuse_answers_s: int = Field(
        600,
        ge=0,
        description="Seconds for which an answer is given again to the same question, the same access and unchanged "
        "sources; 0 answers each afresh.",
    )
    imp_keep_media_days: int = Field(
        0,
        ge=0,
        le=36_500,
        description="Days after which sound and film of a recording are deleted, transcript and minutes stay; 0 keeps them.",
    )
    imp_keep_questions_days: int = Field(
        0, ge=0, description="Days after which questions and answers are deleted; 0 keeps them."
    )

    # Jobs
    imp_heartbeat_s: float = Field(5.0, gt=0, description="Seconds between a running job's signs of life.")
    imp_stale_s: float = Field(30.0, gt=0, description="Silence after which another worker takes a job over.")
    imp_sweep_s: float = Field(
        5.0, gt=0, description="Seconds between sweeps that ring forgotten jobs again."
    )
    imp_retry_base_s: float = Field(2.0, gt=0, description="First pause before a failed job is tried again.")

    @field_validator(
        "confluence_spaces",
        "confluence_exclude_spaces",
        "confluence_space_labels",
        "confluence_exclude_space_labels",
        "confluence_minutes_labels",
        "imp_recordings_audience",
        "slack_teams",
        "slack_experts",
        "slack_allowed_bots",
        "zoom_download_hosts",
        mode="before",
    )
    @classmethod
    def _split_keys(cls, value: object) -> object:
        if isinstance(value, str):
            return tuple(key.strip() for key in value.split(",") if key.strip())
        return value

    @field_validator("confluence_minutes_labels")
    @classmethod
    def _are_labels(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for label in value:
            if len(label) > 255 or any(char.isspace() or char in "!#&()*,.:;<>?@[]^" for char in label):
                raise ValueError(
                    f"{label[:60]!r} is no label: Confluence takes no spaces and none of !#&()*.:;<>?@[]^"
                )
        return tuple(dict.fromkeys(label.lower() for label in value))

    @field_validator(
        "confluence_url", "imp_public_url", "slack_api_url", "atlassian_auth_url", "atlassian_api_url"
    )
    @classmethod
    def _is_http_url(cls, value: str | None) -> str | None:
        if value is not None and not value.startswith(("http://", "https://")):
            raise ValueError("must start with http:// or https://")
        return value

    @field_validator("database_url", "redis_url")
    @classmethod
    def _is_url_of(cls, value: SecretStr | None, info: ValidationInfo) -> SecretStr | None:
        schemes = URL_SCHEMES[info.field_name or ""]
        if value is not None and value.get_secret_value().partition("://")[0] not in schemes:
            raise ValueError(f"must start with {schemes[0]}://")
        return value

    @field_validator("imp_home")
    @classmethod
    def _absolute(cls, value: Path) -> Path:
        return value.expanduser().absolute()

    @model_validator(mode="after")
    def _needs_credentials(self) -> "Settings":
        cloud = self.confluence_username is not None and self.confluence_api_token is not None
        if self.confluence_url and not (cloud or self.confluence_pat):
            raise ValueError(
                "CONFLUENCE_URL is set: give CONFLUENCE_USERNAME and CONFLUENCE_API_TOKEN, or CONFLUENCE_PAT"
            )
        if self.slack_bot_token and not (self.slack_signing_secret or self.slack_app_token):
            raise ValueError(
                "SLACK_BOT_TOKEN is set: give SLACK_SIGNING_SECRET (HTTP) or SLACK_APP_TOKEN (Socket Mode)"
            )
        if self.slack_client_id:
            self._needs_of_several_workspaces()
        if self.imp_stale_s < 2 * self.imp_heartbeat_s:
            raise ValueError("IMP_STALE_S must be at least twice IMP_HEARTBEAT_S")
        return self

    def _needs_of_several_workspaces(self) -> None:
        if self.slack_bot_token:
            raise ValueError(
                "SLACK_BOT_TOKEN is for one workspace, SLACK_CLIENT_ID for several: set one of them"
            )
        if not (self.slack_client_secret and self.slack_token_key):
            raise ValueError("SLACK_CLIENT_ID is set: give SLACK_CLIENT_SECRET and SLACK_TOKEN_KEY")
        if not (self.slack_signing_secret or self.slack_app_token):
            raise ValueError(
                "SLACK_CLIENT_ID is set: give SLACK_SIGNING_SECRET (HTTP) or SLACK_APP_TOKEN (Socket Mode)"
            )

    @property
    def is_slack_on(self) -> bool:
        """Slack is configured, for one workspace or for several."""
        return self.slack_bot_token is not None or self.slack_client_id is not None

    @property
    def blobs_url(self) -> str:
        """fsspec URL under which recordings and files are kept."""
        return self.imp_blobs or (self.imp_home / "blobs").as_uri()

    @property
    def public_url(self) -> str:
        """IMP_PUBLIC_URL without a trailing slash."""
        return self.imp_public_url.rstrip("/")

    def require_database_url(self) -> str:
        """The Postgres URL; the embedded supervisor sets it for its children."""
        if self.database_url is None:
            raise NotConfigured("DATABASE_URL is not set: run under `imp up`, or point it at a Postgres")
        return self.database_url.get_secret_value()

    def require_redis_url(self) -> str:
        """The Redis URL; the embedded supervisor sets it for its children."""
        if self.redis_url is None:
            raise NotConfigured("REDIS_URL is not set: run under `imp up`, or point it at a Redis")
        return self.redis_url.get_secret_value()


def load_settings(**overrides: object) -> Settings:
    """Read the environment.

    Args:
        overrides: field values that win over the environment (tests, embedded mode).

    Raises:
        NotConfigured: names each bad variable and what is wrong with it; never prints its value.
    """
    try:
        return Settings(**overrides)  # type: ignore[arg-type]
    except ValidationError as exc:
        lines = [
            f"{'_'.join(str(part) for part in error['loc']).upper() or 'settings'}: "
            f"{error['msg'].removeprefix('Value error, ')}"
            for error in exc.errors(include_input=False, include_url=False)
        ]
        raise NotConfigured("bad configuration: " + "; ".join(lines)) from None
