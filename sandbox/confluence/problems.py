"""What the stand-in Confluence answers when it says no; knows neither HTTP frameworks nor tables."""


class Refused(Exception):
    """A request the real server would turn down: an HTTP status and the sentence it would say."""

    def __init__(self, status: int, message: str, *, headers: dict[str, str] | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.headers = headers or {}


def no_content(content_id: str) -> Refused:
    """The 404 both flavours give for a missing page and for one the caller may not view."""
    return Refused(404, f"No content found with id: ContentId{{id={content_id}}}")


def no_space(key: str) -> Refused:
    return Refused(404, f"No space with key : {key}")


def forbidden(what: str) -> Refused:
    return Refused(403, f"User not permitted to {what}")


def bad_request(message: str) -> Refused:
    return Refused(400, message)
