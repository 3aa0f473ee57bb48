"""A small company for the stand-in Confluence's tests: three people, three spaces, a dozen pages."""

from typing import Any

ADMIN, ANN, BOB = "acc-admin", "acc-ann", "acc-bob"
ADMIN_LOGIN, ANN_LOGIN, BOB_LOGIN = (
    ("bot@acme.example", "sample-bot"),
    ("ann@acme.example", "sample-ann"),
    ("bob@acme.example", "sample-bob"),
)
BODY = (
    "<h2>Goal&nbsp;&amp; plan</h2><p>Ship the <strong>anchor</strong>.</p>"
    "<ac:task-list><ac:task><ac:task-id>1</ac:task-id><ac:task-status>incomplete</ac:task-status>"
    "<ac:task-body>Write it down</ac:task-body></ac:task></ac:task-list>"
)


def person(
    account_id: str, username: str, name: str, login: tuple[str, str], *groups: str, **more: Any
) -> Any:
    email, token = login
    return {"account_id": account_id, "username": username, "name": name, "email": email, "token": token,
            "groups": list(groups), **more}  # fmt: skip


def page(content_id: int, space: str, title: str, parent: str | None = None, **more: Any) -> dict[str, Any]:
    return {"id": str(content_id), "space": space, "title": title, "parent": parent, "author": ANN, "body": BODY,
            "created": "2026-01-05T09:00:00Z", "updated": f"2026-03-01T10:{content_id % 60:02d}:30Z", **more}  # fmt: skip


def company() -> dict[str, Any]:
    return {
        "people": [
            person(ADMIN, "bot", "Sync Bot", ADMIN_LOGIN, "staff", admin=True),
            person(ANN, "ann", "Ann Able", ANN_LOGIN, "staff", "leads", time_zone="America/New_York"),
            person(BOB, "bob", "Bob Baker", BOB_LOGIN, "staff"),
        ],
        "groups": ["staff", "leads"],
        "spaces": [
            {"key": "ENG", "name": "Engineering", "permissions": ["group:staff"]},
            {"key": "SEC", "name": "Secrets", "permissions": ["user:acc-ann"]},
            {"key": "PUB", "name": "Public", "permissions": ["anonymous", "group:staff"]},
        ],
        "pages": [
            page(1001, "ENG", "Home"),
            page(1002, "ENG", "Runbook", "Home", labels=["ops", "howto"]),
            page(1003, "ENG", "Salaries", "Home", restrict=["group:leads"]),
            page(1004, "ENG", "Bands", "Salaries"),
            page(1005, "ENG", "Old", "Home", status="archived"),
            page(1006, "ENG", "Gone", "Home", status="trashed"),
            page(1007, "ENG", "Half done", "Home", status="draft"),
            page(1008, "ENG", "News", type="blogpost"),
            page(1009, "ENG", "Shelf", "Home", type="folder"),
            page(1010, "ENG", "On the shelf", "Shelf", labels=["ops"]),
            page(2001, "SEC", "Vault"),
            page(3001, "PUB", "Welcome", comments=[
                {"author": BOB, "body": "<p>Nice</p>", "created": "2026-03-02T10:00:00Z"},
                {"author": ANN, "body": "<p>anchor?</p>", "inline": True, "selection": "anchor"},
            ]),
        ],
    }  # fmt: skip
