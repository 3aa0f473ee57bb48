"""`imp model`: the models passages are found with; built beside each other, compared, switched, made smaller."""

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
