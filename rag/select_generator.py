"""The generator a setting names; its heavy packages are imported only when it is chosen.

Nothing falls back in silence: a setting that cannot be served raises.
"""

from core.errors import NotConfigured
from rag.embedding import Embedder
from rag.generation import Generator


def select_generator(spec: str, *, embedder: Embedder, api_key: str | None = None) -> Generator:
    """The generator named by `extractive`, `t5:<path or name>` or `openai:<url>#<model>`.

    Raises:
        NotConfigured: the spec is none of these.
    """
    kind, _, rest = spec.partition(":")
    if spec == "extractive":
        from rag.extractive import Extractive

        return Extractive(embedder)
    if kind == "t5" and rest:
        from rag.t5 import T5

        return T5(rest)
    if kind == "openai":
        url, _, model = rest.partition("#")
        if url.startswith(("http://", "https://")) and model:
            from rag.chat_endpoint import ChatEndpoint

            return ChatEndpoint(url, model, api_key=api_key)
    raise NotConfigured(
        f"IMP_GENERATOR={spec!r} is none of `extractive`, `t5:<path or name>`, `openai:<url>#<model>`"
    )
