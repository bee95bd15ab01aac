"""What a citizen will not tell, small talk, and parts of the world, as patterns of words with a blank around each."""

import re
from collections.abc import Mapping

_PLACE = r"(?:city|town|country|nation|state|place|metropolis|home ?town)"
REFUSED: Mapping[str, re.Pattern[str]] = {
    "letters": re.compile(
        r" (?:letters?|spell\w*|syllables?|anagram|initials?|rhymes?|vowels?|consonants?|acronym|abbreviation|"
        r"(?:start|begin|end)s? with|alphabetical\w*|airport code|area code|zip code|postal code) "
    ),
    "name": re.compile(
        rf" (?:names? (?:of|for) (?:your|the|this|that|my|our|its?) (?:\w+ )?(?:{_PLACE}|home\w*|capital)|"
        rf"(?:{_PLACE}|citys|countrys|towns|its) (?:real |full )?names?|"
        rf"(?:what|which) (?:is (?:the|your) )?(?:exact )?{_PLACE} "
        r"(?:is (?:it|this|that)|is your (?:city|town|home) in|are you|do you (?:live|come|reside)|am i|was it|it is|"
        r"you are|were you|youre|your city|$)|"
        r"where (?:are|do) you (?:come )?from|where you (?:are|come) from|where were you born|where is home|"
        rf"(?:it|{_PLACE}) (?:is )?(?:called|named)|what (?:do|would) you call|called again|nick ?name\w*|"
        r"(?:tell|give|reveal|say|show|name|disclose|share) (?:me |us )?(?:what |which )?"
        r"(?:the |your |its |that |this )?(?:\w+ )?"
        r"(?:name|answer|secret|city|country|hometown|solution)(?: you| now| please| is)* "
        r"(?!known|famous|like|is known|is famous|have|has|was|were|about|located)|"
        r"what(?: is|s)? the (?:answer|secret|solution)|what(?: is|s)? the (?:city|country) $|"
        r"(?:which|what) (?:city|country) $|"
        r"whats? (?:is )?your (?:city|country|hometown|nationality|citizenship) $|your nationality|"
        r"(?:ignore|disregard|forget|override) (?:all |any |the |your |my |previous )|system prompt|your instructions|"
        r"the name of it|its name|your country be|hidden (?:city|word)|say yes)"
    ),
    "people": re.compile(
        r" (?:who (?:is|was|are|were|comes|came) |celebrit\w+|well known person|born in your city|"
        r"famous (?:person|people|resident|son|figure|singer|actor|author|player|athlete|leader|musician|artist)\w*|"
        r"(?:your|the) (?:mayor|president|king|queen|leader|prime minister) (?:name|called)|"
        r"notable (?:people|person|figure)\w*|which (?:actor|singer|writer|author|player)s? )"
    ),
}
SMALL = {
    "hello": re.compile(
        r"^ (hi|hello|hey|good (morning|evening|day|afternoon)|greetings|how are you)( there| friend)? "
    ),
    "thanks": re.compile(r"^ (thanks|thank you|cheers|great|ok|okay|i see|cool)( very much| so much| a lot)? $"),
}
WHO_RULES = re.compile(r" who (is|are) (the|your) (president|king|queen|leader)|who (rules|governs) ")

PLACES = {
    "Southeast Asia": r"south ?east(?:ern)? asian?|asean",
    "East Asia": r"(?:north ?)?east(?:ern)? asian?|far east",
    "South Asia": r"south(?:ern)? asian?|indian subcontinent|subcontinent",
    "Central Asia": r"central asian?",
    "the Middle East": r"middle east(?:ern)?|west(?:ern)? asian?|near east",
    "Asia": r"asian?",
    "Western Europe": r"west(?:ern)? europe(?:an)?",
    "Eastern Europe": r"east(?:ern)? europe(?:an)?",
    "Central Europe": r"central europe(?:an)?",
    "Southern Europe": r"south(?:ern)? europe(?:an)?|mediterranean europe",
    "Northern Europe": r"north(?:ern)? europe(?:an)?|scandinavian?|nordic",
    "Europe": r"europe(?:an)?|european union|eu",
    "North Africa": r"north(?:ern)? african?|maghreb",
    "West Africa": r"west(?:ern)? african?",
    "East Africa": r"east(?:ern)? african?",
    "Central Africa": r"central african?",
    "South Africa": r"southern african?",
    "Africa": r"african?(?! republic)",
    "North America": r"north(?:ern)? american?",
    "South America": r"south american?",
    "Central America": r"central american?",
    "Latin America": r"latin american?|hispanic",
    "the Americas": r"(?:the )?americas|american continent",
    "the Caribbean": r"caribbean",
    "Oceania": r"oceania|australasia|pacific islands?",
    "Antarctica": r"antarctica?",
    "the northern hemisphere": r"north(?:ern)? hemisphere|north of the equator",
    "the southern hemisphere": r"south(?:ern)? hemisphere|south of the equator|below the equator",
    "the western hemisphere": r"west(?:ern)? hemisphere",
    "the eastern hemisphere": r"east(?:ern)? hemisphere",
    "the tropics": r"tropics|(?:near|close to|on|at) the equator",
}
