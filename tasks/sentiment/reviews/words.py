"""The words that every domain shares: evaluations that fit anything, people, places and negators.

Evaluative words are middling on purpose: `not dull` and `far from charming` read as a verdict, `not awful`
does not. Each pair of lists holds words for the good (index 1) and for the bad (index 0), so that
`ADJECTIVES[polarity]` picks a side.
"""


def split_list(text: str) -> tuple[str, ...]:
    """Cuts a comma-separated list, which may run over several lines, into its entries."""
    return tuple(" ".join(entry.split()) for entry in text.split(","))


# Fit a whole work as well as any part of it, be it a soup, a waiter or an encore.
ADJECTIVES = (
    split_list("""bad, poor, disappointing, mediocre, forgettable, annoying, irritating, unpleasant,
        feeble, tiresome, inadequate, disagreeable, dismal, unremarkable, unsatisfactory, weak,
        unimpressive, unappealing, tedious, lamentable"""),
    split_list("""good, impressive, excellent, pleasing, remarkable, memorable, delightful, lovely,
        admirable, pleasant, agreeable, wonderful, commendable, outstanding, likeable, charming,
        appealing, splendid, noteworthy, marvellous"""),
)

# Fit only the whole: nobody calls a waiter worthwhile.
WHOLE_ADJECTIVES = (
    split_list("boring, pointless, overrated, overpriced, dreary, unsatisfying, unrewarding, needless"),
    split_list("enjoyable, worthwhile, special, satisfying, rewarding, refreshing, recommendable, entertaining"),
)

NOUNS = (
    split_list("""bore, mess, disaster, disappointment, failure, chore, letdown, flop, nuisance, ordeal,
        waste of time, mistake, fiasco, nightmare, mishap, muddle, torment"""),
    split_list("""gem, joy, delight, triumph, treat, pleasure, masterpiece, success, marvel, revelation,
        treasure, wonder, stroke of luck, bargain, jewel, blessing, highlight"""),
)

# (base, past) of what the author feels: "I enjoyed it", "I did not resent it".
FEELINGS = (
    (
        ("regret", "regretted"),
        ("dislike", "disliked"),
        ("hate", "hated"),
        ("resent", "resented"),
        ("detest", "detested"),
    ),
    (("enjoy", "enjoyed"), ("like", "liked"), ("love", "loved"), ("admire", "admired"), ("adore", "adored")),
)

# (base, past) of what a part does to the author: "the plot bored me", "the soup failed to please me".
EFFECTS = (
    (
        ("bore", "bored"),
        ("annoy", "annoyed"),
        ("irritate", "irritated"),
        ("tire", "tired"),
        ("disappoint", "disappointed"),
        ("frustrate", "frustrated"),
        ("exhaust", "exhausted"),
        ("bother", "bothered"),
    ),
    (
        ("charm", "charmed"),
        ("delight", "delighted"),
        ("amuse", "amused"),
        ("please", "pleased"),
        ("thrill", "thrilled"),
        ("cheer", "cheered"),
        ("impress", "impressed"),
        ("enchant", "enchanted"),
    ),
)

# What is feared is bad, what is hoped for is good: "less dull than I had feared", "no less lively than I had hoped".
ANTICIPATIONS = (split_list("feared, dreaded"), split_list("hoped, wished"))

ADVERBS = split_list("very, truly, really, thoroughly, rather, simply, utterly")
# They hold a negation and yet negate nothing: "never anything but dull" is dull.
KEEPERS = split_list("never anything but, nothing if not")
# What is called by these names is so (index 0), or is not (index 1).
CALLS = (
    split_list("I would call, you could only call, anyone would call, I have to call"),
    split_list("I would not call, you could not call, nobody could call, I could never call"),
)
NEGATORS = split_list("""not, never, hardly, far from, anything but, by no means, not at all, not in the
    least, nowhere near, not remotely, in no way, scarcely""")
# "I did not hate it" is faint praise, "I did not hate it at all" is praise.
AT_ALL = split_list("at all, in the least, for a moment, one bit, in any way")
NOUN_NEGATORS = split_list("no, hardly, anything but, by no means, not, far from being, never")

RELATIVES = split_list("""brother, sister, uncle, aunt, cousin, neighbour, colleague, mother, father,
    grandmother, nephew, niece, dentist, boss, flatmate, teacher, son, daughter, landlady, hairdresser,
    godfather, grandfather, stepsister, lodger, tenant, roommate""")
GROUPS = split_list("""the critics, most visitors, the newspapers, many people online, everyone at the
    office, two columnists, the local radio, three strangers, half the town, the students next door,
    several bloggers, both neighbours""")
NAMES = split_list("""Ada, Ahmed, Alma, Anton, Beatrix, Bruno, Carla, Chen, Clara, Dario, Dora, Edgar,
    Elif, Emil, Esther, Farid, Felix, Fiona, Frida, Greta, Gustav, Hana, Hugo, Ida, Imran, Ingrid, Ivan,
    Jonas, Judith, Kenji, Lara, Leila, Leon, Lucia, Magnus, Marta, Mila, Nadia, Nils, Nora, Olga, Omar,
    Oscar, Paula, Pedro, Priya, Rosa, Rufus, Samira, Selma, Simon, Stella, Tariq, Thea, Tobias, Ursula,
    Vera, Viktor, Wanda, Yusuf, Zoe, Agnes, Amir, Astrid, Axel, Basil, Cecil, Cleo, Cyril, Daphne,
    Edith, Elio, Enid, Fergus, Gilda, Harald, Henning, Irma, Jasper, Joaquin, Kaspar, Lionel, Ludwig,
    Maeve, Malik, Mireille, Niamh, Odette, Otto, Percy, Quentin, Ravi, Regina, Rolf, Saskia, Sven,
    Tamar, Tilda, Umberto, Violet, Winifred, Xenia, Yara""")
CITIES = split_list("""Aarhus, Athens, Bergen, Berlin, Bologna, Boston, Bremen, Bruges, Cairo, Cardiff,
    Chicago, Cork, Dakar, Delhi, Denver, Dublin, Florence, Geneva, Ghent, Glasgow, Graz, Hamburg, Hanoi,
    Helsinki, Kyoto, Lagos, Leeds, Lima, Lisbon, Lyon, Madrid, Malmo, Mumbai, Nairobi, Naples, Oslo,
    Porto, Prague, Quito, Riga, Rome, Seattle, Seoul, Seville, Tallinn, Toronto, Trieste, Tunis,
    Utrecht, Valencia, Vienna, Warsaw, York, Adelaide, Ankara, Antwerp, Basel, Belfast, Bilbao, Bogota,
    Bristol, Budapest, Calgary, Cologne, Dresden, Edinburgh, Exeter, Genoa, Gdansk, Havana, Innsbruck,
    Jakarta, Krakow, Lausanne, Leipzig, Linz, Manila, Marseille, Montreal, Odense, Osaka, Palermo,
    Perth, Rotterdam, Salzburg, Sofia, Split, Turin, Uppsala, Zagreb, Zurich""")
MONTHS = split_list("January, February, March, April, June, July, August, September, October, November, December")
DAYS = split_list("Monday, Tuesday, Wednesday, Thursday, Friday, Saturday, Sunday")
JOBS = split_list("""baker, carpenter, chemist, clerk, electrician, engineer, farmer, fisherman, gardener,
    geologist, journalist, lawyer, librarian, mechanic, midwife, nurse, optician, pharmacist, pilot,
    plumber, potter, sailor, surgeon, surveyor, tailor, translator, veterinarian, weaver, accountant,
    actuary, barber, beekeeper, bookbinder, bricklayer, butcher, caretaker, cobbler, cook, dancer,
    detective, diver, fireman, florist, glazier, goldsmith, hatter, interpreter, judge, locksmith,
    miner, notary, painter, photographer, postman, printer, roofer, saddler, shepherd, soldier,
    statistician, tiler, tutor, waiter, watchmaker""")
VEHICLES = split_list(
    """bus, tram, ferry, train, taxi, bicycle, metro, car, scooter, minibus, van, tractor, rowing boat,
    sleeper, cable car"""
)
HOURS = split_list("two, three, four, five, six, seven, eight, nine, ten, eleven, twelve")
NUMBERS = split_list(
    """three, four, five, six, seven, eight, nine, ten, eleven, twelve, fifteen, eighteen, twenty, thirty,
    forty"""
)
COLOURS = split_list("""red, blue, green, yellow, grey, brown, white, black, purple, orange, beige,
    turquoise""")
OBJECTS = split_list("""umbrella, notebook, suitcase, scarf, newspaper, raincoat, backpack, lantern,
    ladder, envelope, sandwich, thermos, map, basket, cushion, pencil, helmet, blanket, bucket,
    calendar, postcard, hat, guitar case, wheelchair, pram, kite, hammer, candle, violin case, spoon,
    mirror, torch, shovel, teapot, carpet, mug, trumpet, bell, globe, parcel, stamp album, jar, rope,
    chessboard, telescope, compass, hourglass, broom, typewriter, padlock, stool, birdcage, barrel,
    anchor, doll, feather""")
PLACES = split_list("""station, harbour, library, market, park, bridge, school, church, post office, town
    hall, hospital, bakery, fountain, lighthouse, cemetery, stadium, bank, pharmacy, car park, canal,
    university, windmill, quay, crossroads, airport, barracks, brewery, castle, chapel, courthouse,
    factory, farmhouse, garage, greenhouse, kiosk, laundry, orchard, pier, playground, reservoir,
    sawmill, shipyard, tunnel, warehouse, watchtower, zoo""")
