"""Signs a request body the way Slack does (`v0` HMAC-SHA256 over `v0:<timestamp>:<body>`)."""

import hashlib
import hmac


def signature(signing_secret: str, timestamp: str, body: str) -> str:
    """The value of `X-Slack-Signature` for a raw `body` sent at Unix `timestamp`."""
    base = f"v0:{timestamp}:{body}".encode()
    return "v0=" + hmac.new(signing_secret.encode(), base, hashlib.sha256).hexdigest()


def signed_headers(signing_secret: str, timestamp: int, body: str, content_type: str) -> dict[str, str]:
    return {
        "Content-Type": content_type,
        "User-Agent": "Slackbot 1.0 (+https://api.slack.com/robots)",
        "X-Slack-Request-Timestamp": str(timestamp),
        "X-Slack-Signature": signature(signing_secret, str(timestamp), body),
    }
