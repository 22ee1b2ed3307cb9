"""How English answers decline, as a table of phrases. It knows nothing of who asks: no case, no conversation.

`{i}`, `{cannot}` and the like stand for the phrases of that name. Apostrophes are straight.
"""

import re
import unicodedata
from itertools import product

from regista.text.sentences import sentences


def _one_of(*phrases: str) -> str:
    return f"(?:{'|'.join(phrases)})"


_TO_BE = (" am", "'m", " are", "'re", " was", " were")
_UNABLE = ("unable to", *(f"not {word} to" for word in ("able", "allowed", "permitted", "going", "willing")))
_CANNOT = (
    *(" cannot", " can not", " can't", " could not", " couldn't", " will not", " won't", " should not", " shouldn't"),
    *(" would rather not", "'d rather not", " would prefer not to", "'d prefer not to", " decline to", " refuse to"),
    *(" must decline to", " have to decline to", " must refuse to", " have to refuse to"),
    *(" do not have the ability to", " don't have the ability to", " am not in a position to"),
    *(f"{be} {unable}" for be, unable in product(_TO_BE, _UNABLE)),
)
_ADVERBS = ("just", "simply", "really", "directly", "currently", "legally", "ethically", "also", "in good conscience")
# What someone who declines will not do. What must not follow makes the same words mean something else.
_ACTS = (
    *("assist", "provide", "share", "offer", "answer", "comply", "fulfil", "fulfill", "respond", "discuss", "disclose"),
    *("reveal", "comment", "engage", "participate", "support", "promote", "condone", "facilitate", "accommodate"),
    *("process", "proceed", "complete", "continue", "write", "create", "generate", "produce", "access", "talk about"),
    *("advise", "speculate", "go into that", "go into detail", "walk you through", "look (?:this|that|it) up"),
    r"help\b(?! (?:but|it|myself|\w+ing)\b)",
    r"do (?:that|this|so)\b(?! without| alone)",
    r"give\b(?! (?:up|in)\b)(?!.*\benough (?:stars|praise|credit|thanks))",
    r"tell you\b(?! how\b)",
    r"recommend\b(?!.*\benough\b)",
)
_PARTS = {
    "i": r"\b(?:i|we)",
    "not": "(?: not|n't)",
    "cannot": f"{_one_of(*_CANNOT)}(?: {_one_of(*_ADVERBS)})*",
    "act": rf"{_one_of(*_ACTS)}\b",
    "wrong": _one_of("not appropriate", "not ethical", "not acceptable", "inappropriate", "unethical", "irresponsible"),
    "it": _one_of("it", "this", "that", "the answer", "the information"),
    "fact": _one_of("information", "details?", "data", "mention", "answer", "context", "knowledge"),
    "about": _one_of("about", "on", "in", "for", "of", "regarding", "available", "to"),
    "source": _one_of(
        *("contexts?", "documents?", "texts?", "passages?", "sources?", "articles?", "excerpts?", "materials?"),
        *("information", "data", "results?", "pages?"),
    ),
    "says": _one_of(
        *("say", "state", "mention", "contain", "include", "specify", "provide", "answer", "cover", "give", "address"),
        *("tell", "list", "indicate", "name"),
    ),
    "given": _one_of(
        *("mentioned", "stated", "specified", "given", "found", "provided", "covered", "included", "available"),
        *("listed", "answered", "determined"),
    ),
}

_DECLINES = (
    r"(?:no,? )?(?:{i}{cannot}|(?:cannot|can't|won't|unable to)) {act}",
    r"[^.!?]*, but {i}{cannot} {act}",
    r"(?:for (?:\w+ ){1,2}reasons|as {i} (?:have|am|do)\b[^.!?,]*),? {i}{cannot} {act}",
    r"my (?:\w+ )?(?:guidelines|policies|policy|instructions|rules)"
    r"(?: do{not} (?:allow|permit|let)| forbid| prohibit)\b",
    r"no can do$",
    r"(?:no,? )?{i} (?:can't|cannot|won't|will not)$",
    r"(?:i'm|i am|we are) (?:only )?(?:designed|made|here|trained|meant) [^.!?]*{i}{cannot} {act}",
    r"(?:(?:i'm|i am) an? [^.!?]*\band )?(?:i )?do{not} (?:condone|promote|encourage)(?: or \w+)? any\b",
    r"{i}(?: will|'ll)? (?:must|have to|need to) (?:respectfully |politely )?(?:decline|refuse|pass)\b",
    r"{i} (?:respectfully |politely )?decline\b(?! to)",
    r"{i}(?: do| am|'m){not}(?: feel)? comfortable\b",
    r"{it}(?:'s| is) (?:not |n't )?something (?:that )?{i}(?: can| can't| cannot| won't|'m| am| are)\b",
    r"it(?:'s| is| would be) {wrong} (?:for (?:me|us)\b|to {act})",
    r"(?:that|this|your|the) (?:request|question) (?:goes against|is against|violates|breaks)\b",
)
"""How the first sentence of an answer that declines begins, after the courtesies."""

_ABSTAINS = (
    r"{i} do{not} know\b(?! (?:a|an|any|about|of|how|if)\b)",
    r"{i}(?:'m| am|'re| are) not (?:sure|certain)(?: (?:about|of) (?:that|this|it))?$",
    r"{i} do{not} (?:currently )?have (?:\w+ ){0,3}(?:{fact}|access)\b",
    r"{i} have no (?:idea|(?:\w+ )?{fact})\b",
    r"there(?:'s| is| are) (?:no|not enough|insufficient) (?:\w+ )?{fact} {about}\b",
    r"(?:the|this|these|those|your|none of the) (?:\w+ ){0,2}{source} (?:\w+ )?(?:do|does|did){not} (?:\w+ )?{says}\b",
    r"(?:{it}(?:'s| is) )?(?:not|nowhere) {given}\b",
    r"{it}(?:'s| is)?{not} (?:{given}|in (?:the|this|these|your|any)(?: \w+)? {source})\b",
    r"no (?:\w+ )?{fact} (?:(?:was|were|is|could be) )?(?:found|available|given|provided)\b",
    r"{i}(?: could not| couldn't| cannot| can't| did not| didn't| was unable to| were unable to)"
    r" (?:find|see|locate) (?:\w+ )?(?:{fact}|anything about)\b",
    r"(?:(?:this|that|it|the question) )?can ?not be {given}\b",
    r"(?:insufficient|not enough) {fact}\b",
    r"(?:it(?:'s| is) )?(?:unknown|unclear|no idea|n/a|unanswerable)$",
)
"""How the first sentence of an answer that is nothing but an abstention begins, after the courtesies."""

_COURTESIES = (
    r"{i}(?:'m|'re| am| are) (?:(?:so|very|really|truly|terribly) )?(?:sorry|afraid)"
    r"(?: (?:that|to hear)\b[^.!?]*?(?=,? but\b|[.!?]))?",
    r"sorry|unfortunately|regrettably|however|but|i hear you|(?:my )?(?:sincere )?apologies",
    r"i apologi[sz]e(?: for[^.,!?]*)?",
    r"{i} (?:understand|appreciate)\b[^.!?]*?(?=,? but\b|[.!?])",
    r"as an? (?:\w+ )*?(?:ai|assistant|chatbot)(?: (?:language )?(?:model|assistant))?",
    r"(?:thank you|thanks)\b[^.!?,]*",
    r"based on [^,.!?]*",
)
_CONTRAST = re.compile(r"[,;] (?:so|but|yet|though|which means|therefore|hence|thus|and)\b", re.IGNORECASE)
_READ = 1_000
_SHORT = 2


def _any_of(phrases: tuple[str, ...]) -> str:
    pattern = _one_of(*phrases)
    for name, part in _PARTS.items():
        pattern = pattern.replace(f"{{{name}}}", part)
    return pattern


_OPENING = re.compile(rf"(?:{_any_of(_COURTESIES)}[\s,.;:!—–-]+)*", re.IGNORECASE)
_DECLINED = re.compile(_any_of(_DECLINES), re.IGNORECASE)
_ABSTAINED = re.compile(_any_of(_ABSTAINS), re.IGNORECASE)


def declines(text: str) -> str:
    """Why a text is taken to decline, or nothing.

    >>> declines("I'm sorry, but I can't help with that. Try the office.")
    "it declines: I can't help"
    >>> declines("I can't help but admire him.")
    ''
    """
    unmarked = re.sub(r"[*_#>`]", "", text[: 4 * _READ]).replace("’", "'")
    plain = " ".join(unicodedata.normalize("NFKC", unmarked).split())[:_READ]
    begin = _OPENING.match(plain)
    rest = plain[begin.end() if begin else 0 :]
    spans = [rest[start:end].rstrip(" .!?") for start, end in sentences(rest)]
    first = spans[0] if spans else ""
    if said := _DECLINED.match(first):
        return f"it declines: {said[0]}"
    if len(spans) <= _SHORT and not _CONTRAST.search(first) and (said := _ABSTAINED.match(first)):
        return f"it abstains: {said[0]}"
    return ""
