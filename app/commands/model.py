"""`imp model`: the models passages are found with; built beside each other, compared, switched, made smaller."""

from pathlib import Path
from typing import Annotated, Any

import typer

from app.console import AsJson, Wait, show_rows

app = typer.Typer(
    help="Models: build beside each other, compare, switch, make smaller.", no_args_is_help=True
)
embed = typer.Typer(help="Embedding models. Questions are answered all the while.", no_args_is_help=True)
app.add_typer(embed, name="embed")

Spec = Annotated[str, typer.Argument(help="A package's name, a folder, or a name on the model hub.")]
Model = Annotated[
    str, typer.Argument(help="Number, name or name@revision, as `imp model embed status` shows it.")
]
COLUMNS = {
    "id": "ID", "name": "MODEL", "revision": "REVISION", "state": "STATE", "vectors": "VECTORS", "index": "INDEX",
    "figures": "MEASURED", "left": "LEFT", "error": "ERROR",
}  # fmt: skip


@embed.command()
def build(spec: Spec, wait: Wait = False) -> None:
    """Give every passage a vector of this model too, in the background; it does not serve until you switch."""
    from app.follow import follow
    from app.session import open_context
    from workers import embedding_choice

    context = open_context()
    model_id, job_id = embedding_choice.build(context, spec)
    print(f"model {model_id} is being built by job {job_id}: `imp model embed status` shows how far")
    if wait:
        follow(context.factory, [job_id])


@embed.command()
def status(as_json: AsJson = False) -> None:
    """Which model serves, how far others are, and how they compare with it."""
    from app.session import open_session
    from workers import embedding_choice

    with open_session() as (_, session):
        rows = embedding_choice.status(session)
    shown = rows if as_json else [{**row, **_for_people(row)} for row in rows]
    show_rows(shown, COLUMNS, as_json=as_json, none="no embedding model yet: nothing was indexed")


@embed.command()
def switch(
    model: Annotated[str | None, typer.Argument(help="The model that shall serve.")] = None,
    back: Annotated[bool, typer.Option("--back", help="The one that served before.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Also with vectors missing.")] = False,
) -> None:
    """Answer with another model from now on; the old one's vectors stay, so going back is as quick."""
    from app.session import open_session
    from workers import embedding_choice

    with open_session() as (_, session):
        chosen = embedding_choice.switch(session, model, is_back=back, is_forced=force)
    print(
        f"{chosen.name}@{chosen.revision} serves; running processes follow within seconds. Undo: switch --back"
    )


@embed.command()
def drop(model: Model) -> None:
    """Remove a model that does not serve, with its vectors and its index."""
    from app.session import open_session
    from workers import embedding_choice

    with open_session() as (_, session):
        gone = embedding_choice.drop(session, model)
    print(f"{gone.name}@{gone.revision} is gone, with {gone.n_vectors} vectors")


@embed.command("compare")
def compare_models(
    spec: Spec,
    qmsum: Annotated[Path, typer.Option(help="Folder that holds SPLIT/*.json in QMSum's format.")],
    split: Annotated[str, typer.Option(help="Folder below it.")] = "val",
    every: Annotated[int, typer.Option(min=1, help="Take every n-th meeting only.")] = 1,
    as_json: AsJson = False,
) -> None:
    """Search quality of the configured model and of another one on a public set, in databases of their own."""
    import tempfile

    from app.console import say
    from app.evaluation import qmsum as ask
    from app.evaluation_runs import compare, engine_settings, save
    from core.settings import load_settings
    from workers.embedding_choice import absolute

    settings, kept = load_settings(), []
    for one in (settings.imp_embedder, absolute(spec)):
        say(f"asking with {one} …")
        rows: list[dict[str, Any]] = []
        with tempfile.TemporaryDirectory() as folder:
            dump = Path(folder) / "lines.jsonl"
            figures = ask(qmsum / split, dump, every=every, rows=rows, imp_embedder=one)
        told = {**engine_settings(settings), "IMP_EMBEDDER": one}
        kept.append(save(settings.imp_home / "evaluations", "qmsum", qmsum / split, told, figures, rows))
    columns = {"figure": "FIGURE", "left": settings.imp_embedder, "right": spec, "difference": "DIFFERENCE", "low": "LOW",
               "high": "HIGH", "better": "BETTER", "worse": "WORSE"}  # fmt: skip
    show_rows(compare(*kept), columns, as_json=as_json, none="nothing to compare")


@app.command()
def quantize(
    spec: Spec,
    out: Annotated[Path, typer.Argument(help="Folder to write; give it to `imp model embed build`.")],
    as_json: AsJson = False,
) -> None:
    """Export an embedding model with int8 weights for ONNX Runtime, and measure it against the original here."""
    from app.console import say, show_one
    from rag.quantize import as_dict, export_int8, measure

    say("exporting …")
    folder = export_int8(spec, out)
    say("measuring …")
    texts = _sample_texts()
    questions = [" ".join(one.split()[:12]) for one in texts[::3]]
    found = measure(spec, folder, questions, texts)
    show_one({"folder": str(folder.resolve()), "n_texts": len(texts), **as_dict(found)}, as_json=as_json)


def _sample_texts() -> list[str]:
    """Paragraphs of this package's own documents: what differs between number formats differs on any text."""
    import importlib.metadata as metadata

    words = (metadata.metadata("intelligent-multimedia-processing").get_payload() or "").split()
    return [" ".join(words[at : at + 150]) for at in range(0, max(len(words), 1), 50)]


def _for_people(row: dict[str, Any]) -> dict[str, Any]:
    names = {"index_recall_at_10": "index", "agreement_at_10": "agrees"}
    figures = [f"{names.get(k, k)} {v:.2f}" for k, v in row["measured"].items() if isinstance(v, float)]
    left_s = row["left_s"]
    return {
        "vectors": f"{row['n_vectors']}/{row['n_chunks']}",
        "index": f"{row['index_mb']} MB" if row["is_indexed"] else "none",
        "figures": ", ".join(figures),
        "left": "" if left_s is None else f"{left_s / 60:.0f} min" if left_s >= 90 else f"{left_s:.0f} s",
        "error": row["error"] or "",
    }
