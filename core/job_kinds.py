"""The jobs there are and the queue each needs; what they do stands in `workers`.

Queues by need: `ask` (someone waits), `sync` (network), `gpu` (models), `io` (publish, notify).
"""

from dataclasses import dataclass

QUEUES = ("ask", "sync", "gpu", "io")


@dataclass(frozen=True, slots=True)
class JobKind:
    """`max_attempts` counts every start, also those that ended with the worker's death.

    `told_by` is the kind that tells whoever waits when such a job was given up with nobody left to say so.
    """

    name: str
    queue: str
    max_attempts: int = 8
    told_by: str | None = None


KINDS: dict[str, JobKind] = {
    kind.name: kind
    for kind in (
        JobKind("answer_question", "ask", max_attempts=6, told_by="tell_broken"),
        JobKind("share_answer", "ask", max_attempts=6, told_by="tell_broken"),
        JobKind("show_sources", "ask", max_attempts=4),
        JobKind("show_home", "ask", max_attempts=4),
        JobKind("offer_prompts", "ask", max_attempts=3),
        JobKind("ask_human", "ask", max_attempts=6),
        JobKind("verify_answer", "ask", max_attempts=6),
        JobKind("tell_broken", "io"),
        JobKind("admin_word", "ask", max_attempts=4),
        JobKind("review_minutes", "ask", max_attempts=6),
        JobKind("ask_review", "io"),
        JobKind("redraw_review", "ask", max_attempts=4),
        JobKind("take_slack_file", "io"),
        JobKind("sync_source", "sync"),
        JobKind("sync_page", "sync"),
        JobKind("refresh_gates", "sync"),
        JobKind("apply_webhook", "sync"),
        JobKind("scan_recordings", "sync"),
        JobKind("index_document", "gpu"),
        JobKind("build_embeddings", "gpu"),
        JobKind("transcribe_recording", "gpu"),
        JobKind("draft_minutes", "gpu"),
        JobKind("apply_glossary", "io"),
        JobKind("learn_voice", "gpu"),
        JobKind("show_progress", "io", max_attempts=4),
        JobKind("take_zoom_meeting", "sync"),
        JobKind("take_upload", "io"),
        JobKind("take_attachment", "sync"),
        JobKind("publish_minutes", "io"),
        JobKind("announce_minutes", "io"),
        JobKind("erase_outside", "io", max_attempts=20),
        JobKind("ping", "io", max_attempts=1),
    )
}
