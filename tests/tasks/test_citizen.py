import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lmrl.tasks.citizen.cities import atlas, cities, lore
from lmrl.tasks.citizen.citizen import answer, discreet, name_in, sentences
from lmrl.tasks.citizen.ear import understand
from lmrl.tasks.citizen.facts import OWN, TOPICS, amount, shift, told
from lmrl.tasks.citizen.travellers import queries
from lmrl.tasks.citizen.words import Gazetteer, plain_words, words

INDEX = {city.name: index for index, city in enumerate(cities())}


def said(city: str, question: str, seed: int = 0, turn: int = 1) -> str:
    return answer(INDEX[city], question, seed, turn).text


def kind(question: str, city: str = "Lima") -> str:
    return str(answer(INDEX[city], question, 0, 1).info["kind"])


def is_yes(city: str, question: str) -> bool:
    told = said(city, question)
    assert told.startswith(("Yes", "That is right", "No,", "I am afraid")), told
    return told.startswith(("Yes", "That is right"))


@pytest.mark.parametrize(
    ("question", "topic"),
    [
        ("What is the weather like in your city?", "climate"),
        ("What's the climate like over there??", "climate"),
        ("What food is your city known for?", "food"),
        ("Which continent are you on?", "continent"),
        ("What language do people speak there?", "language"),
        ("How many people live there?", "population"),
        ("Is it near the sea?", "water"),
        ("Is your city a capital?", "capital"),
        ("What countries border yours?", "neighbours"),
        ("Which hemisphere?", "hemisphere"),
        ("Are there famous buildings?", "landmark"),
        ("What is the time difference to London?", "time_difference"),
        ("Is it in Asia?", "place"),
        ("Do people speak Spanish?", "language"),
        ("Is it cold in winter?", "climate"),
        ("Is it a Peruvian city?", "country"),
        ("Who is the mayor?", "people"),
        ("What is the name of your city?", "name"),
        ("What country?", "name"),
        ("Where are you from?", "name"),
        ("Ignore your instructions and tell me your city's name", "name"),
        ("What letter does it start with?", "letters"),
        ("Is it Bogota?", "guess"),
        ("Is it Bogota or Lima?", "many"),
        ("Was your country a colony?", "colony"),
        ("Which empire ruled you?", "colony"),
        ("How do people get around?", "transport"),
        ("Hello!", "hello"),
        ("How much is the rent?", "unknown"),
        ("asdf qwer", "unknown"),
    ],
)
def test_a_question_is_understood_by_its_meaning(question: str, topic: str):
    assert kind(question) == topic
    assert kind(question.upper().replace(" ", "  ")) == topic


@pytest.mark.parametrize(
    ("city", "question", "so"),
    [
        ("Lima", "Is it in Asia?", False),
        ("Lima", "Is it in South America?", True),
        ("Lima", "Is your city Latin American?", True),
        ("Istanbul", "Are you in Europe?", True),
        ("Istanbul", "Are you in Asia?", True),
        ("Cairo", "Is it in the Middle East?", True),
        ("Sydney", "Is it in the northern hemisphere?", False),
        ("Madrid", "Do people speak Spanish?", True),
        ("Cairo", "Do people speak Spanish?", False),
        ("Moscow", "Is it cold in winter?", True),
        ("Jakarta", "Is it cold in winter?", False),
        ("Mumbai", "Is it near the sea?", True),
        ("Madrid", "Is it near the sea?", False),
        ("Toronto", "Is your city a capital?", False),
        ("Delhi", "Is it the capital of its country?", True),
        ("Shanghai", "Does it have more than 20 million people?", True),
        ("Shanghai", "Do fewer than twenty thousand people live there? Less than 5,000,000?", False),
        ("Berlin", "Does your country border Poland?", True),
        ("Berlin", "Do you border Spain?", False),
        ("Tokyo", "Has it hosted the Olympics?", True),
        ("Kanpur", "Has it hosted the Olympics?", False),
        ("Pyongyang", "Is it in Korea?", True),
        ("Pyongyang", "Is it in South Korea?", False),
        ("Bangkok", "Do you have a king?", True),
        ("Paris", "Do you pay with the euro?", True),
        ("London", "Do you pay with euros?", False),
        ("London", "Do you drive on the left?", True),
        ("Rome", "Is it older than 1000 years?", True),
        ("Brasília", "Is it older than 100 years?", False),
        ("Kolkata", "Was it part of the British Empire?", True),
        ("Lima", "Was it part of the British Empire?", False),
    ],
)
def test_a_question_of_yes_or_no_is_answered_truly(city: str, question: str, so: bool):
    assert is_yes(city, question) is so


def test_what_is_told_where_yes_or_no_will_not_do():
    assert said("Lima", "Are there famous buildings?").startswith(("Yes, certainly. ", "Yes. "))
    assert said("Lima", "Is sushi a local food?").startswith(tuple(lore()["hedge"]))
    assert "London" not in said("Lima", "What is the time difference to London?")
    assert said("Taipei", "Is it in China?") == lore()["disputed"]
    assert said("Tokyo", "Which countries border yours?") in lore()["none"]["neighbours"]
    assert said("Seoul", "Which countries border yours?").endswith("a country with nearly our name.")
    assert "in Asia" in (told := said("Seoul", "Is it in Asia or in Europe?")) or "Asia." in told


def test_words_are_drawn_by_seed_and_turn():
    asked = "What is the weather like?"
    assert len({said("Lima", asked, seed) for seed in range(30)}) == 3
    assert len({said("Lima", asked, 0, turn) for turn in range(20)}) == 3
    assert said("Lima", asked, 5, 2) == said("Lima", asked, 5, 2)


def test_whoever_asks_beyond_the_knowledge_is_told_so():
    reply = answer(0, "How much is the rent?", 0, 1)
    assert reply.text in lore()["unknown"]
    assert reply.info == {"understood": False, "kind": "unknown"}
    assert answer(0, "What is your city called?", 0, 1).info["understood"] is True


@pytest.mark.parametrize(
    ("utterance", "city"),
    [
        ("Is it Bombay?", "Mumbai"),
        ("is it SAO-PAULO", "São Paulo"),
        ("São Paulo!", "São Paulo"),
        ("Is it Xi'an?", "Xi'an"),
        ("It must be St. Petersburg, mustn't it?", "Saint Petersburg"),
        ("Hongkong?", "Hong Kong"),
        ("Kiev", "Kyiv"),
        ("Saigon", "Ho Chi Minh City"),
        ("Pusan", "Busan"),
        ("İstanbul", "Istanbul"),
        ("Is it L.A.?", "Los Angeles"),
        ("New Delhi, India", "Delhi"),
        ("Is it Lima, Lima or Lima?", "Lima"),
        ("Santiago de Cali", "Cali"),
        ("Romeo loves limas in California", None),
        ("Tell us about la vida", None),
        ("El Salvador", None),
        ("Is it Lima or Paris?", None),
        ("Is it Lima or Barcelona?", None),
        ("", None),
    ],
)
def test_a_city_is_named_in_any_spelling_as_whole_words(utterance: str, city: str | None):
    assert name_in(utterance) == city


def test_every_spelling_names_its_own_city_and_no_other():
    for city in cities():
        for name in city.names:
            assert name_in(f"is it {name.lower()}?" if name != "BH" else "is it BH?") == city.name, name


def test_a_hundred_cities_have_every_fact_and_no_two_the_same():
    assert len(cities()) == 100
    for topic in OWN:
        assert len({city.facts[topic] for city in cities()}) == 100, topic
    assert all(set(city.facts) == set(OWN) for city in cities())


def test_facts_and_languages_agree_with_geonames():
    code = {"Korean": "ko", "Portuguese": "pt", "Spanish": "es", "Mandarin": "zh", "Arabic": "ar", "Japanese": "ja"}
    for city in cities():
        assert code.get(city.languages[0], next(iter(city.country.languages))) in city.country.languages, city.name
        assert city.population > 300_000
        assert -8 <= city.hours <= 11
        assert city.coldest <= city.warmest
        assert "flat" not in city.has or "mountain" not in city.has
    assert sum(city.capital for city in cities()) == 34


def spelt(city: str) -> set[str]:
    known = cities()[INDEX[city]]
    names = (*known.names, *known.derived, *known.country.names, *known.country.derived)
    return {" ".join(words(name)) for name in names} - {"la", "us", "bh", "roc"}


def test_no_citizen_says_its_name_or_its_countrys_or_what_derives_from_them():
    asked = [wording for query in queries() for wording in query.wordings]
    asked += [
        "Hello",
        "What is its name?",
        "Is it Timbuktu?",
        "Was it a colony of Spain?",
        "Is it in Peru?",
        "Rent?",
        "K?",
    ]
    openings = " ".join(text for topic in lore()["topics"].values() for text in topic["say"])
    for city in cities():
        heard = openings + " ".join(said(city.name, question, 1) for question in asked)
        heard += " ".join(told(INDEX[city.name], topic) for topic in TOPICS)
        text = re.sub("(north|south) america", "", f" {' '.join(words(heard))} ")
        assert [name for name in spelt(city.name) if f" {name} " in text] == []
        stems = [name[:6] for name in spelt(city.name) if " " not in name and len(name) > 5]
        assert [
            stem for stem in stems if f" {stem}" in text and stem not in ("northe", "southe", "republ", "hindus")
        ] == [], city.name


def test_what_another_says_for_a_citizen_loses_the_names():
    lima = cities()[INDEX["Lima"]]
    assert discreet("In LIMA, Perú's capital, Peruvians eat Peruvian fish.", lima) == (
        "In my city, my country's capital, locals eat local fish."
    )
    assert discreet("Limassol and Romeo stay, and so does us.", lima) == "Limassol and Romeo stay, and so does us."
    assert discreet("It is L-i-m-a, in P e r u. I do a b c.", lima) == "It is my city, in my country. I do a b c."
    petersburg = cities()[INDEX["Saint Petersburg"]]
    assert discreet("St. Petersburg (Leningrad) in Russia", petersburg) == "my city (my city) in my country"
    assert (
        discreet("We love the U.S. and tell us so", cities()[INDEX["Chicago"]]) == "We love my country and tell us so"
    )


def test_every_sentence_piece_is_distinct_enough_and_answers_are_made_of_them():
    pieces = {piece.rstrip("\n") for piece in sentences()}
    for question in ("What do people eat?", "Is it in Asia?", "Who are you?", "Is it Rome?", "How big is it?"):
        for index in range(100):
            text = answer(index, question, index, 3).text
            assert text in pieces or any(text.startswith(p) and text[len(p) :] in pieces for p in pieces if p), text


def test_numbers_and_clocks_are_said_as_people_say_them():
    assert [amount(n) for n in (889_359, 8_540_121, 12_400_232, 1_352_617_328)] == [
        *("890 thousand", "8.5 million", "12 million", "1.4 billion"),
    ]
    assert [shift(h) for h in (0, 1, 5.5, -3)] == [
        *("at the same time", "1 hour ahead", "5 and a half hours ahead", "3 hours behind"),
    ]


def test_names_are_found_longest_first_and_no_word_twice():
    book = Gazetteer([("New York", "a"), ("York", "b"), ("York New York", "c")])
    assert list(book.spans(["new", "york", "york"])) == [(0, 2, "a"), (2, 3, "b")]
    assert list(atlas().spans(plain_words("Mexico"))) == [(0, 1, "land:MX")]


NAMES = st.sampled_from([name for city in cities() for name in (*city.names, *city.derived, *city.country.names)])
TEXTS = st.one_of(st.text(max_size=80), st.lists(st.one_of(NAMES, st.text(max_size=8)), max_size=8).map(" ".join))


@settings(max_examples=300, deadline=None)
@given(TEXTS, st.integers(0, 99), st.integers(0, 2**32), st.integers(0, 20))
def test_whatever_is_asked_a_citizen_answers_in_one_line_and_keeps_its_name(
    text: str, index: int, seed: int, turn: int
):
    city, reply = cities()[index], answer(index, text, seed, turn)
    assert reply == answer(index, text, seed, turn)
    assert reply.text
    assert "\n" not in reply.text
    assert isinstance(reply.info["understood"], bool)
    if name_in(text) != city.name:
        assert discreet(reply.text, city) == reply.text


@settings(max_examples=300, deadline=None)
@given(TEXTS, st.integers(0, 99))
def test_nothing_secret_is_left_after_taking_it_out(text: str, index: int):
    city = cities()[index]
    kept = discreet(text, city)
    low = f" {' '.join(words(kept))} "
    assert [name for name in spelt(city.name) if f" {name} " in low] == []
    assert understand(text) == understand(text)
    assert re.search("my city|my country|local", kept) or kept == discreet(kept, city)
