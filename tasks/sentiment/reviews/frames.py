"""Sentence frames: which constructions there are, and how each is worded in each split.

A frame is a sentence with slots in braces. Its construction says how the polarity of the author follows from
those of its slots; every frame of one construction agrees on that, whatever the split. The slots, for a sentence
whose author is of polarity `p`:

| slot | becomes | polarity |
|---|---|---|
| `own` `verdict` | a clause on a part or the whole; on the whole | `p` |
| `conceded` | a clause on a part, in a sentence that as a whole gives ground | `p` |
| `claim` `stated` | the same without "I" or "me"; `stated` also without a negation | `p` |
| `rival` | a clause that the sentence overrules | not `p` |
| `scoped` | a clause without a negation, to stand under one | not `p` |
| `adj` `adj2` `np`, `like` `liked` | adjectives, a noun phrase, a verb | `p` |
| `anti` `anti2` `antinp`, `antilike` `antiliked` | the same | not `p` |
| `fear anti` `fear adj` | "feared" or "hoped", whichever suits that adjective | |
| `rival claim` | like `rival`, without "I" or "me" | not `p` |
| `aspect` `part` `parts` | "the plot", "plot", "jokes": the same part throughout a sentence | |
| `whole` `it` `other` `who` | the work, another work, other people | |
| `aspect is` `is aspect` `whole is` `is` | with is, are, was or were | |
"""

SPLITS = ("train", "validation", "test")

# Sentences in which the author speaks for himself: each has the polarity of the review.
WEIGHED: dict[str, dict[str, tuple[str, ...]]] = {
    # p is what the clause says.
    "plain": {
        "train": (
            "{own}.",
            "Frankly, {own}.",
            "I must say that {own}.",
            "In my opinion {claim}.",
            "I think that {claim}.",
            "It seems to me that {claim}.",
            "For once, {own}.",
            "Well, {own}.",
            "This time {own}.",
        ),
        "validation": ("Frankly, I think that {claim}.", "Well, I must say {own}."),
        "test": ("This time, I must say, {own}.", "Well, it seems to me {claim}."),
    },
    # The negation that wraps the clause turns it round.
    "scope": {
        "train": (
            "I do not think that {scoped}.",
            "I would never say that {scoped}.",
            "Nobody could claim that {scoped}.",
            "I doubt that {scoped}.",
            "It is not true that {scoped}.",
            "It would be wrong to say that {scoped}.",
            "There is no reason to think that {scoped}.",
            "I cannot say that {scoped}.",
        ),
        "validation": ("Nobody would think that {scoped}.", "It is wrong to think that {scoped}."),
        "test": ("I would not claim that {scoped}.", "Nobody could say that {scoped}."),
    },
    # Two negations, neither of them in the clause: it stands.
    "assertion": {
        "train": (
            "Nobody can deny that {stated}.",
            "I do not doubt that {stated}.",
            "I have no doubt that {stated}.",
            "There is no denying that {stated}.",
            "It cannot be denied that {stated}.",
            "Nobody doubts that {stated}.",
        ),
        "validation": ("I would never deny that {stated}.", "There is no doubt that {stated}."),
        "test": ("Nobody would deny that {stated}.", "There can be no doubt that {stated}."),
    },
    # The clause after the turn wins.
    "contrast": {
        "train": (
            "{rival}, but {verdict}.",
            "{rival}, yet {verdict}.",
            "{rival}; nevertheless, {verdict}.",
            "I admit that {rival}, but on the whole {verdict}.",
            "It is true that {rival}, yet in the end {verdict}.",
            "Perhaps {rival claim}, but I must say that {verdict}.",
            "{rival}; all in all, however, {verdict}.",
            "I know that {rival}, but {verdict} all the same.",
        ),
        "validation": (
            "{rival}, but in the end {verdict}.",
            "It may be true that {rival claim}, yet {verdict}.",
        ),
        "test": (
            "I know that {rival}, yet all in all {verdict}.",
            "Perhaps {rival claim}; on the whole, however, {verdict}.",
        ),
    },
    # The same over two sentences.
    "turn": {
        "train": (
            "{rival}. However, {verdict}.",
            "{rival}. And yet {verdict}.",
            "{rival}. Still, {verdict}.",
            "{rival}. Nevertheless, {verdict}.",
            "At first I thought that {rival claim}. Then I saw that {verdict}.",
            "I admit that {rival}. All in all, though, {verdict}.",
            "It may be that {rival claim}. In the end, however, {verdict}.",
        ),
        "validation": (
            "{rival}. All the same, {verdict}.",
            "I know that {rival}. And yet, on the whole, {verdict}.",
        ),
        "test": (
            "It is true that {rival}. Still, in the end {verdict}.",
            "At first {rival}. Then, however, {verdict}.",
        ),
    },
    # What stands under "although" yields, first or last.
    "concession first": {
        "train": (
            "Although {rival}, {verdict}.",
            "Even though {rival}, {verdict}.",
            "While {rival}, I must say that {verdict}.",
            "Though I admit that {rival}, {verdict}.",
            "Even if {rival}, on the whole {verdict}.",
            "While it is true that {rival}, {verdict}.",
        ),
        "validation": (
            "Though {rival}, in the end {verdict}.",
            "Even though I know that {rival}, {verdict}.",
        ),
        "test": ("Although I admit that {rival}, {verdict}.", "Even if it is true that {rival}, {verdict}."),
    },
    "concession last": {
        "train": (
            "{verdict}, although {rival}.",
            "{verdict}, even though {rival}.",
            "{verdict}, though I admit that {rival}.",
            "On the whole {verdict}, even if {rival}.",
            "In the end {verdict}, although I know that {rival}.",
            "I must say that {verdict}, while it is true that {rival}.",
        ),
        "validation": (
            "All in all, {verdict}, though {rival}.",
            "{verdict}, even though I know that {rival}.",
        ),
        "test": (
            "I must say that {verdict}, although {rival}.",
            "{verdict}, even if it is true that {rival}.",
        ),
    },
    "despite": {
        "train": (
            "In spite of the {anti} {part}, {verdict}.",
            "Despite the {anti} {part}, {verdict}.",
            "{verdict}, despite the {anti} {part}.",
            "For all the {anti} {part}, {verdict}.",
            "Even with the {anti} and {anti2} {part}, on the whole {verdict}.",
        ),
        "validation": ("{verdict}, in spite of the {anti} {part}.",),
        "test": (
            "{verdict}, for all the {anti} and {anti2} {part}.",
            "Despite the {anti} {part}, in the end {verdict}.",
        ),
    },
    # Of two evaluations one is rejected by name; which one, the order and the little words tell.
    "correction": {
        "train": (
            "{aspect is} {adj} rather than {anti}.",
            "{aspect is} not {anti} but {adj}.",
            "{aspect is} {adj}, not {anti}.",
            "{whole is} {np}, not {antinp}.",
            "{whole is} not {antinp} but {np}.",
            "{whole is} {np} rather than {antinp}.",
            "Rather than {anti}, {aspect is} {adj}.",
            "{whole} turned out to be {np} instead of {antinp}.",
            "{aspect is} not so much {anti} as {adj}.",
        ),
        "validation": ("I call {whole} {np}, not {antinp}.", "{aspect is} {adj} instead of {anti}."),
        "test": (
            "{whole} turned out to be not {antinp} but {np}.",
            "I call {aspect} {adj} rather than {anti}.",
        ),
    },
    # "not only" negates nothing.
    "addition": {
        "train": (
            "{aspect is} not only {adj} but also {adj2}.",
            "{aspect is} not just {adj} but {adj2} as well.",
            "{aspect is} not merely {adj}; {own}.",
            "Not only {is aspect} {adj}, but {own}.",
            "{whole is} not only {adj} but {np} as well.",
            "{whole is} not just {np}; {own}.",
        ),
        "validation": (
            "{aspect is} not merely {adj} but also {adj2}.",
            "Not merely {is aspect} {adj}, but {own}.",
        ),
        "test": ("{aspect is} not merely {adj} but {adj2} as well.", "{whole is} not only {np}; {own}."),
    },
    # Others may say what they like.
    "opinion first": {
        "train": (
            "{who} called {it} {antinp}; I call it {np}.",
            "{who} found {aspect} {anti}; to me {claim}.",
            "{who} said that {rival claim}, but {verdict}.",
            "{who} {antiliked} {it}; I did not.",
            "{who} did not {like} {it}, but I did.",
            "Whatever {who} may say about the {anti} {part}, {verdict}.",
            "{who} may call {it} {antinp}, yet {verdict}.",
            "According to {who}, {rival claim}; I think that {claim}.",
        ),
        "validation": (
            "{who} said that {rival claim}; I say that {claim}.",
            "It is true that {who} {antiliked} {it}, yet {verdict}.",
        ),
        "test": (
            "{who} may think that {rival claim}; I say that {claim}.",
            "{who} {antiliked} {it}, but I did not.",
        ),
    },
    "opinion last": {
        "train": (
            "I call {it} {np}, while {who} called it {antinp}.",
            "{verdict}, whatever {who} may say about the {anti} {part}.",
            "I {liked} {it}; {who} did not.",
            "I did not {antilike} {it}, but {who} did.",
            "{verdict}, no matter that {who} found it {anti}.",
            "I say that {claim}, though according to {who} {rival claim}.",
            "I find that {claim}, no matter that {who} said that {rival claim}.",
        ),
        "validation": (
            "I {liked} {it}, although {who} did not.",
            "I say that {claim}, whatever {who} may say.",
        ),
        "test": (
            "{verdict}, though {who} called it {antinp}.",
            "I did not {antilike} {it}, while {who} did.",
        ),
    },
    "expectation": {
        "train": (
            "I expected {antinp} and got {np}.",
            "I had been told to expect {antinp}; what I got was {np}.",
            "Instead of {antinp} I found {np}.",
            "I came for {antinp} and was left with {np}.",
            "I got {np}, not the {antinoun} that I had expected.",
            "I was prepared for {antinp}, yet what I found was {np}.",
            "Where I had expected {anti} {parts}, {aspect is} {adj}.",
            "What I found was {np} and not {antinp} at all.",
        ),
        "validation": (
            "I had expected {antinp}; I was left with {np}.",
            "I found {np} where I had been told to expect {antinp}.",
        ),
        "test": ("What I expected was {antinp}; what I found was {np}.", "I came for {antinp} and got {np}."),
    },
    # Falling short of what was feared is good, of what was hoped for is bad.
    "hedge less": {
        "train": (
            "{whole is} less {anti} than I had {fear anti}.",
            "{aspect is} not as {anti} as I had {fear anti}.",
            "{aspect is} far less {anti} than I had {fear anti}.",
            "{aspect is} nowhere near as {anti} as {who} had said.",
            "{aspect is} less {anti} than {who} had told me.",
        ),
        "validation": ("{aspect is} by far less {anti} than I had {fear anti}.",),
        "test": (
            "{aspect is} far less {anti} than {who} had said.",
            "{whole is} nowhere near as {anti} as I had {fear anti}.",
        ),
    },
    "hedge equal": {
        "train": (
            "{whole is} no less {adj} than I had {fear adj}.",
            "{aspect is} just as {adj} as I had {fear adj}.",
            "{aspect is} every bit as {adj} as I had {fear adj}.",
            "{aspect is} quite as {adj} as {who} had said.",
            "{aspect is} no less {adj} than {who} had told me.",
        ),
        "validation": ("{aspect is} in no way less {adj} than I had {fear adj}.",),
        "test": (
            "{aspect is} every bit as {adj} as {who} had said.",
            "{whole is} quite as {adj} as I had {fear adj}.",
        ),
    },
    # What would have been is not what is.
    "counterfactual": {
        "train": (
            "{whole} could have been {antinp}; as it {is}, {verdict}.",
            "{whole} might easily have been {antinp}, and it {is} not.",
            "Had {aspect} been {anti}, I would have called {it} {antinp}.",
            "{whole} would have been {antinp} if {aspect} had not been so {adj}.",
            "{whole} came close to being {antinp}, but in the end {verdict}.",
            "With {anti} {parts}, {whole} would have been {antinp}.",
        ),
        "validation": ("{whole} might have been {antinp}; as it {is}, {verdict}.",),
        "test": (
            "{whole} could easily have been {antinp}, and it {is} not.",
            "If {aspect} had been {anti}, {whole} would have been {antinp}.",
        ),
    },
    # Another work is judged beside this one.
    "comparison": {
        "train": (
            "Where {other} was {anti}, {whole is} {adj}.",
            "{other} was {antinp}; {whole is} {np}.",
            "Unlike {other}, which was {anti}, {whole is} {adj}.",
            "{whole is} as {adj} as {other} was {anti}.",
            "{whole is} {adj}, which {other} never was.",
            "After {other}, which was {antinp}, I found {whole} {adj}.",
        ),
        "validation": ("{whole is} {np}, where {other} was {antinp}.",),
        "test": (
            "Unlike {other}, {whole is} {np} and not {antinp}.",
            "{whole is} as {adj} as {other} was {anti} and {anti2}.",
        ),
    },
}
