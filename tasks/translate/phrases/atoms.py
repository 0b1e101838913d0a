"""The codes of what phrases speak of; CLDR has the words for them.

The tables are short on purpose: each code has to occur often enough in 20,000 phrases that a small network learns its
name. What one of two locales has no words for, or what is ambiguous in the source language, is left out by `Pair`.
"""


def _codes(text: str) -> tuple[str, ...]:
    return tuple(text.split())


TERRITORIES = _codes(
    """AR AT AU BE BG BO BR CA CH CL CN CO CU CZ DE DK EC EE EG ES ET FI FR GB GE GH GR HR HU ID IE IL IN IQ IR IS IT
    JM JP KE KR LB LT LU LV MA MN MT MX MY NG NL NO NP NZ PE PH PK PL PT PY RO RS RU SE SG SI SK SN TH TN TR TZ UA
    UG US UY VE VN ZA"""
)
LANGUAGES = _codes(
    """af am ar az be bg bn bs ca cs cy da de el en es et eu fa fi fr ga gl gu he hi hr hu hy id is it ja ka kk km ko
    lt lv mk mn mr ms my nl pa pl pt ro ru si sk sl sq sr sv sw ta te th tr uk ur uz vi zh zu"""
)
CURRENCIES = _codes(
    """ARS AUD BRL CAD CHF CLP CNY COP CZK DKK EUR GBP HUF IDR ILS INR ISK JPY KRW MXN MYR NOK NZD PEN PHP PLN RON RUB
    SEK SGD THB TRY UAH USD VND ZAR"""
)
UNITS = _codes(
    """area-hectare area-square-kilometer area-square-meter digital-gigabyte digital-megabyte duration-day
    duration-hour duration-minute duration-month duration-second duration-week duration-year electric-volt
    energy-kilocalorie energy-kilowatt-hour frequency-megahertz graphics-pixel length-centimeter length-foot
    length-inch length-kilometer length-meter length-mile length-millimeter length-nautical-mile light-lux
    mass-gram mass-kilogram mass-milligram mass-ounce mass-pound mass-tonne power-horsepower power-kilowatt
    power-watt pressure-hectopascal speed-kilometer-per-hour speed-meter-per-second speed-mile-per-hour
    temperature-celsius temperature-fahrenheit volume-cubic-meter volume-gallon volume-liter volume-milliliter
    volume-tablespoon volume-teaspoon"""
)
RATES = _codes(
    """duration-day duration-hour duration-minute duration-month duration-week duration-year area-square-meter
    length-kilometer length-meter mass-gram mass-kilogram volume-cubic-meter volume-liter"""
)
"""Units that something costs by: 3 euros per liter."""

MIXED = (
    ("duration-year", "duration-month", 12),
    ("duration-week", "duration-day", 7),
    ("duration-day", "duration-hour", 24),
    ("duration-hour", "duration-minute", 60),
    ("duration-minute", "duration-second", 60),
    ("length-kilometer", "length-meter", 1_000),
    ("length-meter", "length-centimeter", 100),
    ("length-foot", "length-inch", 12),
    ("mass-kilogram", "mass-gram", 1_000),
    ("mass-pound", "mass-ounce", 16),
)
"""Units that tell one amount together, the larger first, and how many of the smaller make one: 3 hours, 5 minutes."""
