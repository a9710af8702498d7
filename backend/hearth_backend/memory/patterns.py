"""The sentences by which people tell facts, as patterns. Pure data: `rules` reads them.

A group `v` is the value, `vs` a list of values, `s` the subject, `end` a value that held until now, `day` a day,
`role` a trade beside a workplace, `about` what a favourite or an account is about.
"""

import re
from dataclasses import dataclass
from typing import Final, Literal

from hearth_backend.memory.days import DAY

When = Literal["now", "past"]
_CAP: Final = r"(?-i:[A-ZÀ-ÖØ-Þ])"
_NAME: Final = (
    rf"(?:(?-i:(?:Dr|Prof|Mr|Mrs|Ms|St)\. )?{_CAP}[\w'&-]*(?<!')"
    rf"(?: (?:(?-i:of|de|la|van|von|der|den|du|am|and the) )?{_CAP}[\w'&-]*)*)"
)
_FIRST: Final = rf"(?:{_CAP}[\w'-]+(?: {_CAP}[\w'-]+)?)"
_PLAIN: Final = r"(?:[\w+#.&/'-]+(?: [\w+#.&/'-]+){0,4})"
_NOT_IT: Final = (
    r"(?!(?:it|them|that|this|these|those|how|when|what|why|where|to|your?|you|the|"
    r"to|his|her|him|up|being|myself|all|"
    r"everything|nothing|something|anything|one|not|my|as|if|where|working|our|a lot|no)\b)"
)
_TOOL: Final = (
    rf"(?:{_CAP}[\w+#.-]*(?: (?:{_CAP}[\w+#.-]*|\d[\w.]*))*|[a-z][\w+-]*\d[\w.]*|uv|git|tmux|vim|zsh|fish|bash)"
)
_AND: Final = r"(?:, | and |, and | und | et | y )"
_LIST_OF = "(?:{0})(?:" + _AND + "(?:a bit of |some )?(?:{0}))*"
_NAMES: Final = _LIST_OF.format(_NAME)
_FIRSTS: Final = _LIST_OF.format(_FIRST)
_TOOLS: Final = _LIST_OF.format(_TOOL)
_THINGS: Final = _LIST_OF.format(_NOT_IT + r"[\w'-]+(?: (?!and\b|but\b|because\b|so\b|when\b)[\w'-]+){0,3}")
_STOP: Final = (
    r"(?=$|[,;:()–]| (?:now|currently|these days|near|by|close|yesterday|last|this|a|two|three|recently|though|"
    r"too|as well|obviously|by the way|btw|since|for|with|in|on|at|and|but|as|anymore|"
    r"any more|seit|depuis|desde)\b)"
)
_LAST: Final = (
    r"(?: (?:now|too|as well|though|a lot|very much|these days|obviously|by the way|"
    r"anymore))?,?(?: obviously| by the way)?$"
)
_PLACE: Final = rf"(?P<v>{_NAME}){_STOP}"
_TRADES: Final = (
    "nurse doctor teacher engineer developer programmer designer architect lawyer journalist writer author editor "
    "student researcher scientist professor lecturer consultant accountant baker chef cook carpenter plumber "
    "electrician mechanic pilot photographer musician artist painter translator librarian manager analyst "
    "administrator pharmacist dentist therapist psychologist physicist chemist biologist mathematician "
    "statistician economist farmer gardener firefighter paramedic midwife veterinarian physiotherapist "
    "salesperson freelancer"
).replace(" ", "|")
_ADJECTIVES: Final = r"(?:(?!bit\b|little\b)[\w-]+ ){0,2}"
_GAMES: Final = (
    (
        "cello piano violin viola guitar bass drums flute clarinet saxophone trumpet trombone harp organ accordion "
        "hockey football soccer tennis basketball volleyball handball badminton squash golf rugby cricket chess go "
        "bridge baseball ice hockey table tennis ukulele oboe banjo"
    )
    .replace("ice hockey table tennis", "ice_hockey table_tennis")
    .replace(" ", "|")
    .replace("_", " ")
)
_I: Final = r"(?:i|we)"
RELATIONS: Final = {
    "wife": "partner", "husband": "partner", "partner": "partner", "girlfriend": "partner", "boyfriend": "partner",
    "fiancée": "partner", "fiancé": "partner", "son": "child", "daughter": "child", "mother": "mother",
    "mum": "mother", "mom": "mother", "father": "father", "dad": "father", "sister": "sibling",
    "brother": "sibling", "friend": "friend", "best friend": "friend", "colleague": "colleague",
    "coworker": "colleague", "boss": "manager", "manager": "manager", "supervisor": "manager", "doctor": "doctor",
    "gp": "doctor", "dog": "pet", "cat": "pet", "rabbit": "pet", "hamster": "pet", "parrot": "pet", "horse": "pet",
    "frau": "partner", "mann": "partner", "freundin": "partner", "sohn": "child", "tochter": "child",
    "mutter": "mother", "vater": "father", "schwester": "sibling", "bruder": "sibling", "chef": "manager",
    "chefin": "manager", "hund": "pet", "katze": "pet", "kollege": "colleague", "kollegin": "colleague",
}  # fmt: skip
_RELATION: Final = "|".join(sorted(RELATIONS, key=len, reverse=True))


@dataclass(frozen=True, slots=True)
class Pattern:
    """A sentence that tells `predicate`; `when` says
    whether a day in it is when the fact began."""

    predicate: str
    regex: re.Pattern[str]
    when: When = "now"


def _pattern(predicate: str, text: str, when: When = "now") -> Pattern:
    return Pattern(predicate, re.compile(text, re.IGNORECASE), when)


FIRST_PERSON: Final = (
    _pattern(
        "name",
        r"^(?:my (?:full )?name is|i am called|i'm called|mein name ist|ich heiße|je "
        rf"m'appelle|me llamo) (?P<v>{_NAME})",
    ),
    _pattern("nickname", rf"^(?:(?:you can )?call me|people call me|my nickname is) (?P<v>{_CAP}[\w'-]+)$"),
    _pattern("email", r"^my (?:new )?e-?mail(?: address)? is (?:now )?(?P<v>[\w.+-]+@[\w-]+(?:\.[\w-]+)+)"),
    _pattern("phone", r"^my (?:new )?(?:phone|mobile|cell)(?: number)? is (?:now )?(?P<v>\+?[\d][\d ()/-]{5,}\d)"),
    _pattern("address", r"^my (?:new )?(?:home |postal )?address is (?P<v>[^?!]*\d[^?!]*)$"),
    _pattern("website", r"^my (?:website|homepage|blog) is (?:at )?(?P<v>https?://\S+|[\w-]+(?:\.[\w-]+)+)"),
    _pattern("birthday", rf"^my birthday is (?:on )?(?P<day>{DAY})"),
    _pattern("birthday", rf"^i was born (?:on )(?P<day>{DAY})"),
    _pattern("age", r"^(?:i'm|i am) (?P<v>\d{1,3})(?: years old)$"),
    _pattern("timezone", r"^my time ?zone is (?P<v>[A-Z][\w/+-]+)"),
    _pattern(
        "lives_in",
        rf"^(?:{_I} (?:currently |still |now )?(?:live|reside)|{_I}(?:'m| am|'re| are) "
        rf"(?:now )?living) in {_PLACE}",
    ),
    _pattern(
        "lives_in",
        rf"^{_I}(?:'ve| have)? (?:just |recently )?(?:moved|relocated) (?:from {_NAME} "
        rf")?to {_PLACE}", "past",
    ),
    _pattern("lives_in", rf"^ich wohne (?:jetzt )?in {_PLACE}"),
    _pattern("lives_in", rf"^ich lebe (?:jetzt )?in {_PLACE}"),
    _pattern("lives_in", rf"^j'habite (?:à|en|au) {_PLACE}"),
    _pattern("lives_in", rf"^vivo en {_PLACE}"),
    _pattern("lives_in", rf"\bnot in (?P<end>{_NAME}) any ?more"),
    _pattern("lives_in", rf"^i used to live in (?P<end>{_NAME})"),
    _pattern("born_in", rf"^(?:i was born in|ich bin in) {_PLACE}(?:geboren)?"),
    _pattern("comes_from", rf"^(?:i'm|i am|i come) (?:originally )?from (?P<v>{_NAME})(?: originally)?$"),
    _pattern(
        "works_at",
        rf"^i (?:currently |now )?work (?:at|for) (?P<v>{_NAME}){_STOP}(?:(?: as an? (?P<role>[a-zà-ÿ][\w "
        r"-]*?))?(?=$|[,;]| (?:in|at|on|and|but|since|now)\b))?",
    ),
    _pattern(
        "works_at",
        r"^i (?:start|started|begin|began)(?: work| working| my job| a job)? (?:at|with) "
        rf"(?P<v>{_NAME})(?: on (?P<day>{DAY}))?$", "past",
    ),
    _pattern(
        "works_at",
        rf"^i(?:'ve| have)? (?:just |recently )?joined (?P<v>{_NAME})(?: as an? (?P<role>[a-z][\w "
        r"-]*))?$", "past",
    ),
    _pattern(
        "works_at",
        rf"^ich arbeite (?:jetzt )?bei (?:der |dem )?(?P<v>{_NAME})(?: als (?P<role>{_CAP}\w+))?(?=$|"
        r"[,;])",
    ),
    _pattern("works_at", rf"^trabajo en (?P<v>{_NAME})"),
    _pattern(
        "works_as",
        r"^(?:i work as|i'm working as|i am working as) an? (?P<v>[a-z][\w -]*?)(?=$|"
        r"[,;]| (?:in|at|for|and|but)\b)",
    ),
    _pattern(
        "works_as",
        rf"^(?:i'm|i am) (?:an?|the) (?P<v>{_ADJECTIVES}(?:{_TRADES}))(?=$|[,;]| (?:in|"
        r"at|for|by|from|and)\b)",
    ),
    _pattern(
        "works_as",
        r"^(?:i'm|i am) (?:the )?(?P<v>(?:treasurer|secretary|chair(?:man|woman|person)?|"
        r"president|head|founder|co-founder|owner|ceo|cto|captain|director|maintainer) "
        r"of [\w' &-]+)$",
    ),
    _pattern("works_as", rf"^ich (?:bin|arbeite als) (?P<v>{_CAP}\w+(?:in|er|ist|istin|ent|eur|arzt|ärztin))(?=$|,)"),
    _pattern("allergic_to", rf"^(?:i'm|i am) (?:severely |badly |also )?allergic to (?P<vs>{_THINGS}){_LAST}"),
    _pattern("allergic_to", rf"^ich bin allergisch gegen (?P<vs>{_THINGS})$"),
    _pattern(
        "diet",
        r"^(?:i'm|i am|ich bin) (?:an? )?(?:strict )?(?P<v>vegetarian|vegan|pescatarian|"
        r"vegetarier(?:in)?|veganer(?:in)?|lactose[- ]intolerant|gluten[- ]intolerant)" + _LAST,
    ),
    _pattern(
        "diet",
        r"^i (?:never eat|don't eat|do not eat) (?P<no>(?!it\b|that\b|much\b|there\b|"
        r"here\b)[a-z]+(?: [a-z]+)?)$",
    ),
    _pattern("likes", rf"^(?:i|ich) (?:really |also |just )?(?:like|love|enjoy|adore) (?P<vs>{_THINGS}){_LAST}"),
    _pattern("likes", rf"^ich (?:mag|liebe) (?!kein|nicht|es\b|das\b|dich\b)(?P<vs>{_THINGS})(?: sehr)?$"),
    _pattern(
        "dislikes",
        r"^i (?:really |also )?(?:don't like|do not like|hate|dislike|can't stand|cannot "
        rf"stand|detest|don't enjoy) (?P<vs>{_THINGS}){_LAST}",
    ),
    _pattern("dislikes", rf"^(?:i'm|i am) not (?:a (?:big )?fan of|fond of|into) (?P<v>{_NOT_IT}{_PLAIN}){_LAST}"),
    _pattern("dislikes", r"^ich mag kein(?:e|en)? (?P<v>[\w-]+)$"),
    _pattern(
        "prefers",
        rf"^i (?:generally |usually |always )?prefer (?P<v>{_NOT_IT}{_PLAIN} (?:over|to|"
        rf"rather than|instead of) [\w+#.&/'-]+(?: [\w+#.&/'-]+){{0,3}}?)(?= in |$|,)",
    ),
    _pattern(
        "prefers",
        rf"^i (?:generally |usually |always )?prefer (?P<v>{_NOT_IT}[\w+#-]+(?: [\w+#-]+){{0,3}}){_LAST}",
    ),
    _pattern("prefers", r"^je préfère (?P<v>(?:le |la |les |l')[\w' -]+)$"),
    _pattern(
        "prefers",
        r"^always (?P<v>(?:answer|reply|respond|write to me|speak|talk to me|address "
        r"me|greet me) [\w' -]+)$",
    ),
    _pattern(
        "favourite",
        r"^my (?:favou?rite|preferred) (?P<about>[a-z][\w ]{1,40}?) (?:is|are) (?:now "
        r")?(?P<v>(?!not\b|to\b|the one\b|when\b|that\b)[\w+#.'& -]{1,60})$",
    ),
    _pattern("account", rf"^my (?P<about>{_CAP}[\w.-]+) (?:handle|user ?name|account) is @?(?P<v>[\w.@-]+)$"),
    _pattern(
        "uses",
        rf"^{_I}(?: (?:mostly |mainly |always |usually |now |still |also )?use|'re using|"
        rf"'m using| are using| am using) (?P<vs>{_TOOLS})(?=$|,| (?:on|as|for|in|at|with|"
        r"and|every|though|now|to|instead)\b)",
    ),
    _pattern("uses", rf"^{_I}(?:'ve| have)? (?:just |recently )?switched from (?P<end>{_TOOL}) to (?P<v>{_TOOL})"),
    _pattern("uses", rf"^{_I}(?:'ve| have)? (?:just |recently )?switched to (?P<v>{_TOOL})"),
    _pattern(
        "uses",
        rf"^{_I} (?:stopped using|no longer use|don't use|do not use) (?P<end>{_TOOL})(?=$|"
        r",| any ?more)",
    ),
    _pattern(
        "works_at",
        rf"^i (?:no longer work|don't work|do not work|stopped working) (?:at|for) (?P<end>{_NAME})(?: "
        r"any ?more)?",
    ),
    _pattern("works_at", rf"^i (?:left|quit|resigned from) (?P<end>{_CAP}[\w&-]+(?: {_CAP}[\w&-]+)*)$"),
    _pattern("works_at", rf"^ich arbeite nicht mehr bei (?P<end>{_NAME})"),
    _pattern("lives_in", rf"^i (?:no longer live|don't live|do not live) in (?P<end>{_NAME})(?: any ?more)?"),
    _pattern("lives_in", rf"^ich wohne nicht mehr in (?P<end>{_NAME})"),
    _pattern("likes", rf"^i (?:no longer like|don't like) (?P<end>{_NOT_IT}{_PLAIN}) any ?more$"),
    _pattern("owns", rf"^i (?:own|bought|have bought) an? (?P<v>(?:[\w-]+ ){{0,4}}[\w-]+(?: in {_NAME})?)$"),
    _pattern("owns", rf"^i (?:drive|ride) an? (?P<v>{_NAME})$"),
    _pattern(
        "speaks",
        rf"^(?:i|ich) (?:can )?(?:also )?(?:speak|spreche) (?:fluent )?(?P<vs>{_NAMES})(?=$|"
        r"[,.]| (?:and|fluently|at)\b)",
    ),
    _pattern(
        "learns",
        rf"^(?:i'm|i am|ich lerne) (?:currently )?learning (?P<vs>{_NAMES})(?=$|,| (?:at|"
        r"on|with|and|because|right)\b)",
    ),
    _pattern(
        "studies",
        r"^i stud(?:y|ied) (?P<v>(?!the\b|it\b|this\b|that\b|at\b|in\b)[a-z]+(?: [a-z]+)?)(?=$|"
        r" (?:in|at) )",
    ),
    _pattern("plays", rf"^i (?:also )?play (?:the )?(?P<v>{_GAMES})\b"),
    _pattern("member_of", rf"^(?:i'm|i am) (?:also )?a member of (?:the )?(?P<v>{_NAME})$"),
    _pattern("decided", r"^we(?:'ve| have)? (?:finally )?decided to (?P<v>[a-z][^,;?!]{2,80})$"),
    _pattern(
        "child",
        r"^(?:i|we) have (?:\w+ )?(?:kids|children|sons?|daughters?|child|twins),? (?:named "
        rf"|called )?(?P<vs>{_FIRSTS})$",
    ),
    _pattern(
        "pet",
        r"^(?:i|we)(?: also)? (?:have|own|got) an? (?:\w+ )?(?:dog|cat|rabbit|hamster|"
        rf"parrot|horse|puppy|kitten) (?:named|called) (?P<v>{_FIRST}){_LAST}",
    ),
)  # fmt: skip

RELATED: Final = (
    re.compile(
        rf"^(?:my|our|meine?|unsere?) (?:older |younger |big |little |new |old )?(?P<rel>{_RELATION})(?:'s "
        rf"name)? (?:is(?: called| named)?|heißt) (?P<v>{_NAME})(?=$|,|;)", re.IGNORECASE,
    ),
    re.compile(
        rf"^(?:my|our|meine?|unsere?) (?:older |younger |big |little |new |old )?(?P<rel>{_RELATION}),? "
        rf"(?P<v>{_FIRST})(?=$|[,' ])", re.IGNORECASE,
    ),
    re.compile(rf"^(?P<v>{_FIRST}) is my (?:\w+ )?(?P<rel>{_RELATION})\b", re.IGNORECASE),
)  # fmt: skip
"""The speaker's people and animals, by name."""

_WHO: Final = (
    r"(?P<s>(?!(?:the|they|he|she|it|we|you|my|our|this|that|there|who|everyone|someone|"
    rf"somebody|everybody|i)\b){_FIRST}|(?:my|our) (?:mother|father|mum|mom|dad|parents|"
    r"sister|brother|wife|husband|partner|son|daughter|boss|grandmother|grandfather|"
    r"uncle|aunt))"
)
OTHERS: Final = (
    _pattern("lives_in", rf"^{_WHO} (?:lives?|is living|are living) in {_PLACE}"),
    _pattern("lives_in", rf"^{_WHO} (?:has |have )?(?:just |recently )?moved to {_PLACE}", "past"),
    _pattern("works_at", rf"^{_WHO} works? (?:at|for) (?P<v>{_NAME}){_STOP}(?: as an? (?P<role>[a-z][\w -]*))?"),
    _pattern("works_as", rf"^{_WHO} works? as an? (?P<v>[a-z][\w -]*?)(?=$|[,;]| (?:in|at|for|and|but)\b)"),
    _pattern("works_as", rf"^{_WHO} is an? (?P<v>{_ADJECTIVES}(?:{_TRADES}))$"),
    _pattern("comes_from", rf"^{_WHO} (?:is|are|comes?) (?:originally )?from (?P<v>{_NAME})$"),
    _pattern("plays", rf"^{_WHO} plays? (?:the )?(?P<v>{_GAMES})\b"),
    _pattern("allergic_to", rf"^{_WHO} (?:is|are) allergic to (?P<vs>{_THINGS})$"),
    _pattern("email", rf"^(?P<s>{_FIRST})'s e-?mail(?: address)? is (?P<v>[\w.+-]+@[\w-]+(?:\.[\w-]+)+)"),
    _pattern("phone", rf"^(?P<s>{_FIRST})'s (?:phone|mobile)(?: number)? is (?P<v>\+?[\d][\d ()/-]{{5,}}\d)"),
    _pattern("birthday", rf"^(?P<s>{_FIRST})'s birthday is (?:on )?(?P<day>{DAY})"),
)  # fmt: skip
"""What is told of somebody who has a name, or of a relative."""

_THING: Final = r"(?:the|our|my|this) (?P<s>[a-z][\w-]*(?: (?!is\b|are\b|ends\b|on\b)[\w-]+){0,3}?)"
_ADDRESS: Final = (
    r"(?:https?://\S+|~?/[\w./~-]+|[\w-]+(?:\.[\w-]+){1,}(?::\d+)?(?:/\S*)?|\d{1,3}(?:\.\d{1,3}){3}(?::\d+)?)"
)
THINGS: Final = (
    _pattern("ends_on", rf"^{_THING} (?:ends|expires|runs out) (?:on |in )?(?P<day>{DAY})(?!\w)(?! of every)"),
    _pattern("due_on", rf"^{_THING} (?:is|are) due (?:on |by |in )?(?P<day>{DAY})(?! of every)(?=$|[,;]| at\b)"),
    _pattern(
        "happens_on",
        rf"^{_THING} (?:is|are|starts|leaves|departs|takes place|begins) (?:on )(?P<day>{DAY})(?=$|"
        r"[,;]| (?:at|in|from)\b)",
    ),
    _pattern(
        "happens_at",
        rf"^{_THING} (?:is|starts|begins) at (?P<v>\d{{1,2}}(?::\d\d)?(?: ?[ap]m)? (?:every|"
        r"each|on) [\w ]+)$",
    ),
    _pattern(
        "located_at",
        rf"^{_THING} (?:is|lives|runs|is hosted|is located|sits) (?:at|in|under|on) (?P<v>{_ADDRESS})$",
    ),
    _pattern("name", rf"^{_THING} (?:is called|is named) (?P<v>{_CAP}[\w-]+)$"),
    _pattern("name", rf"^(?:the|our) (?P<s>[a-z]+)(?:'s)? (?:code ?)?name is (?P<v>{_CAP}[\w-]+)$"),
)  # fmt: skip
"""What is told of a thing: where it is, when it ends."""

ALIAS: Final = re.compile(
    rf"^(?P<s>{_NAME}) is (?:also (?:known as|called)|short for|the same (?:person )?as) (?P<v>{_NAME})$",
    re.IGNORECASE,
)
"""An explicit statement that two names are one."""
