"""What tells that an answer is not for others, by language: a cause, signs of it, and what excuses them.

Rules are tried in order on the text in lower case, its spaces single; a sign is a regular expression of whole words,
one a line. A further language is a further row. They catch what is said plainly; the rest is left to `worth_head.py`.
"""

from typing import Literal

from msgspec import Struct

Cause = Literal["time", "personal", "chance", "context", "act"]


class Rule(Struct, frozen=True):
    """Signs of one cause; a text with one of `unless` is excused."""

    cause: Cause
    signs: str
    unless: str = ""


_CODE = """
python|java|javascript|typescript|rust|golang|sql|bash|shell|php|ruby|cron|git|excel|regex|pandas|linux
keyword|function|variable|loop|directory|timestamp|datetime|array|in go|in c
"""
_QUOTED = """
["“'](\\w+ )*(today|yesterday|tomorrow|now|my|current|random)( \\w+)*["”']
"""
_GENERAL = """
^how (do|can|could|should|would|to)
^why (is|are|does|do|can|will)
^(what|which|when|where|how (often|much|many|long)) (should|do|can|may|must) i(?! (still )?(have|get|owe))
^(can|may|should|must|could) i
^what happens
^what if
"""

ENGLISH = (
    Rule(
        "personal",
        r"""
        iban|[a-z]{2}\d{2}( ?\d{4}){3,}\d{0,3}|\d{6,}
        (no\.?|nr\.?|number|order|ticket|invoice|account|customer|employee|case|claim) #?\d{4,}
        [\w.+-]+@[\w-]+\.\w+
        """,
        "speed|population|number of|metres?|years?",
    ),
    Rule(
        "personal",
        r"""
        (^|[.!?] )(i am|i'm|i have|i've|i live|i work|i was|i need|my name is|my \w+ (is|are|was|has))
        (have|did|am|was|had|were) i
        i (ordered|paid|bought|sent|said|asked|told|gave|wrote|signed)
        i (gave|sent|showed|told) you|did you (get|receive)
        """,
        r"""
        ^how (do|can)|^can|^may|^what happens|^what if
        if i
        """,
    ),
    Rule(
        "personal",
        """
        i (still )?(have|get) left|i still
        do i (still )?(have|owe|get)|have i still
        """,
        "^how do|^what do i do",
    ),
    Rule(
        "personal",
        "me|or me|of us",
        "(tell|give|show|help|remind|explain|let|recommend|suggest|to|for|surprise|wake) me",
    ),
    Rule("personal", "my|mine", _GENERAL + _QUOTED),
    Rule("personal", "^why (was|were|did|has|have) (my|i)"),
    Rule(
        "act",
        """
        ^(please )?(book|order|cancel|send|email|call|phone|remind|schedule|transfer|pay|block|unblock|deploy|run)
        ^(please )?(restart|start|stop|add|remove|delete|create|reserve|approve|reject|change|update|report)
        ^(please )?(subscribe|unsubscribe|buy|submit|upload|forward|reply|invite|assign|move|open|close|wake|mail)
        ^(please )?(set (a|an|the|my)|turn (on|off)|switch (on|off)|make an? (appointment|reservation|booking))
        """,
        r".*\?$",
    ),
    Rule(
        "chance",
        r"""
        at random|random(ly)?|surprise me|something (else|different)|flip a coin|roll (a|two|the|some) di\w+
        pick (a|one|some|someone)|think of a|make up|made[- ]up|come up with|brainstorm|invent|jokes?
        (give|tell|show|suggest) me another|^another|one more
        ^(please )?(write|generate|compose|draft) (\w+ )*(poem|story|song|rhyme|uuid|password)
        """,
        """
        random (forest|variable|walk|access|sampl\\w+|effects?|seed|field)
        ^how (do|can|does|to)|^what|^why|^who
        """,
    ),
    Rule(
        "context",
        r"""
        ^(and|but|or|so|then|also|ok|okay|yes|no|thanks|thank you|sure|really|right|exactly)
        ^(continue|go on|tell me more|more|again|why|why not|how so|what else|anything else)([ ,]*please)?[.?!]*$
        ^the \w+ one([ ,]*please)?[.?!]*$
        ^(what|how) about
        the same|the above|as above|previous(ly)?|you (said|mean|meant|told|mentioned|wrote)|again
        (explain|say|do|repeat|make|put|translate|rewrite|summari[sz]e|shorten) (that|this|it|them|the last part)
        (the|that|this|which|the other|the (first|second|third)) ones?
        (both|all|some|any|which|one) of (them|those|these)
        (first|second|third|last) line|(far|away|back) from there
        """,
        "(the )?same (as|bonus|time)",
    ),
    Rule(
        "context", "him|them|those|these|then[.?!]*$", f"^(what|who) (are|were) (those|these)|them (are|who)\n{_CODE}"
    ),
    Rule(
        "context",
        r"""
        ^(is|are|was|were|does|do|did|can|should|will|would|has|have) (it|he|she|they|that|this|his|her|their|its)
        ^(how|why|when|where|what|which|who)( (much|many|long|far|old|often))? \w+ (i )?(it|he|she|they|that|this|his)
        ^(why|when|where|what|who) \w+ her
        (is|does|do|did|leave|get|about|from|fit|for) (it|that|there|he|she|they|this)[.?!]*$
        """,
        r"""
        it('s)? (is |was |were )?(\w+er |more |less )?\w* ?(to|for|that|if|than|when|from|until|on) \w+
        it (is )?(rains?|snows?|raining|snowing|going to)|is there[.?!]*$|if (it|he|she|they)|does it (take|mean)
        """,
    ),
    Rule(
        "time",
        """
        today|tonight|tomorrow|yesterday|right now|at the moment|at present|currently|these days|nowadays|up to date
        this (very )?(morning|afternoon|evening|week|weekend|month|year|semester|season|quarter|summer|winter)
        this (spring|autumn)
        (next|last|coming) (week|weekend|month|year|night|season|quarter|holiday|elections?|\\w+day)
        as of|so far this|breaking news|upcoming|yet[.?!]*$
        \\d+ (minutes?|hours?|days?|weeks?|months?|years?) ago|since (yesterday|last|\\w+day)
        """,
        f"""
        day after tomorrow|song yesterday|^what does
        ^(how (do|can|to))\\b.*\\b({"|".join(_CODE.split())})
        {_QUOTED}
        """,
    ),
    Rule("time", r"now(?!\()", "now\\(\\)|^(what does|how do|how can)"),
    Rule(
        "time",
        r"(current|present) (?!directory|working|user|date in|law|limiter|in a)\w+|latest|newest|most recent",
        "^how (do|can|is|to)|^what does|defined|orders?|sort(ed)?|rows?|commit",
    ),
    Rule(
        "time",
        "weather|forecast|pollen count|temperature outside",
        "climate|usually|generally|normally|made|means?|venus|mars|difference|works?|^how is",
    ),
    Rule(
        "time",
        """
        exchange rate|(share|stock) price|price of (gold|oil|silver|bitcoin|gas|wheat|electricity)|a share of|bitcoin
        markets? (close|open)|in stock|on sale|sale end|best rate
        """,
        "^what (is|are) (an?|the difference)|^how (is|are|does|do)|^why|stand for|means?",
    ),
    Rule(
        "time",
        """
        what (time|day|date) is it|next (game|match|train|tram|bus|flight|meeting|update|release|election)
        next (home|town|paper)
        is open|open now|in the news|the news|number one|top of the table|on call|on duty|on tv|on television|for lunch
        in cinemas|in season|(going to|will it) (rain|snow)|raining|snowing|rumours|injured|live (match|score)|delayed
        still (available|supported|open)|working again|is \\w+ down|how long until
        days (are there )?until|(are|seats) left
        """,
        "^what does|^how (do|can|to)|rule",
    ),
    Rule(
        "time",
        """
        ^who( is|'s| are) (the )?(current )?(president|prime minister|chancellor|king|queen|pope|ceo|coach|mayor)
        ^who( is|'s| are) (the )?(current )?(world )?champion
        ^how old is (?!the (universe|earth|sun|moon))
        """,
    ),
)

RULES: dict[str, tuple[Rule, ...]] = {"english": ENGLISH}
