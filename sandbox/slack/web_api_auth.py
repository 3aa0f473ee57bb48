"""Web API: who am I, the team, the bot, installing and uninstalling, opening a Socket Mode connection."""

import secrets
from typing import Any

from sandbox.slack import events
from sandbox.slack.call import Call
from sandbox.slack.errors import SlackError
from sandbox.slack.methods import ALL_SCOPES, method
from sandbox.slack.model import Token
from sandbox.slack.shapes import bot_profile


@method("api.test", tier=4, token=None)
def api_test(call: Call) -> dict[str, Any]:
    args = {k: v for k, v in call.args.items() if k != "token"}
    if "error" in args:
        raise SlackError(str(args["error"]), args=args)
    return {"args": args} if args else {}


@method("auth.test", tier=4, token="any")
def auth_test(call: Call) -> dict[str, Any]:
    store = call.store
    app = {"app_name": store.bot.name, "app_id": store.bot.app_id}
    if call.token and call.token.kind == "app":
        return app
    return {
        "url": f"{call.public_url}/",
        "team": store.team.name,
        "user": store.bot.name,
        "team_id": store.team.id,
        "user_id": store.bot.user_id,
        "bot_id": store.bot.bot_id,
        "is_enterprise_install": False,
    }


@method("auth.revoke", tier=3, token="any")
def auth_revoke(call: Call) -> dict[str, Any]:
    if call.flag("test"):
        return {"revoked": False}
    assert call.token
    call.token.revoked = True
    events.uninstalled(call.sandbox)
    return {"revoked": True}


@method("apps.connections.open", "connections:write", tier=1, token="app")
def connections_open(call: Call) -> dict[str, Any]:
    ticket = call.sandbox.sockets.new_ticket()
    return {
        "url": f"ws{call.public_url.removeprefix('http')}/link/?ticket={ticket}&app_id={call.store.bot.app_id}"
    }


@method("bots.info", "users:read")
def bots_info(call: Call) -> dict[str, Any]:
    if call.text("bot", call.store.bot.bot_id) != call.store.bot.bot_id:
        raise SlackError("bot_not_found")
    return {"bot": bot_profile(call.store)}


@method("team.info", "team:read")
def team_info(call: Call) -> dict[str, Any]:
    team = call.store.team
    if call.text("team", team.id) != team.id:
        raise SlackError("team_not_found")
    icon = {"image_default": True} | {
        f"image_{n}": f"https://avatars.example.com/team_{n}.png" for n in (34, 44, 68, 88, 102, 132, 230)
    }
    return {
        "team": {
            "id": team.id,
            "name": team.name,
            "url": f"{call.public_url}/",
            "domain": team.domain,
            "email_domain": "",
            "avatar_base_url": "https://avatars.example.com/",
            "is_verified": False,
            "icon": icon,
        }
    }


@method("oauth.v2.access", tier=4, token=None)
def oauth_v2_access(call: Call) -> dict[str, Any]:
    """Trade a code from `/oauth/v2/authorize` for a fresh bot token; installs the app again."""
    config, store = call.sandbox.config, call.store
    if call.text("client_id", config.client_id) != config.client_id:
        raise SlackError("invalid_client_id")
    if call.text("client_secret", config.client_secret) != config.client_secret:
        raise SlackError("bad_client_secret")
    code = call.text("code")
    if code not in store.oauth_codes:
        raise SlackError("invalid_code")
    store.oauth_codes.discard(code)
    token = Token(f"xoxb-sandbox-{secrets.token_hex(8)}", "bot", frozenset(ALL_SCOPES))
    store.tokens[token.value] = token
    store.bot.installed = True
    installer = next(u for u in store.users.values() if not u.is_bot and u.id != "USLACKBOT")
    return {
        "app_id": store.bot.app_id,
        "authed_user": {"id": installer.id},
        "scope": ",".join(sorted(token.scopes)),
        "token_type": "bot",
        "access_token": token.value,
        "bot_user_id": store.bot.user_id,
        "team": {"id": store.team.id, "name": store.team.name},
        "enterprise": None,
        "is_enterprise_install": False,
    }
