"""`imp people`: who is who, which accounts are theirs, and their tokens."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from app.console import AsJson, DryRun, Wait, Yes, confirm, show_one, show_rows

app = typer.Typer(help="People, their accounts and tokens.", no_args_is_help=True)
Email = Annotated[str, typer.Argument(help="The person's e-mail address.")]
COLUMNS = {
    "id": "ID",
    "name": "NAME",
    "email": "E-MAIL",
    "is_admin": "ADMIN",
    "accounts": "ACCOUNTS",
    "groups": "GROUPS",
}


@app.command("list")
def list_people(as_json: AsJson = False) -> None:
    """Everybody, with their accounts and groups."""
    from app.session import open_session
    from workers import people

    with open_session() as (_, session):
        rows = [asdict(one) for one in people.list_people(session)]
    show_rows(rows, COLUMNS, as_json=as_json, none="nobody yet: `imp sync` brings the people of Confluence")


@app.command()
def link(
    email: Email,
    slack: Annotated[str | None, typer.Option(help="Slack user id, e.g. U012AB3CD.")] = None,
    confluence: Annotated[str | None, typer.Option(help="Atlassian account id.")] = None,
    name: Annotated[str | None, typer.Option(help="Name, for a person not known yet.")] = None,
    admin: Annotated[bool | None, typer.Option("--admin/--no-admin", help="May use admin commands.")] = None,
) -> None:
    """Tie a Slack or Atlassian account to a person; makes the person when new."""
    from app.session import open_session
    from core.errors import BadInput
    from core.tables.people import Person
    from workers import people

    if slack is None and confluence is None and admin is None:
        raise BadInput("say which account: --slack ID or --confluence ID (or --admin)")
    if "@" not in email.strip("@"):
        raise BadInput(f"{email!r} is not an e-mail address")
    with open_session() as (_, session):
        person_id = people.ensure_person(session, name=name or email.split("@")[0], email=email)
        for provider, account in (("slack", slack), ("confluence", confluence)):
            if account:
                people.link(session, person_id, provider, account, by="admin")
        if admin is not None:
            session.get_one(Person, person_id).is_admin = admin
    print(f"{email} is person {person_id}")


@app.command("import")
def import_csv(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, readable=True, help="CSV in UTF-8.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would change; write nothing.")] = False,
    as_json: AsJson = False,
) -> None:
    """Link many people at once: columns email, name, slack, confluence, admin. A bad line stops the whole file."""
    from app.session import open_context
    from workers.import_people import import_people, read_people

    lines = read_people(file.read_bytes())
    with open_context().factory() as session:
        changes = [one for one in import_people(session, lines) if one.does]
        if dry_run:
            session.rollback()
        else:
            session.commit()
    rows = [{"email": one.email, "does": list(one.does)} for one in changes]
    show_rows(rows, {"email": "E-MAIL", "does": "CHANGE"}, as_json=as_json, none="nothing to change")
    if not as_json:
        print(f"{len(lines)} lines, {len(changes)} {'would change' if dry_run else 'changed'} something")


@app.command()
def token(email: Email, label: Annotated[str, typer.Option(help="What it is for.")] = "cli") -> None:
    """Make a bearer token for the API; shown once."""
    from app.session import open_session
    from workers import people

    with open_session() as (_, session):
        print(people.new_token(session, people.person_by_email(session, email).id, label=label))


@app.command()
def login(email: Email) -> None:
    """Make a personal link that signs a browser in, to open recordings."""
    from app.session import open_session
    from workers import people

    with open_session() as (context, session):
        secret = people.new_token(session, people.person_by_email(session, email).id, label="browser")
        print(f"{context.settings.public_url}/login/{secret}")


@app.command()
def revoke(
    email: Email,
    label: Annotated[str | None, typer.Option(help="Only tokens made for this; default: all.")] = None,
) -> None:
    """End a person's tokens and sign-in links: they open nothing from now on."""
    from app.session import open_session
    from workers import people

    with open_session() as (_, session):
        n_ended = people.revoke_tokens(session, people.person_by_email(session, email).id, label=label)
    print(f"{n_ended} tokens revoked")


@app.command()
def consent(
    email: Email,
    voice: Annotated[
        bool, typer.Option("--voice/--no-voice", help="Whether their voice may be remembered and recognized.")
    ] = True,
) -> None:
    """Note that a person agreed to be recognized by voice, or forget their voice at once."""
    from app.session import open_session
    from workers import people, voices

    with open_session() as (_, session):
        voices.set_consent(session, people.person_by_email(session, email).id, given=voice)
    print(f"{email}: {'their voice may be recognized' if voice else 'nothing of their voice is kept'}")


@app.command()
def erase(
    email: Email, dry_run: DryRun = False, yes: Yes = False, wait: Wait = False, as_json: AsJson = False
) -> None:
    """Forget a person: accounts, questions, voice and tokens go; meetings name them "Former participant"."""
    from app.follow import follow
    from app.session import open_context
    from workers import audit
    from workers.erase_person import erase_person

    context = open_context()
    with context.factory() as session:
        facts = erase_person(session, context.settings, email).as_row()
        session.rollback()
    if dry_run:
        facts.pop("job_id")
        show_one(facts, as_json=as_json)
        return
    confirm(f"Erase {email} for good?", yes=yes)
    with context.factory.begin() as session:
        erased = erase_person(session, context.settings, email)
        audit.write(session, "cli", "erase person")
    show_one(erased.as_row(), as_json=as_json)
    if wait and erased.job_id is not None:
        follow(context.factory, [erased.job_id])
