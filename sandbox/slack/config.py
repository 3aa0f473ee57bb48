"""How one sandbox is set up; the command line and `create_app` fill it, nothing here reads the environment."""

from dataclasses import dataclass, field
from pathlib import Path

DEFAULT_SIGNING_SECRET = "sandbox-signing-secret"


@dataclass
class Config:
    """Addresses, secrets and clocks. Times are seconds; tests shorten them, defaults are Slack's own."""

    public_url: str = "http://127.0.0.1:8085"
    seed_dir: Path | None = None
    events_url: str | None = None
    commands_url: str | None = None
    interactions_url: str | None = None
    signing_secret: str = DEFAULT_SIGNING_SECRET
    verification_token: str = "sandbox-verification-token"
    client_id: str = "1000.2000"
    client_secret: str = "sandbox-client-secret"
    ack_timeout_s: float = 3.0
    retry_delays_s: list[float] = field(default_factory=lambda: [0.0, 60.0, 300.0])
    trigger_ttl_s: float = 3.0
    response_url_ttl_s: float = 1800.0
    response_url_uses: int = 5
    rate_limits: bool = False
    max_body_bytes: int = 2 * 1024 * 1024
    max_file_bytes: int = 256 * 1024 * 1024
