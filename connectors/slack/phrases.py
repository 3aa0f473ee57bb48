"""What the bot itself says around an answer, in the languages it is asked in. Knows no message and no button's id."""

from dataclasses import dataclass

ENGLISH = "en"


@dataclass(frozen=True, slots=True)
class Phrases:
    """One language. Words in braces are filled in by who says them."""

    sources: str
    closest: str
    understood: str
    answered_by: str
    unsure: str
    searched: str
    verified: str
    rest: str
    nothing_found: str
    low_confidence: str
    unsupported: str
    syncing: str
    not_for_all: str
    broken: str
    broken_in_public: str
    share: str
    show_sources: str
    needs_human: str
    verify: str
    follow_up: str
    follow_up_hint: str
    asks_people: str
    may_not_ask: str


LANGUAGES = {
    "en": Phrases(
        sources="Sources",
        closest="Closest pages you can open",
        understood="Understood as: {question}",
        answered_by="Answered by: {engine}",
        unsure="I am not sure about this one; please check the source",
        searched="Only pages and recordings you may open were searched",
        verified="✅ Verified by {name} on {date}",
        rest="…the rest stands in the sources.",
        nothing_found="Nothing you can open mentions this.",
        low_confidence="What I found does not clearly answer this.",
        unsupported="I could not tie an answer to the pages and meetings found.",
        syncing="Some sources are still being read for the first time, so something may be missing. "
        "Please ask again in a few minutes.",
        not_for_all="I found no answer in what everyone in this channel may open. "
        "<@{user}>, I told you alone what you may open about it.",
        broken="I could not answer this: {why}. Your question is kept; an admin can run it again.",
        broken_in_public="Something on my side is broken, so I could not answer this.",
        share="Share to channel",
        show_sources="Show sources",
        needs_human="🙋 Needs a human",
        verify="Verify this answer",
        follow_up="Ask a follow-up",
        follow_up_hint="and who decided that?",
        asks_people="{people}: {asker} asked this and would like to hear from a person.",
        may_not_ask="In this channel only people named in its settings may ask me. Write to me directly instead.",
    ),
    "de": Phrases(
        sources="Quellen",
        closest="Am nächsten kommt, was du öffnen darfst",
        understood="Verstanden als: {question}",
        answered_by="Beantwortet von: {engine}",
        unsure="Hier bin ich nicht sicher; bitte in der Quelle nachsehen",
        searched="Durchsucht wurde nur, was du öffnen darfst",
        verified="✅ Bestätigt von {name} am {date}",
        rest="…der Rest steht in den Quellen.",
        nothing_found="In dem, was du öffnen darfst, steht dazu nichts.",
        low_confidence="Was ich gefunden habe, beantwortet das nicht klar.",
        unsupported="Ich konnte keine Antwort mit den gefundenen Seiten und Besprechungen belegen.",
        syncing="Einige Quellen werden noch zum ersten Mal gelesen, es kann also etwas fehlen. "
        "Bitte frag in ein paar Minuten noch einmal.",
        not_for_all="In dem, was alle in diesem Kanal öffnen dürfen, fand ich keine Antwort. "
        "<@{user}>, was du dazu öffnen darfst, habe ich nur dir gesagt.",
        broken="Das konnte ich nicht beantworten: {why}. Deine Frage ist aufbewahrt; ein Admin kann sie noch einmal "
        "stellen.",
        broken_in_public="Bei mir ist etwas kaputt, deshalb konnte ich das nicht beantworten.",
        share="Im Kanal teilen",
        show_sources="Quellen zeigen",
        needs_human="🙋 Ein Mensch, bitte",
        verify="Diese Antwort bestätigen",
        follow_up="Nachfragen",
        follow_up_hint="und wer hat das entschieden?",
        asks_people="{people}: {asker} hat das gefragt und hätte gern eine Antwort von einem Menschen.",
        may_not_ask="In diesem Kanal dürfen mich nur Leute fragen, die seine Einstellungen nennen. Schreib mir direkt.",
    ),
    "fr": Phrases(
        sources="Sources",
        closest="Les pages les plus proches que vous pouvez ouvrir",
        understood="Compris comme : {question}",
        answered_by="Répondu par : {engine}",
        unsure="Je n'en suis pas sûr ; vérifiez dans la source",
        searched="Seul ce que vous pouvez ouvrir a été parcouru",
        verified="✅ Vérifié par {name} le {date}",
        rest="…la suite se trouve dans les sources.",
        nothing_found="Rien de ce que vous pouvez ouvrir n'en parle.",
        low_confidence="Ce que j'ai trouvé n'y répond pas clairement.",
        unsupported="Je n'ai pas pu appuyer une réponse sur les pages et réunions trouvées.",
        syncing="Certaines sources sont encore lues pour la première fois ; il peut manquer quelque chose. "
        "Redemandez dans quelques minutes.",
        not_for_all="Je n'ai pas trouvé de réponse dans ce que tout le monde ici peut ouvrir. "
        "<@{user}>, je vous ai dit à vous seul ce que vous pouvez ouvrir.",
        broken="Je n'ai pas pu répondre : {why}. Votre question est conservée ; un admin peut la relancer.",
        broken_in_public="Quelque chose est cassé de mon côté, je n'ai donc pas pu répondre.",
        share="Partager dans le canal",
        show_sources="Voir les sources",
        needs_human="🙋 Un humain, svp",
        verify="Vérifier cette réponse",
        follow_up="Question suivante",
        follow_up_hint="et qui a décidé cela ?",
        asks_people="{people} : {asker} a posé cette question et aimerait la réponse d'une personne.",
        may_not_ask="Dans ce canal, seules les personnes nommées dans ses réglages peuvent m'interroger. "
        "Écrivez-moi directement.",
    ),
    "es": Phrases(
        sources="Fuentes",
        closest="Las páginas más cercanas que puedes abrir",
        understood="Entendido como: {question}",
        answered_by="Respondido por: {engine}",
        unsure="No estoy seguro; compruébalo en la fuente",
        searched="Solo se buscó en lo que puedes abrir",
        verified="✅ Verificado por {name} el {date}",
        rest="…el resto está en las fuentes.",
        nothing_found="Nada de lo que puedes abrir lo menciona.",
        low_confidence="Lo que encontré no responde claramente a esto.",
        unsupported="No pude respaldar una respuesta con las páginas y reuniones encontradas.",
        syncing="Algunas fuentes aún se están leyendo por primera vez, así que puede faltar algo. "
        "Pregunta de nuevo en unos minutos.",
        not_for_all="No encontré respuesta en lo que todos en este canal pueden abrir. "
        "<@{user}>, te dije solo a ti lo que puedes abrir.",
        broken="No pude responder: {why}. Tu pregunta está guardada; un admin puede repetirla.",
        broken_in_public="Algo está roto por mi parte, por eso no pude responder.",
        share="Compartir en el canal",
        show_sources="Ver fuentes",
        needs_human="🙋 Una persona, por favor",
        verify="Verificar esta respuesta",
        follow_up="Seguir preguntando",
        follow_up_hint="¿y quién lo decidió?",
        asks_people="{people}: {asker} preguntó esto y quisiera la respuesta de una persona.",
        may_not_ask="En este canal solo pueden preguntarme las personas que nombra su configuración. "
        "Escríbeme directamente.",
    ),
}


def phrases(language: str) -> Phrases:
    """The words of a language, English for one that is not here."""
    return LANGUAGES.get(language, LANGUAGES[ENGLISH])
