"""Web API: status line, title and suggested prompts of assistant threads."""

from typing import Any

from sandbox.slack.call import Call
from sandbox.slack.errors import SlackError
from sandbox.slack.methods import method
from sandbox.slack.model import AssistantThread


def _thread(call: Call) -> AssistantThread:
    channel = call.channel("channel_id", member=True)
    thread_ts = call.required("thread_ts", "invalid_thread_ts")
    key = (channel.id, thread_ts)
    if key not in call.store.threads:
        if thread_ts not in call.store.messages[channel.id]:
            raise SlackError("invalid_thread_ts")
        owner = call.store.messages[channel.id][thread_ts].user
        call.store.threads[key] = AssistantThread(channel.id, thread_ts, owner)
    return call.store.threads[key]


@method("assistant.threads.setStatus", "assistant:write", "chat:write", tier=4)
def set_status(call: Call) -> dict[str, Any]:
    _thread(call).status = call.text("status")
    call.store.touch()
    return {}


@method("assistant.threads.setTitle", "assistant:write")
def set_title(call: Call) -> dict[str, Any]:
    _thread(call).title = call.required("title")
    call.store.touch()
    return {}


@method("assistant.threads.setSuggestedPrompts", "assistant:write")
def set_suggested_prompts(call: Call) -> dict[str, Any]:
    prompts = call.json("prompts")
    if not isinstance(prompts, list) or not 1 <= len(prompts) <= 4:
        raise SlackError("invalid_arguments")
    if any(not isinstance(p, dict) or not p.get("title") or not p.get("message") for p in prompts):
        raise SlackError("invalid_arguments")
    thread = _thread(call)
    thread.prompts, thread.prompts_title = prompts, call.text("title")
    call.store.touch()
    return {}
