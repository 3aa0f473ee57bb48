"""A grammar of meeting lines over about 130 words: decisions, actions with owner and due date, questions.

It knows nothing of sound or models; the recipe beside it speaks these lines and trains on them.
"""

import random
import re

FILLINGS = {
    "name": "Anna, Ben, Clara, David, Emma, Felix, Grace, Henry",
    "day": "Monday, Tuesday, Wednesday, Thursday, Friday",
    "number": "one, two, three, four, five, six, seven, eight, nine, ten, twenty, thirty, fifty",
    "thing": "launch, budget, report, release, design, database, server, customer, contract, plan, "
    "backup, invoice, website, password, office, training, survey, team, room, roadmap",
    "act": "move, send, write, check, fix, review, update, finish, start, approve, cancel, delay, test, share",
    "state": "ready, late, done, open, blocked, not ready, good, very old",
    "units": "days, weeks, people, hours",
    "due": "by {day}, by {day}, today, tomorrow, next week, this month, before {day}",
}
SLOTS = {slot: fillings.split(", ") for slot, fillings in FILLINGS.items()}
TEMPLATES: dict[str, list[str]] = {
    "decision": [
        "We decided to move the {thing} to {day}.",
        "We decided to {act} the {thing} {due}.",
        "We agreed to {act} the {thing}.",
        "The decision is to {act} the {thing} {due}.",
        "We will not {act} the {thing} {due}.",
    ],
    "action": [
        "{name} will {act} the {thing} {due}.",
        "{name} will {act} the {thing} {due}.",
        "{name} and {name} will {act} the {thing}.",
        "I will {act} the {thing} {due}.",
        "Action for {name}, {act} the {thing} {due}.",
        "{name}, please {act} the {thing} and the {thing}.",
        "{name} owns the {thing}.",
    ],
    "question": [
        "Who will {act} the {thing}?",
        "Who owns the {thing}?",
        "When is the {thing} {state}?",
        "Why is the {thing} {state}?",
        "How many {units} do we need for the {thing}?",
        "Can {name} {act} the {thing} {due}?",
        "What is the problem with the {thing}?",
        "Should we {act} the {thing} {due}?",
        "Do you need a new {thing}?",
    ],
    "status": [
        "The {thing} is {state}.",
        "The {thing} costs {number} thousand euros.",
        "The {thing} is {number} percent done.",
        "The {thing} needs {number} more {units}.",
        "There is a risk with the {thing} and the {thing}.",
        "The next meeting is on {day} at {number}.",
        "{name} asked for a new {thing}.",
    ],
    "small": ["Yes, that is good.", "No, not yet.", "Thank you {name}.", "Hello everyone.", "Open question."],
}
SLOT = re.compile(r"\{(\w+)\}")


def sentence(rng: random.Random, kind: str | None = None) -> str:
    """One line of the given kind (a key of TEMPLATES; any when None); no slot repeats a word of the line."""
    kind = kind or rng.choices(list(TEMPLATES), weights=[4, 5, 5, 5, 1])[0]
    line = rng.choice(TEMPLATES[kind])
    while match := SLOT.search(line):
        fresh = [filling for filling in SLOTS[match[1]] if filling not in line]
        line = line[: match.start()] + rng.choice(fresh) + line[match.end() :]
    return line


def word_salad(rng: random.Random, n_words: int) -> str:
    """Random words as a sentence, so that a model has to listen and cannot recite the grammar.

    Left out are the words that only a sentence tells from another of the same sound (to, two; for, four).
    """
    line = " ".join(rng.choices([word for word in words() if word not in {"a", "for", "to"}], k=n_words))
    return line[0].upper() + line[1:] + "."


def words() -> list[str]:
    """Every word of the grammar, sorted; capitalised only where it always is (names, days, I)."""
    always = {*SLOTS["name"], *SLOTS["day"], "I"}
    texts = [line for group in (*TEMPLATES.values(), *SLOTS.values()) for line in group]
    found = re.findall(r"[A-Za-z]+", SLOT.sub(" ", " ".join(texts)))
    return sorted({word if word in always else word.lower() for word in found}, key=str.lower)


def normalized(text: str) -> list[str]:
    """The words of a text in lower case without punctuation, as word error rates compare them."""
    return re.findall(r"[a-z]+", text.lower())


def word_errors(wanted: str, heard: str) -> int:
    """Fewest words to insert, delete or replace (Levenshtein), after `normalized`."""
    target, row = normalized(heard), list(range(len(normalized(heard)) + 1))
    for i, word in enumerate(normalized(wanted), start=1):
        diagonal, row[0] = row[0], i
        for j, other in enumerate(target, start=1):
            diagonal, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, diagonal + (word != other))
    return row[-1]
