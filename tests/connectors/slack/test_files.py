"""The bot's token is shown to Slack's hosts alone."""

from pathlib import Path

import pytest
from slack_sdk import WebClient

from connectors.slack.files import SharedFile, download
from core.errors import BadInput


@pytest.mark.parametrize(
    "url",
    [
        None,
        "https://drive.example/file.wav",
        "https://slack.com.evil.example/file.wav",
        "https://evilslack.com/file.wav",
        "http://files.slack.com/file.wav",
        "file:///etc/passwd",
        "https://files.slack.com@evil.example/x",
        "https://[broken",
    ],
)
def test_a_file_kept_elsewhere_is_refused_before_anything_is_sent(url: str | None, tmp_path: Path) -> None:
    file = SharedFile("F1", "x.wav", "audio/wav", 3, "U1", url)
    with pytest.raises(BadInput, match="not kept in Slack"):
        download(WebClient(token="xoxb-secret"), file, tmp_path / "x", max_bytes=10)
    assert not (tmp_path / "x").exists()
