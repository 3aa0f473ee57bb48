"""Web API: users.* and usergroups.*."""

import time
from typing import Any

from sandbox.slack.call import Call
from sandbox.slack.errors import SlackError
from sandbox.slack.methods import method
from sandbox.slack.model import User, UserGroup
from sandbox.slack.shapes import user_json


def _shown(call: Call, user: User) -> dict[str, Any]:
    assert call.token
    return user_json(call.store, user, "users:read.email" in call.token.scopes)


@method("users.info", "users:read", tier=4)
def users_info(call: Call) -> dict[str, Any]:
    return {"user": _shown(call, call.store.user(call.required("user", "user_not_found")))}


@method("users.list", "users:read", tier=2)
def users_list(call: Call) -> dict[str, Any]:
    page, cursor = call.page(list(call.store.users.values()), default=1000)
    members = [_shown(call, user) for user in page]
    return {"members": members, "cache_ts": int(time.time()), "response_metadata": {"next_cursor": cursor}}


@method("users.lookupByEmail", "users:read.email")
def users_lookup_by_email(call: Call) -> dict[str, Any]:
    email = call.required("email", "users_not_found").lower()
    for user in call.store.users.values():
        if user.email.lower() == email and not (user.is_external or user.deleted):
            return {"user": _shown(call, user)}
    raise SlackError("users_not_found")


def _group(call: Call, group: UserGroup, with_users: bool) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "id": group.id,
        "team_id": call.store.team.id,
        "is_usergroup": True,
        "is_subteam": True,
        "name": group.name,
        "description": "",
        "handle": group.handle,
        "is_external": False,
        "date_create": 1700000000,
        "date_update": 1700000000,
        "date_delete": 0,
        "auto_type": None,
        "auto_provision": False,
        "created_by": group.members[0],
        "updated_by": group.members[0],
        "deleted_by": None,
        "prefs": {"channels": [], "groups": []},
        "user_count": len(group.members),
    }
    return shown | ({"users": group.members} if with_users else {})


@method("usergroups.list", "usergroups:read", tier=2)
def usergroups_list(call: Call) -> dict[str, Any]:
    with_users = call.flag("include_users")
    return {"usergroups": [_group(call, g, with_users) for g in call.store.groups.values()]}


@method("usergroups.users.list", "usergroups:read", tier=2)
def usergroups_users_list(call: Call) -> dict[str, Any]:
    group = call.store.groups.get(call.required("usergroup", "no_such_subteam"))
    if group is None:
        raise SlackError("no_such_subteam")
    return {"users": group.members}
