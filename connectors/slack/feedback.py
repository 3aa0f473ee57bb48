"""Why an answer was no good: a small modal that opens after a thumb down, and what was filled into it."""

from typing import Any

CALLBACK_ID = "feedback_reason"
MAX_CHARS = 1_000
REASONS = {
    "wrong": "It is wrong",
    "outdated": "It is out of date",
    "incomplete": "Something is missing",
    "off_topic": "It does not answer my question",
    "other": "Something else",
}
View = dict[str, Any]


def modal(question_id: int) -> View:
    """Asks for a reason; both fields may stay empty."""
    options = [{"text": _plain(label), "value": value} for value, label in REASONS.items()]
    return {
        "type": "modal",
        "callback_id": CALLBACK_ID,
        "private_metadata": str(question_id),
        "title": _plain("What was wrong?"),
        "submit": _plain("Send"),
        "close": _plain("Skip"),
        "blocks": [
            _input("kind", "This answer", {"type": "radio_buttons", "action_id": "kind", "options": options}),
            _input(
                "words",
                "What should it have said?",
                {
                    "type": "plain_text_input",
                    "action_id": "words",
                    "multiline": True,
                    "max_length": MAX_CHARS,
                },
            ),
        ],
    }


def reason_of(view: View) -> tuple[int, str] | None:
    """Question id and reason of a submitted modal; None when it was left empty."""
    values = view["state"]["values"]
    chosen = (values.get("kind", {}).get("kind", {}).get("selected_option") or {}).get("value") or ""
    said = (values.get("words", {}).get("words", {}).get("value") or "").strip()[:MAX_CHARS]
    reason = ": ".join(part for part in (chosen, said) if part)
    number = str(view.get("private_metadata") or "")
    return (int(number), reason) if reason and number.isdecimal() else None


def _input(block_id: str, label: str, element: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "input",
        "block_id": block_id,
        "optional": True,
        "label": _plain(label),
        "element": element,
    }


def _plain(text: str) -> dict[str, Any]:
    return {"type": "plain_text", "text": text, "emoji": True}
