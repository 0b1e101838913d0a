"""What reviews are about: ten domains with their kinds of thing, parts, evaluations and neutral scenes."""

from typing import NamedTuple

from .words import split_list


class Facet(NamedTuple):
    """Parts of a thing that take the same adjectives.

    Attributes:
        singular: Parts that take "is": plot, final chapter.
        plural: Parts that take "are": jokes, supporting roles.
        adjectives: Bad ones (index 0) and good ones (index 1).
    """

    singular: tuple[str, ...]
    plural: tuple[str, ...]
    adjectives: tuple[tuple[str, ...], tuple[str, ...]]


class Domain(NamedTuple):
    """One kind of thing that is reviewed.

    Attributes:
        things: Names for the whole: film, thriller.
        facets: Groups of parts.
        scenes: Neutral sentences, by split; no split sees those of another.
    """

    things: tuple[str, ...]
    facets: tuple[Facet, ...]
    scenes: dict[str, tuple[str, ...]]


def _facet(singular: str, plural: str, bad: str, good: str) -> Facet:
    return Facet(split_list(singular), split_list(plural), (split_list(bad), split_list(good)))


_STAFF = _facet(
    "staff, woman at the door, manager, host, trainee, man at the desk",
    "porters, cashiers, hosts, attendants, trainees",
    """surly, inattentive, grumpy, brusque, sullen, snooty, impolite, unfriendly, rude, unhelpful,
    arrogant, bossy""",
    """attentive, friendly, polite, courteous, helpful, gracious, obliging, considerate, cheerful, patient,
    hospitable, kind""",
)

DOMAINS = (
    Domain(
        split_list("film, movie, thriller, comedy, western, drama, documentary, sequel, romance"),
        (
            _facet(
                """plot, dialogue, acting, script, ending, story, opening scene, final act, narration,
                direction, camera work""",
                """characters, performances, scenes, twists, supporting roles, flashbacks, two leads,
                monologues""",
                """dull, clumsy, wooden, shallow, muddled, predictable, contrived, lifeless, hackneyed,
                lazy, implausible, ponderous, stilted, flat""",
                """gripping, witty, subtle, inventive, convincing, clever, tender, daring, stylish,
                intelligent, touching, imaginative, nimble, moving""",
            ),
        ),
        {
            "train": (
                "The story follows a {job} from {city} who finds a {colour} {object}.",
                "{whole} runs for {number} minutes and is set in {city}.",
                "We sat in row {number} with {name} and a bag of popcorn.",
                "Most of it was shot near a {place} in {month}.",
                "The cinema in {city} shows it every {day}.",
            ),
            "validation": ("{whole} follows {name}, a {job} who finds a {object} near the {place}.",),
            "test": ("We sat with a {job} from {city}, and most of it was set near a {place}.",),
        },
    ),
    Domain(
        split_list("novel, book, biography, memoir, mystery, saga, travelogue, anthology, paperback"),
        (
            _facet(
                """prose, first chapter, final chapter, narrator, translation, middle section, language,
                heroine, preface, style, author""",
                "chapters, descriptions, letters, portraits, digressions, conversations, essays, footnotes",
                """turgid, wordy, pretentious, rambling, stale, repetitive, tangled, leaden, pompous,
                formulaic, overwrought, bloated, derivative, monotonous""",
                """lyrical, elegant, vivid, thoughtful, lucid, absorbing, eloquent, insightful, readable,
                perceptive, original, graceful, compelling, profound""",
            ),
        ),
        {
            "train": (
                "{whole} tells of a {job} who leaves {city} with {number} coins and a {object}.",
                "{name} lent it to me in {month}.",
                "I read it on the {vehicle} to {city}.",
                "The cover shows a {colour} {object} in front of a {place}.",
                "{whole} has {number} chapters and a map of {city}.",
            ),
            "validation": ("{name} read it on the {vehicle} in {month}.",),
            "test": ("{whole} tells of {number} letters from {city} and of a {job} with a {object}.",),
        },
    ),
    Domain(
        split_list("bistro, restaurant, diner, trattoria, steakhouse, tavern, cafe, pizzeria, brasserie, canteen"),
        (
            _facet(
                """soup, fish, bread, dessert, sauce, salad, breakfast, main course, lamb, pasta, risotto,
                stew, omelette""",
                "dumplings, vegetables, oysters, potatoes, noodles, starters, pancakes, mussels, beans",
                """bland, greasy, soggy, overcooked, tasteless, stodgy, rubbery, watery, burnt, tepid,
                undercooked, oily, insipid, indigestible""",
                """delicious, tasty, fresh, flavourful, savoury, juicy, crisp, fragrant, appetising,
                aromatic, mouthwatering, wholesome, luscious, nourishing""",
            ),
            _STAFF,
        ),
        {
            "train": (
                "We were {hour} at a table beside the {place} window.",
                "{name} ordered the {hour} course menu and a jug of water.",
                "The kitchen opens at {hour} on a {day}.",
                "{whole} stands between a {place} and a {place}.",
                "The tablecloths are {colour} and the chairs {colour}.",
            ),
            "validation": ("{name} ordered water at a table beside the {place}.",),
            "test": ("We ordered a jug of water at {hour}, and {name} had the menu.",),
        },
    ),
    Domain(
        split_list("hotel, inn, guesthouse, hostel, resort, lodge, motel, cottage, chalet"),
        (
            _facet(
                """room, bathroom, lobby, bed, breakfast room, terrace, balcony, lounge, sauna, dining
                room, wardrobe, staircase, kitchenette""",
                "rooms, corridors, beds, curtains, armchairs, sofas, hallways, bunks",
                """grubby, shabby, cramped, musty, damp, gloomy, draughty, dingy, filthy, mouldy, smelly,
                dusty, stuffy, uncomfortable""",
                """cosy, spotless, comfortable, spacious, inviting, tidy, bright, airy, luxurious, homely,
                restful, welcoming, pristine, sunny""",
            ),
            _STAFF,
        ),
        {
            "train": (
                "We stayed for {number} nights in {month}.",
                "We slept on floor {hour}, above the {place}.",
                "A {vehicle} goes from the lobby to the {place}.",
                "{name} had booked it from {city}.",
                "The building is {colour} and was once a {place}.",
            ),
            "validation": ("We had booked {number} nights above the {place}.",),
            "test": ("{name} stayed on floor {hour}, and the {vehicle} was from {city}.",),
        },
    ),
    Domain(
        split_list("concert, recital, gig, festival, symphony, serenade, matinee, jam session"),
        (
            _facet(
                """singing, playing, first half, second half, encore, solo, rhythm section, choir,
                orchestra, band, finale, percussion""",
                "ballads, solos, singers, arrangements, harmonies, violins, backing vocals, drummers",
                """shrill, muffled, listless, tuneless, sluggish, ragged, grating, plodding, strident,
                discordant, tinny, halfhearted, jarring, hoarse""",
                """melodious, passionate, energetic, soulful, spirited, exhilarating, expressive, hypnotic,
                stirring, radiant, vibrant, rousing, mellow, virtuosic""",
            ),
        ),
        {
            "train": (
                "The hall in {city} holds {number} hundred people.",
                "They played {number} pieces and a song about a {job}.",
                "{name} stood beside a man with a {object}.",
                "The stage was {colour} and the piano {colour}.",
                "{whole} began at {hour} on a {day}.",
            ),
            "validation": ("They played in {city} for {number} hundred people on a {day}.",),
            "test": ("The song about the {job} began at {hour}, and {name} stood by the stage.",),
        },
    ),
    Domain(
        split_list("play, tragedy, farce, staging, revival, pantomime, musical, one-woman show"),
        (
            _facet(
                """first act, second act, timing, prologue, epilogue, chorus, leading man, leading lady,
                delivery, set design, humour""",
                "actors, dialogues, costumes, dances, minor roles, duets, scene changes, speeches",
                """stagey, laboured, wearisome, mannered, amateurish, hollow, strained, corny, unfunny,
                creaky, hammy, aimless, confused, soporific""",
                """poignant, lively, assured, dazzling, affecting, captivating, playful, spellbinding,
                nuanced, magnetic, ingenious, hilarious, powerful, polished""",
            ),
        ),
        {
            "train": (
                "A {job} and a {job} meet on a {place} in {city}.",
                "The curtain rises on a {colour} sofa and a {object}.",
                "There is one interval after act {hour}.",
                "{name} had the seat behind mine.",
                "The theatre is {hour} stops from the {place}.",
            ),
            "validation": ("The curtain rises on a {job} with a {object}.",),
            "test": ("There is a {colour} sofa in act {hour}, and a {job} had the seat behind {name}.",),
        },
    ),
    Domain(
        split_list("camera, phone, laptop, tablet, smartwatch, console, e-reader, satnav"),
        (
            _facet(
                """display, battery, software, interface, design, touchscreen, microphone, casing, speaker,
                keyboard, hinge, power button""",
                "buttons, controls, menus, speakers, sensors, cables, shortcuts, clips",
                """flimsy, buggy, fragile, unreliable, awkward, fiddly, laggy, faulty, wobbly, cumbersome,
                unresponsive, erratic, brittle, impractical""",
                """reliable, sturdy, responsive, intuitive, durable, sleek, practical, handy, precise,
                robust, efficient, versatile, ergonomic, accurate""",
            ),
        ),
        {
            "train": (
                "{whole} came in a {colour} box with {number} screws.",
                "I carried it in a {object} for {number} weeks.",
                "{name} uses the {colour} model at the {place}.",
                "I ordered it from a shop in {city} in {month}.",
                "{whole} weighs as much as {number} eggs.",
            ),
            "validation": ("I ordered the {colour} one from a {place} in {month}.",),
            "test": ("{name} carried the {colour} box with {number} screws to the {place}.",),
        },
    ),
    Domain(
        split_list("exhibition, museum, gallery, retrospective, collection, installation, biennial, showroom"),
        (
            _facet(
                """lighting, layout, audio guide, first room, catalogue, main hall, selection, sculpture
                garden, signage, east wing""",
                """paintings, sculptures, photographs, captions, drawings, mosaics, videos, landscapes,
                sketches""",
                """drab, cluttered, incoherent, patchy, confusing, colourless, uninformative, haphazard,
                chaotic, superficial, murky, unimaginative, garish, baffling""",
                """illuminating, instructive, stunning, colourful, fascinating, evocative, striking,
                exquisite, luminous, informative, enlightening, beguiling, arresting, accessible""",
            ),
            _STAFF,
        ),
        {
            "train": (
                "{whole} fills {number} rooms of a former {place}.",
                "One wall shows a {job} with a {colour} {object}.",
                "Tickets are sold at the {place} until {month}.",
                "{name} took {number} pictures of a {object}.",
                "{whole} moves to {city} in {month}.",
            ),
            "validation": ("{whole} fills a former {place} in {city} until {month}.",),
            "test": ("One wall of the {number} rooms shows a {place} and a {object}.",),
        },
    ),
    Domain(
        split_list("game, puzzle, adventure, platformer, shooter, expansion, card game, board game"),
        (
            _facet(
                """level design, combat, tutorial, gameplay, difficulty curve, first level, final level,
                campaign, trading system, scoring""",
                """puzzles, quests, rules, missions, levels, boss fights, riddles, dungeons, mechanics,
                races""",
                """unfair, glitchy, unbalanced, jerky, convoluted, unplayable, unfinished, lopsided,
                uninspired, mindless, sterile, clunky, samey, senseless""",
                """addictive, balanced, immersive, thrilling, exciting, fair, smooth, engaging, fluid,
                atmospheric, diverting, innovative, polished, fluent""",
            ),
        ),
        {
            "train": (
                "You lead a {job} through {number} valleys.",
                "The map shows a {place}, a {place} and a {colour} tower.",
                "{name} and I played it for {hour} evenings.",
                "Every player starts with a {object} and {number} coins.",
                "{whole} was made by {number} people in {city}.",
            ),
            "validation": ("Every player starts at a {place} with {number} coins.",),
            "test": ("You lead {name} the {job} through a {colour} tower in {hour} evenings.",),
        },
    ),
    Domain(
        split_list("tour, walk, cruise, excursion, boat trip, day trip, hike, safari"),
        (
            _facet(
                """route, commentary, itinerary, schedule, lunch stop, programme, introduction, second leg,
                ride home""",
                "stops, anecdotes, explanations, breaks, detours, stories, briefings",
                """rushed, disorganised, tiring, stressful, hurried, slapdash, uninteresting, wearying,
                bewildering, unplanned, disjointed""",
                """relaxed, leisurely, stimulating, educational, invigorating, edifying, varied, amusing,
                carefree, uplifting, soothing""",
            ),
            _STAFF,
        ),
        {
            "train": (
                "We met at the {place} at {hour} in the morning.",
                "The group had {number} people and a {job} from {city}.",
                "A {vehicle} took us past the {place}.",
                "{name} carried a {colour} {object} so that we could follow.",
                "We stopped at a {place} for {number} minutes.",
            ),
            "validation": ("A {job} with a {colour} {object} met us at the {place}.",),
            "test": ("The {vehicle} stopped at {hour} in {city}, past the {place}.",),
        },
    ),
)
