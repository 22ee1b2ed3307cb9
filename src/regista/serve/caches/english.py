"""English, as `lexicon.py` wants it. Tables alone."""

from regista.serve.caches.english_words import AXES, SAME
from regista.serve.caches.lexicon import Lexicon, Phrase, groups, measures, phrases, poles
from regista.text.stems import stem

_SURE = "the what which how does why when where who whose whom should could would must and with this than if it's"
_UNSURE = "is of for at to my we do did it be by has your our you i in can an are from will vs or not was on"
_FOREIGN = """
ist der das und nicht wie wann warum wer für mit ein eine welche kann man wird ich sie el los las que qué como cómo
cuándo dónde para con una por het een wat niet voor hoe wanneer waarom kan les des une est pas comment quel quelle
pourquoi où je il che di per come quando dove perché sono são não uma os du ce och att hur vad är på og ikke hvad hvor
jest nie jak czy gdzie
"""
_EXPAND = (
    (r"\b(what|who|where|when|why|how|that|it|there|here|he|she)'s\b", r"\1 is"),
    (r"\bcan't\b|\bcannot\b", "can not"),
    (r"\bwon't\b", "will not"),
    (r"n't\b", " not"),
    (r"'re\b", " are"),
    (r"'ll\b", " will"),
    (r"'ve\b", " have"),
    (r"'d\b", " would"),
    (r"\bi'm\b", "i am"),
    (r"\be-mail", "email"),
    (r"\bwi-fi\b", "wifi"),
    (r"°\s?c\b", " celsius"),
    (r"°\s?f\b", " fahrenheit"),
    (r"\bdegrees? (celsius|fahrenheit)\b", r"\1"),
    (r"€\s?([\d.,]*\d)", r"\1 euro"),
    (r"\$\s?([\d.,]*\d)", r"\1 dollar"),
    (r"£\s?([\d.,]*\d)", r"\1 sterling"),
    (r"%", " percent "),
    (r"\bkm/s\b", "kilometres per second"),
    (r"\bkm/h\b", "kilometres per hour"),
    (r"\b(node|vue|next|nuxt|express|react)\.js\b", r"\1"),
    (r"(?<=\w)\+\+", "plusplus"),
    (r"\b([cf])#", r"\1sharp"),
)
_COURTESIES = """
can you tell me, could you tell me, can you please tell me, could you please tell me, please tell me, tell me
can you explain, could you explain, please explain, explain to me, explain, can you describe, please describe, describe
do you know, does anyone know, i want to know, i would like to know, i need to know, i wonder, i was wondering
what do you know about, tell me about, give me an explanation of, remind me, can you remind me, say, please
hi, hello, hey, good morning, quick question, question, can you help me, could you help me, help me understand
is it true that, is it correct that, is it the case that
"""
_STOP = """
a an the this that these those of for on in at as is are was were be been being am do does did done doing have has had
having can could may might must should shall will would i me my mine myself we us our ours you your yours yourself he
him his she her it its itself they them their then there here one ones someone somebody anyone person people persons and
or so to into from by with about what which who whom whose when where why how if whether any some such own also just too
very please get gets getting got go goes going make makes made making give gives given giving let lets use uses used
using need needs needed needing want wants like take takes taking took taken put puts come comes came coming out up off
tell say says show shows through per most much many only ever still yet even else while during upon onto able allowed
permitted possible okay ok alright fine true case cases thing things something anything everything lot kind kinds sort
type types work works working mean means meaning happen happens exactly actually really easily usually normally
properly correctly generally typically way ways step steps method process procedure command guide tip tips idea explain
describe know find finds recommend recommended suggest suggested right proper correct sensible suitable example job task
tasks called different another whole hello hi hey thanks thank kindly becomes became become look looks seem seems serve
serves served lie lies belong belongs quite s t d ll m re ve each every all around well both etc im
than between see sees seen number numbers item items other others
"""
_PHRASES = """
turn on, turns on, turned on, turning on, switch on, switched on, switches on, put on = enable
turn off, turns off, turned off, turning off, switch off, switched off, switches off = disable
set up, sets up, setting up = setup
get rid of, gets rid of = remove
take out, takes out, taking out = withdraw
hand in, hands in, handing in = submit
send back, give back, bring back = return
call off = cancel
carry over, take over into = transfer
break up, split up = separate
sign off, signs off = approve
add up, adds up = sum
cash machine, cash machines = atm
two factor authentication, 2 factor authentication, two step verification, 2 step verification = 2fa
single sign on = sso
united states of america, united states, the us, u s, us president = usa president
united kingdom, great britain = uk
european union = eu
second world war, world war ii, world war two, world war 2 = ww2
first world war, world war i, world war one, world war 1 = ww1
free of charge, at no cost, for free, without paying, without a fee, without charge = costless
without an internet connection, without internet = offline
carry on, hand luggage, cabin baggage, cabin luggage, cabin bag, cabin bags, hand baggage = handluggage
at the same time = together
at once, in one go = atonce
side by side, next to = beside
as well as = and
most expensive = expensive
least expensive = cheapest
more expensive = dearer
less expensive = cheaper
most recent = newest
at most, at the most = maximum
at least = minimum
more than, greater than, no less than = over
less than, fewer than, no more than = under
long ago = ago
out of office, vacation responder, automatic reply = autoreply
back up, backs up, backing up = backup
log in, log on, sign in, logging in, signing in = login
log out, log off, sign out, logging out = logout
sign up, signing up = register
throw in, throw ins = throwin
go running, going running = run
part time, part timer, part timers = parttime
full time, full timer, full timers = fulltime
annual leave, vacation days, holiday entitlement = holiday
due date = due
time difference = timedifference
square root = sqrt
right now = now
by heart = memorise
in front of = before
as soon as = when
in order to = to
how about = what
a couple of = two
a pair of = two
half an hour = 30 minutes
a fortnight, two weeks, 2 weeks = 14 days
a year and a half = 18 months
do it yourself = diy
rid of = without
not including = excluding
get in touch with, reach out to, get hold of = contact
get back = recover
get started = start
kick off, kicks off = start
look up = search
look for = search
fill in, fill out = complete
throw away = discard
make sure = ensure
try on, try out = test
put off = postpone
put together = assemble
keep track of = track
speed up = accelerate
slow down = decelerate
break down = fail
set off = depart
take part in, take part = participate
in person = personally
as a gift = gift
on sale = discounted
out of stock = unavailable
in stock = available
sold out = unavailable
how come = why
dont, do not have to = not need
machine learning = ml
artificial intelligence = ai
instead of = insteadof
"""
_NUMBERS = """zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen
seventeen eighteen nineteen twenty"""
_LARGE = """thirty 30 forty 40 fifty 50 sixty 60 sixties 60 seventy 70 eighty 80 ninety 90 hundred 100 thousand 1000
million 1000000 billion 1000000000 dozen 12"""
_ORDINALS = "second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth"
_UNITS = """
second 1 seconds sec secs
second 0.001 millisecond milliseconds ms
second 60 minute minutes min mins
second 3600 hour hours hr hrs hourly
day 1 day days daily
day 7 week weeks weekly
month 1 month months monthly
month 12 year years yearly annual annually
metre 1 metre metres meter meters
metre 1000 kilometre kilometres kilometer kilometers km
metre 0.01 centimetre centimetres centimeter centimeters cm
metre 0.001 millimetre millimetres millimeter millimeters mm
mile 1 mile miles
foot 1 foot feet ft
inch 1 inch inches
yard 1 yard yards
gram 1 gram grams
gram 1000 kilogram kilograms kilo kilos kg
gram 0.001 milligram milligrams mg
ounce 1 ounce ounces oz
pound 1 pound pounds lb lbs
litre 1 litre litres liter liters
litre 0.001 millilitre millilitres ml
gallon 1 gallon gallons
cup 1 cup cups
celsius 1 celsius
fahrenheit 1 fahrenheit
kelvin 1 kelvin
byte 1 byte bytes
byte 1e3 kilobyte kilobytes kb
byte 1e6 megabyte megabytes mb
byte 1e9 gigabyte gigabytes gb
byte 1e12 terabyte terabytes tb
watt 1 watt watts
watt 1000 kilowatt kilowatts kw
euro 1 euro euros eur
dollar 1 dollar dollars usd
sterling 1 sterling gbp
franc 1 franc francs chf
yen 1 yen jpy
percent 1 percent
""".strip().splitlines()
_CALENDAR = """january february march april june july august september october november december monday tuesday
wednesday thursday friday saturday sunday spring summer winter christmas easter morning afternoon evening noon midnight
weekend weekends weekday weekdays"""
_KINDS = """
when, what time, what date, which date, what day, which day, what year, which year, in what year, in which year = when
on which day, what month, which month, in which month, in what month, by which day, by what date, which season = when
where, whereabouts = where
who, whom, whose, which person, by whom = who
why, how come, for what reason, for what reasons, what is the reason, what are the reasons, what makes, what made = why
what causes, what caused, what are the causes, what were the causes, what is the cause, what led to, what keeps = why
how many, what number of, what is the number of = many
how much = much
how much is, how much are, how much does it cost, what does it cost, what is the price, how expensive = much cost
how long, how many minutes, how many hours, how many days, how many weeks, how many months, how many years = long
for how many days, what is the length, how much time, what is the duration, for how long, within how many days = long
after how long, how long do i have, how many days until, for how many years = long
how often, how frequently, how many times, what is the interval, at what interval = often
how old, at what age, what age, what is the age = old
how far, what is the distance, what distance = far
how fast, what is the speed, what speed = fast
how big, how large = size
how high, how tall, at what height, what is the height = high
how heavy, what is the weight, what does it weigh = heavy
how hot, how cold, at what temperature = hot
how early = early
how, what is the way, what are the steps, what do i have to do, what must i do, what do i do, what do i need to do = how
what is the command, which command, what is the process, what is the procedure, how to, what is the method = how
"""
_ASKED = {
    "when": "date deadline birthday day year month",
    "where": "city country place location region continent address ocean capital",
    "who": "name country team club scientist artist painter composer director author man woman player person king",
    "many": "number population count amount quantity total maximum minimum limit allowance entitlement calories many",
    "much": "amount quantity cost price fee limit allowance rate share percentage intake consumption maximum minimum "
    "entitlement sum total balance budget weight",
    "long": "length duration period time lifespan interval deadline term window limit maximum minimum warranty",
    "often": "interval frequency times rhythm",
    "old": "age",
    "far": "distance range length",
    "fast": "speed pace velocity rate",
    "size": "size area population limit maximum minimum count dimensions capacity volume length",
    "high": "height altitude elevation rate level",
    "heavy": "weight mass",
    "hot": "temperature point",
    "early": "time",
}


def _words(table: str) -> frozenset[str]:
    return frozenset(table.split())


def _kinds(table: str) -> dict[Phrase, tuple[str, Phrase]]:
    return {phrase: (read[0], read[1:]) for phrase, read in phrases(table).items()}


ENGLISH = Lexicon(
    name="english",
    marks={word: 1.0 for word in _words(_SURE)} | {word: 0.5 for word in _words(_UNSURE)},
    foreign=_words(_FOREIGN),
    expand=_EXPAND,
    courtesies=tuple(sorted(phrases(f"{_COURTESIES.strip()}".replace("\n", ",") + " = x"), key=len, reverse=True)),
    auxiliaries=_words("is are was were am do does did can could may might must should shall will would has have had"),
    kinds=_kinds(_KINDS),
    asked={kind: frozenset(map(stem, words.split())) for kind, words in _ASKED.items()},
    phrases=phrases(_PHRASES),
    stop=_words(_STOP),
    negations=_words("not no never none nor nobody nothing neither except unless excluding"),
    stem=stem,
    same=groups(SAME, stem),
    poles=poles(AXES, stem),
    numbers={word: value for value, word in enumerate(_NUMBERS.split())}
    | {word: int(value) for word, value in zip(_LARGE.split()[::2], _LARGE.split()[1::2], strict=True)},
    ordinals={word: value for value, word in enumerate(_ORDINALS.split(), 2)},
    units=measures(_UNITS),
    calendar=_words(_CALENDAR),
    roles={"to": "to", "into": "to", "from": "of", "than": "than"},
    unordered=_words("and or between vs versus difference differ together both same"),
    turning=_words("by be been being of s"),
)
