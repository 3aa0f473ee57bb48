"""The one exception a Web API method raises; it knows Slack's error codes and nothing of HTTP."""

from typing import Any


class SlackError(Exception):
    """An `ok: false` reply: `code` is Slack's error string, `extra` joins the reply as it stands."""

    def __init__(self, code: str, **extra: Any) -> None:
        super().__init__(code)
        self.code = code
        self.extra = extra

    def reply(self) -> dict[str, Any]:
        return {"ok": False, "error": self.code, **self.extra}
