"""`imp ask`: a question from the terminal, as any person."""

from typing import Annotated

import typer

from app.console import AsJson, ago, hint, show_one


def ask(
    question: Annotated[str, typer.Argument(help="The question in plain words.")],
    as_email: Annotated[
        str | None, typer.Option("--as", help="E-mail of the person asking; default: somebody unknown.")
    ] = None,
    explain: Annotated[bool, typer.Option(help="Show what was searched and why.")] = False,
    as_json: AsJson = False,
) -> None:
    """Answer a question from what that person could open; status 3 when there is no answer."""
    from dataclasses import asdict

    from app.session import open_context
    from workers import people, questions

    context = open_context()
    with context.factory.begin() as session:
        person_id = people.person_by_email(session, as_email).id if as_email else None
        question_id = questions.write_down(
            session, question, person_id=person_id, place={"via": "cli"},
            max_chars=context.settings.imp_question_max_chars,
        )  # fmt: skip
    hint("loading the search model …")
    found = questions.answer(context, question_id, audience=[person_id])
    if as_json:
        facts = {**asdict(found), "question_id": question_id, "trace": questions.told_trace(found)}
        show_one(facts if explain else {k: v for k, v in facts.items() if k != "trace"}, as_json=True)
    else:
        print(found.text)
        for one in found.citations:
            age = f", {ago(one.updated_at)}" if one.updated_at else ""
            print(f"  [{one.number}] {one.title} ({one.space_key or one.kind}{age})\n      {one.url}")
        print(f"  {found.outcome}, confidence {found.confidence:.2f}, {found.engine}")
        if explain:
            show_one({"timings_s": found.timings_s, **questions.told_trace(found)}, as_json=True)
    if found.outcome != "answered":
        raise typer.Exit(3)
