"""Frames of the sentences that do not count: what others say, what is granted, scenes.

Their slots are those of `frames`.
"""

# They say nothing of what the author thinks of this work: p is drawn without regard to the label.
DISCOUNTED: dict[str, dict[str, tuple[str, ...]]] = {
    "others": {
        "train": (
            "{who} said that {claim}.",
            "{who} called {it} {np}.",
            "According to {who}, {claim}.",
            "{who} {liked} {it}.",
            "{who} came to {like} {it}.",
            "If you believe {who}, {claim}.",
            "{who} found {aspect} {adj} and {adj2}.",
        ),
        "validation": ("{who} told me that {claim}.", "I know that {who} {liked} {it}."),
        "test": ("{who} found that {claim}.", "I know that {who} called {it} {np}."),
    },
    "elsewhere": {
        "train": (
            "{other} was {adj}.",
            "{other} was {np}.",
            "I remember that {other} was {adj} and {adj2}.",
            "{who} called {other} {np}.",
            "I {liked} {other}.",
        ),
        "validation": ("I remember that {other} was {np}.",),
        "test": ("I found {other} {adj} and {adj2}.",),
    },
    "promise": {
        "train": (
            "I had expected {np}.",
            "The advertisement promised {np}.",
            "People had told me to expect {np}.",
            "I had been prepared for {adj} {parts}.",
            "The advertisement had spoken of {adj} {parts}.",
        ),
        "validation": ("People had promised me {np}.",),
        "test": ("The advertisement had told me to expect {adj} {parts}.", "People had told me of {np}."),
    },
}

# The author gives ground; always against the review's polarity.
GRANTED: dict[str, tuple[str, ...]] = {
    "train": (
        "Granted, {conceded}.",
        "Admittedly, {conceded}.",
        "True, {conceded}.",
        "I will admit that {conceded}.",
        "I grant you that {conceded}.",
    ),
    "validation": ("I will grant you that {conceded}.", "I admit, {conceded}."),
    "test": ("True, I admit that {conceded}.", "Granted, I know that {conceded}."),
}

# Neutral sentences that fit every domain; each domain has its own beside them.
SCENES: dict[str, tuple[str, ...]] = {
    "train": (
        "I went with {name}, who is a {job} in {city}.",
        "It was a {day} in {month}.",
        "We took the {vehicle} from the {place}.",
        "{name} left a {colour} {object} at the {place}.",
        "My {relative} came along with a {object}.",
        "A {job} from {city} was there with my {relative}.",
        "We had come from {city} by {vehicle}.",
        "It was {hour} when we reached the {place}.",
    ),
    "validation": (
        "{name} took the {vehicle} from {city}.",
        "On a {day} in {month} I went with my {relative}.",
    ),
    "test": (
        "My {relative} had left a {object} at the {place}.",
        "We went by {vehicle}, and {name} came along.",
    ),
}
