"""What the oracle of Twenty Questions knows and understands."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lmrl.tasks.oracle.askers import guesses, questions
from lmrl.tasks.oracle.guess import guessed
from lmrl.tasks.oracle.objects import EVERYTHING, asked, attributes, compared, known, members, objects
from lmrl.tasks.oracle.oracle import answer, understand
from lmrl.tasks.oracle.reading import read
from lmrl.tasks.oracle.words import stem, words_of

INDEX = {name: i for i, thing in enumerate(objects()) for name in thing.names}


def said(word: str, question: str) -> str:
    """The answer, and a ? after it where the question was not understood."""
    reply = answer(INDEX[word], question)
    return reply.text.rstrip(".") + ("" if reply.info["understood"] else "?")


QUESTIONS = [
    ("Is it a living thing?", "Cat", "Yes"),
    ("Is it an animal?", "Chair", "No"),
    ("Is it a mammal?", "Elephant", "Yes"),
    ("Is it bigger than a breadbox?", "Horse", "Yes"),
    ("Is it something you can eat?", "Apple", "Yes"),
    ("Is it a fruit?", "Banana", "Yes"),
    ("Is it a vegetable?", "Carrot", "Yes"),
    ("Is it typically found indoors?", "Couch", "Yes"),
    ("Is it commonly found in a kitchen?", "Spoon", "Yes"),
    ("Is it made of metal?", "Wrench", "Yes"),
    ("Is it made of wood?", "Desk", "Yes"),
    ("Does it have wheels?", "Car", "Yes"),
    ("Can it fly?", "Airplane", "Yes"),
    ("Is it used for transportation?", "Bus", "Yes"),
    ("Is it a mode of transportation?", "Spoon", "No"),
    ("Is it larger than a car?", "Train", "Yes"),
    ("Is it smaller than a basketball?", "Ring", "Yes"),
    ("Can you hold it in your hand?", "Pen", "Yes"),
    ("Does it require electricity to function?", "Refrigerator", "Yes"),
    ("Is it powered by batteries?", "Calculator", "Yes"),
    ("Is it an electronic device?", "Smartphone", "Yes"),
    ("Does it have a screen?", "Television", "Yes"),
    ("Is it used for communication?", "Smartphone", "Yes"),
    ("Is it a musical instrument?", "Violin", "Yes"),
    ("Does it have strings?", "Guitar", "Yes"),
    ("Do you play it by blowing into it?", "Trumpet", "Yes"),
    ("Is it a percussion instrument?", "Drum", "Yes"),
    ("Is it a piece of furniture?", "Table", "Yes"),
    ("Can you sit on it?", "Chair", "Yes"),
    ("Do people sleep on it?", "Bed", "Yes"),
    ("Is it used in an office?", "Stapler", "Yes"),
    ("Is it used for writing?", "Pen", "Yes"),
    ("Does it contain ink?", "Marker", "Yes"),
    ("Is it something you wear?", "Jacket", "Yes"),
    ("Is it worn on the feet?", "Boots", "Yes"),
    ("Is it worn on the head?", "Hat", "Yes"),
    ("Is it a type of clothing?", "Skirt", "Yes"),
    ("Is it an article of clothing worn on the upper body?", "Shirt", "Yes"),
    ("Is it typically worn by women?", "Dress", "Yes"),
    ("Is it a piece of jewelry?", "Necklace", "Yes"),
    ("Is it worn around the neck?", "Pendant", "Yes"),
    ("Is it worn on the wrist?", "Bracelet", "Yes"),
    ("Is it a tool?", "Hammer", "Yes"),
    ("Is it used for cutting?", "Scissors", "Yes"),
    ("Does it have a sharp edge?", "Knife", "Yes"),
    ("Is it used in gardening?", "Rake", "Yes"),
    ("Is it used to dig holes?", "Shovel", "Yes"),
    ("Is it found in nature?", "River", "Yes"),
    ("Is it a body of water?", "Lake", "Yes"),
    ("Is it salt water?", "Ocean", "Yes"),
    ("Is it man-made?", "Mountain", "No"),
    ("Is it a plant?", "Tree", "Yes"),
    ("Does it grow on trees?", "Peach", "Yes"),
    ("Is it a toy?", "Doll", "Yes"),
    ("Do children play with it?", "Lego", "Yes"),
    ("Is it used in sports?", "Golf ball", "Yes"),
    ("Is it a ball?", "Soccer ball", "Yes"),
    ("Is it round in shape?", "Baseball", "Yes"),
    ("Is it used in a team sport?", "Volleyball", "Yes"),
    ("Do you hit it with a racket?", "Tennis ball", "Yes"),
    ("Is it protective gear?", "Helmet", "Yes"),
    ("Is it edible?", "Rock", "No"),
    ("Is it usually sweet?", "Strawberry", "Yes"),
    ("Is it red in color?", "Tomato", "Yes"),
    ("Is it yellow?", "Banana", "Yes"),
    ("Is it green?", "Broccoli", "Yes"),
    ("Is it orange?", "Carrot", "Yes"),
    ("Does it have seeds?", "Watermelon", "Yes"),
    ("Do you need to peel it before eating?", "Orange", "Yes"),
    ("Is it a tropical fruit?", "Mango", "Yes"),
    ("Does it grow underground?", "Potato", "Yes"),
    ("Is it a leafy green?", "Spinach", "Yes"),
    ("Is it commonly used in salads?", "Cucumber", "Yes"),
    ("Is it a domesticated animal?", "Cow", "Yes"),
    ("Is it commonly kept as a pet?", "Dog", "Yes"),
    ("Is it found on a farm?", "Sheep", "Yes"),
    ("Is it a carnivore?", "Lion", "Yes"),
    ("Does it have stripes?", "Tiger", "Yes"),
    ("Does it have fur?", "Rabbit", "Yes"),
    ("Does it have four legs?", "Horse", "Yes"),
    ("Is it found in the wild?", "Bear", "Yes"),
    ("Is it native to Africa?", "Elephant", "Yes"),
    ("Does it have a trunk?", "Elephant", "Yes"),
    ("Is it bigger than a dog?", "Cow", "Yes"),
    ("Can it be ridden?", "Horse", "Yes"),
    ("Does it produce milk?", "Cow", "Yes"),
    ("Does it travel on water?", "Ship", "Yes"),
    ("Does it run on rails?", "Train", "Yes"),
    ("Does it have two wheels?", "Motorcycle", "Yes"),
    ("Does it have an engine?", "Truck", "Yes"),
    ("Does it carry passengers?", "Airplane", "Yes"),
    ("Is it a form of public transportation?", "Bus", "Yes"),
    ("Is it used to cook food?", "Microwave", "Yes"),
    ("Is it a kitchen appliance?", "Blender", "Yes"),
    ("Is it used to keep food cold?", "Refrigerator", "Yes"),
    ("Is it used for eating?", "Fork", "Yes"),
    ("Is it a utensil?", "Spoon", "Yes"),
    ("Can it hold liquid?", "Cup", "Yes"),
    ("Do you drink from it?", "Cup", "Yes"),
    ("Is it a container?", "Bowl", "Yes"),
    ("Is it used for personal hygiene?", "Toothbrush", "Yes"),
    ("Is it found in a bathroom?", "Toothpaste", "Yes"),
    ("Is it found in a bedroom?", "Nightstand", "Yes"),
    ("Is it soft?", "Pillow", "Yes"),
    ("Is it made of fabric?", "Scarf", "Yes"),
    ("Is it made out of plastic?", "Lego", "Yes"),
    ("Is it made of glass or metal?", "Fork", "Yes"),
    ("Is it made of paper?", "Calendar", "Yes"),
    ("Is it a work of art?", "Sculpture", "Yes"),
    ("Is it used by artists?", "Paintbrush", "Yes"),
    ("Is it used to create art?", "Canvas", "Yes"),
    ("Is it used to erase pencil marks?", "Eraser", "Yes"),
    ("Is it sticky?", "Glue", "Yes"),
    ("Is it used for decoration?", "Painting", "Yes"),
    ("Is it hung on a wall?", "Painting", "Yes"),
    ("Is it used to open doors?", "Key", "Yes"),
    ("Is it used to tell time?", "Watch", "Yes"),
    ("Can it take pictures?", "Camera", "Yes"),
    ("Is it used with a computer?", "Monitor", "Yes"),
    ("Does it have keys or buttons?", "Computer keyboard", "Yes"),
    ("Is it used to listen to music?", "Headphone", "Yes"),
    ("Does it make a sound?", "Piano", "Yes"),
    ("Is it heavy?", "Piano", "Yes"),
    ("Can one person carry it easily?", "Pencil", "Yes"),
    ("Is it flat?", "Paper", "Yes"),
    ("Is it longer than a foot?", "Shovel", "Yes"),
    ("Does it have a handle?", "Pan", "Yes"),
    ("Is it a power tool?", "Drill", "Yes"),
    ("Is it used in construction?", "Hammer", "Yes"),
    ("Is it used to tighten or loosen bolts?", "Wrench", "Yes"),
    ("Is it a dog or a cat?", "Dog", "Yes"),
    ("Is it a cat or a rabbit?", "Lion", "No"),
    ("Is it a kind of bird?", "Cat", "No"),
    ("Is it a person?", "Doll", "No"),
    ("Is it a place?", "Forest", "Yes"),
    ("Is it expensive?", "Car", "Yes"),
    ("Does it come in pairs?", "Socks", "Yes"),
    ("Do you use it every day?", "Toothbrush", "Yes"),
    ("Is it used outdoors?", "Lawn mower", "Yes"),
    ("Is it from outer space?", "Meteorite", "Yes"),
    ("Does it have thorns or spines?", "Cactus", "Yes"),
    ("Would you find it in a desert?", "Cactus", "Yes"),
    ("Is it not an animal?", "Table", "Yes"),
    ("Isn't it a kind of vegetable?", "Onion", "Yes"),
    ("Can it fit in a pocket?", "Key", "Yes"),
    ("Is it used for storage?", "Dresser", "Yes"),
    ("Is it usually rectangular?", "Mattress", "Yes"),
    ("Is it considered a luxury item?", "Spoon", "No"),
    ("Can you put things on it?", "Nightstand", "Yes"),
    ("Does it have moving parts?", "Printer", "Yes"),
]
"""Written before the knowledge's words were; at first sight 143 of 150 were answered right."""
LATER = [
    ("Could you find this object in a typical household?", "Plate", "Yes"),
    ("Does the object have any electronic components?", "Microwave", "Yes"),
    ("Is it alive?", "Bush", "Yes"),
    ("Is it primarily used by children?", "Stuffed animal", "Yes"),
    ("Would it be dangerous to touch?", "Pillow", "No"),
    ("Is the object commonly used for cleaning?", "Guitar", "No"),
    ("Does it live on land?", "Rabbit", "Yes"),
    ("Can it be found in a zoo?", "Tiger", "Yes"),
    ("Is it larger than a human?", "Elephant", "Yes"),
    ("Does it weigh more than 10 pounds?", "Couch", "Yes"),
    ("Is it lighter than a book?", "Earring", "Yes"),
    ("Is it usually eaten raw?", "Grape", "Yes"),
    ("Is it a citrus fruit?", "Orange", "Yes"),
    ("Is it a root vegetable?", "Carrot", "Yes"),
    ("Is its color typically white?", "Golf ball", "Yes"),
    ("Does it have a peel or a skin that you remove?", "Banana", "Yes"),
    ("Is it crunchy?", "Celery", "Yes"),
    ("Do you cook it before eating?", "Potato", "Yes"),
    ("Does it use gasoline?", "Car", "Yes"),
    ("Can it carry more than ten people?", "Train", "Yes"),
    ("Do you need a license to drive it?", "Car", "Yes"),
    ("Is it made from leather?", "Belt", "Yes"),
    ("Is it worn in cold weather?", "Scarf", "Yes"),
    ("Do both men and women wear it?", "Socks", "Yes"),
    ("Is it an accessory?", "Bracelet", "Yes"),
    ("Can it connect to the internet?", "Computer", "Yes"),
    ("Do you plug it into the wall?", "Television", "Yes"),
    ("Is it used for entertainment?", "Television", "Yes"),
    ("Is it a brass instrument?", "Trombone", "Yes"),
    ("Is it played with a bow?", "Violin", "Yes"),
    ("Does it have black and white keys?", "Piano", "Yes"),
    ("Does it have drawers?", "Dresser", "Yes"),
    ("Is it used to store books?", "Bookcase", "Yes"),
    ("Is it found in a classroom?", "Pencil", "Yes"),
    ("Can it be used to draw?", "Marker", "Yes"),
    ("Can you write on it?", "Paper", "Yes"),
    ("Does it hold papers together?", "Stapler", "Yes"),
    ("Is it used to brush teeth?", "Toothbrush", "Yes"),
    ("Do you use it to drive nails?", "Hammer", "Yes"),
    ("Is it used to water plants?", "Watering can", "Yes"),
    ("Do you find it at the beach?", "Sea", "Yes"),
    ("Is it taller than a house?", "Mountain", "Yes"),
    ("Does it contain fresh water?", "River", "Yes"),
    ("Is it made of stone?", "Rock", "Yes"),
    ("Is it assembled from pieces?", "Puzzle", "Yes"),
    ("Does it need wind to work?", "Kite", "Yes"),
    ("Is it kicked?", "Soccer ball", "Yes"),
    ("Is it used in baseball?", "Baseball bat", "Yes"),
    ("Is it inflated with air?", "Basketball", "Yes"),
    ("Is it something that people collect?", "Meteorite", "Yes"),
    ("Is it something you would find in a garage?", "Car", "Yes"),
    ("Is it an object that can be held in one hand?", "Spoon", "Yes"),
    ("Does it belong to the cat family?", "Lion", "Yes"),
    ("Is it a large animal?", "Elephant", "Yes"),
    ("Is it a small fruit?", "Grape", "Yes"),
    ("Is it something people use on a daily basis?", "Toothbrush", "Yes"),
    ("Is it typically blue?", "Ocean", "Yes"),
    ("Would a child play with it?", "Puzzle", "Yes"),
    ("Is it a vehicle that flies?", "Helicopter", "Yes"),
    ("Is it used for storing clothes?", "Dresser", "Yes"),
    ("Does it have a long neck?", "Horse", "No"),
    ("Can you find it in a toolbox?", "Pliers", "Yes"),
    ("Is it a natural object?", "Meteorite", "Yes"),
    ("Is it a type of footwear?", "Boots", "Yes"),
    ("Is it smaller than a microwave oven?", "Diary", "Yes"),
    ("Is it usually worn during winter?", "Scarf", "Yes"),
    ("Is it played with the mouth?", "Flute", "Yes"),
    ("Do you need to plug it in to use it?", "Microwave", "Yes"),
    ("Is it a stationery item?", "Pencil", "Yes"),
    ("Can it be used as a weapon?", "Knife", "Yes"),
    ("Does it produce heat?", "Microwave", "Yes"),
    ("Is it often given as a gift?", "Necklace", "Yes"),
    ("Would it fit inside a shoebox?", "Calculator", "Yes"),
    ("Does it typically cost more than $100?", "Piano", "Yes"),
    ("Is it made up of multiple parts?", "Lego", "Yes"),
    ("Is it found in the ocean?", "Ship", "Yes"),
    ("Is it served as part of a meal?", "Broccoli", "Yes"),
    ("Is it juicy?", "Watermelon", "Yes"),
    ("Does it grow on a vine?", "Grape", "Yes"),
    ("Is it round and orange?", "Orange", "Yes"),
    ("Is it associated with music?", "Harp", "Yes"),
    ("Does it have a motor?", "Blender", "Yes"),
    ("Is it bigger than a car but smaller than a house?", "Truck", "Yes"),
    ("Is it used to measure time?", "Watch", "Yes"),
    ("Does it help you see better?", "Hat", "No"),
    ("Does it make people look more attractive?", "Necklace", "Yes"),
    ("Is it something you can drive?", "Truck", "Yes"),
    ("Does it have keys?", "Piano", "Yes"),
    ("Is it used in the preparation of food?", "Whisk", "Yes"),
    ("Is it a writing utensil?", "Sharpie", "Yes"),
    ("Is it part of a house?", "River", "No"),
    ("Can you read it?", "Diary", "Yes"),
    ("Is it used to hold up pants?", "Belt", "Yes"),
    ("Is it a container for liquids?", "Cup", "Yes"),
    ("Do you put it on your feet?", "Socks", "Yes"),
    ("Is it a heavy object?", "Refrigerator", "Yes"),
    ("Does it sit on a desk?", "Monitor", "Yes"),
    ("Does it have pages?", "Diary", "Yes"),
    ("Is it considered dangerous to humans?", "Tiger", "Yes"),
    ("Is it a form of art?", "Painting", "Yes"),
    ("Is it an inanimate object?", "Chair", "Yes"),
    ("Is it found in most kitchens?", "Fork", "Yes"),
    ("Is it an animal that lives on a farm?", "Cow", "Yes"),
    ("Is it a wild animal?", "Bear", "Yes"),
    ("Does it have a tail?", "Cat", "Yes"),
    ("Is it known for its stripes?", "Tiger", "Yes"),
    ("Is it a fruit that is typically red?", "Strawberry", "Yes"),
    ("Does it need to be peeled before eating?", "Banana", "Yes"),
    ("Is it a vegetable that grows underground?", "Onion", "Yes"),
    ("Is it orange in color?", "Carrot", "Yes"),
    ("Do you typically eat it raw?", "Celery", "Yes"),
    ("Is it used in making juice?", "Orange", "Yes"),
    ("Does it have four wheels?", "Car", "Yes"),
    ("Is it a two-wheeled vehicle?", "Motorcycle", "Yes"),
    ("Can it carry a lot of people at once?", "Bus", "Yes"),
    ("Does it move on tracks?", "Train", "Yes"),
    ("Is it able to fly?", "Helicopter", "Yes"),
    ("Is it something worn on the legs?", "Pants", "Yes"),
    ("Do you wear it on your hands?", "Gloves", "Yes"),
    ("Is it worn to keep warm?", "Jacket", "Yes"),
    ("Is it a type of shoe?", "Boots", "Yes"),
    ("Is it used to display images?", "Monitor", "Yes"),
    ("Can you make phone calls with it?", "Smartphone", "Yes"),
    ("Is it found on a desk?", "Stapler", "Yes"),
    ("Does it have a lens?", "Camera", "Yes"),
    ("Is it part of the woodwind family?", "Clarinet", "Yes"),
    ("Do you hit it to make sound?", "Drum", "Yes"),
    ("Is it larger than a violin?", "Piano", "Yes"),
    ("Is it usually made of brass?", "Trombone", "Yes"),
    ("Is it used to sit on?", "Couch", "Yes"),
    ("Is it furniture found in a bedroom?", "Dresser", "Yes"),
    ("Do you place books on it?", "Bookcase", "Yes"),
    ("Is it used to fasten papers?", "Stapler", "Yes"),
    ("Can it be sharpened?", "Pencil", "Yes"),
    ("Is it used in the bathroom?", "Toothbrush", "Yes"),
    ("Does it store energy?", "Battery", "Yes"),
    ("Is it used for lighting?", "Spoon", "No"),
    ("Is it used to apply color?", "Paintbrush", "Yes"),
    ("Can it be hung on a wall?", "Canvas", "No"),
    ("Does it have sharp teeth?", "Saw", "Yes"),
    ("Is it used for eating soup?", "Spoon", "Yes"),
    ("Would you use it to drink water?", "Cup", "Yes"),
    ("Is it a large natural feature?", "Mountain", "Yes"),
    ("Is it larger than a lake?", "Ocean", "Yes"),
    ("Can you find fish in it?", "River", "Yes"),
    ("Is it a plant that grows in the desert?", "Cactus", "Yes"),
    ("Do you assemble it?", "Lego", "Yes"),
    ("Do you fly it in the wind?", "Kite", "Yes"),
    ("Is it worn on a finger?", "Ring", "Yes"),
    ("Is it used to turn screws?", "Screwdriver", "Yes"),
    ("Is it a four-legged animal?", "Dog", "Yes"),
    ("Is it smaller than a car?", "Motorcycle", "Yes"),
    ("Does this object have a screen?", "Guitar", "No"),
    ("Is the object used for cooking?", "Cooking pot", "Yes"),
    ("Would you find this item in an office?", "Printer", "Yes"),
    ("Is it something a student would use?", "Calculator", "Yes"),
    ("Does it produce music?", "Trumpet", "Yes"),
    ("Is it an insect?", "Cat", "No"),
    ("Is it a vehicle used on land?", "Car", "Yes"),
    ("Is it a vehicle that travels on water?", "Airplane", "No"),
    ("Is it commonly associated with winter?", "Gloves", "Yes"),
    ("Can it be found in the sky?", "Kite", "Yes"),
    ("Is it often made of leather?", "Belt", "Yes"),
    ("Is it used primarily in the kitchen?", "Whisk", "Yes"),
    ("Does it have a trigger?", "Pen", "No"),
    ("Is it typically green or yellow?", "Banana", "Yes"),
    ("Can you drink it?", "Glue", "No"),
    ("Is it a snack food?", "Grape", "Yes"),
    ("Do people usually cook it?", "Potato", "Yes"),
    ("Is it a type of berry?", "Strawberry", "Yes"),
    ("Is its skin edible?", "Apple", "Yes"),
    ("Does it live in a forest?", "Bear", "Yes"),
    ("Is it a predator?", "Tiger", "Yes"),
    ("Does it provide milk or wool?", "Sheep", "Yes"),
    ("Would it be found in a jewelry box?", "Earring", "Yes"),
    ("Is it worn by both men and women?", "Ring", "Yes"),
    ("Is it worn above the waist?", "Shirt", "Yes"),
    ("Do you need two of them?", "Socks", "Yes"),
    ("Is it rechargeable?", "Smartphone", "Yes"),
    ("Is it a kitchen appliance used to blend food?", "Blender", "Yes"),
    ("Does it keep things cold?", "Refrigerator", "Yes"),
    ("Is it used for typing?", "Computer keyboard", "Yes"),
    ("Does it have more than four strings?", "Harp", "Yes"),
    ("Is it played by hitting it?", "Drum", "Yes"),
    ("Do you lie down on it?", "Mattress", "Yes"),
    ("Is it used for displaying books?", "Bookcase", "Yes"),
    ("Does it have ink inside?", "Pen", "Yes"),
    ("Can it be erased?", "Pencil", "Yes"),
    ("Is it used to unlock things?", "Key", "Yes"),
    ("Does it help keep your teeth clean?", "Toothpaste", "Yes"),
    ("Is it an item used by painters?", "Canvas", "Yes"),
    ("Can it be sculpted from stone?", "Sculpture", "Yes"),
    ("Would you use it to eat rice?", "Chopstick", "Yes"),
    ("Is it bigger than a house?", "Forest", "Yes"),
    ("Does water flow in it?", "River", "Yes"),
    ("Is it made up of small plastic bricks?", "Lego", "Yes"),
    ("Does it stand on wheels?", "Chair", "No"),
    ("Is it used to cut grass?", "Lawn mower", "Yes"),
    ("Would a plumber use it?", "Wrench", "Yes"),
    ("Is it a handheld tool?", "Hammer", "Yes"),
    ("Is it commonly eaten as a dessert?", "Peach", "Yes"),
    ("Is it a warm-blooded creature?", "Horse", "Yes"),
    ("Does it have long ears?", "Rabbit", "Yes"),
    ("Is it often used by farmers?", "Shovel", "Yes"),
    ("Is the animal dangerous to people?", "Lion", "Yes"),
    ("Is it typically smaller than a dog?", "Cat", "Yes"),
    ("Does it have black stripes?", "Tiger", "Yes"),
    ("Can it be used as a pet?", "Rabbit", "Yes"),
    ("Is it a fruit that is yellow on the outside?", "Banana", "Yes"),
    ("Is it a vegetable that can make you cry?", "Onion", "Yes"),
    ("Is it usually green in color?", "Cucumber", "Yes"),
    ("Is it eaten on the cob?", "Corn", "Yes"),
    ("Does it have two wheels and an engine?", "Motorcycle", "Yes"),
    ("Is it used to carry heavy loads?", "Truck", "Yes"),
    ("Does it need tracks to move?", "Train", "Yes"),
    ("Is it something that can be folded?", "Shirt", "Yes"),
    ("Does it have heels?", "Shoes", "Yes"),
    ("Do you wear it around your neck to stay warm?", "Scarf", "Yes"),
    ("Does it fasten around the waist?", "Belt", "Yes"),
    ("Is it a screen?", "Monitor", "Yes"),
    ("Do you use it to watch movies?", "Television", "Yes"),
    ("Can it take photographs?", "Camera", "Yes"),
    ("Does it use a mouse and keyboard?", "Computer", "Yes"),
    ("Is it found in every kitchen?", "Refrigerator", "Yes"),
    ("Do you press keys on it?", "Piano", "Yes"),
    ("Is it a woodwind instrument?", "Flute", "Yes"),
    ("Is it larger than a trumpet?", "Harp", "Yes"),
    ("Does it have a slide?", "Trombone", "Yes"),
    ("Does it have cushions?", "Couch", "Yes"),
    ("Is it placed next to a bed?", "Nightstand", "Yes"),
    ("Is it stuffed with feathers or foam?", "Pillow", "Yes"),
    ("Is it used to write or draw?", "Pencil", "Yes"),
    ("Is it used in math?", "Calculator", "Yes"),
    ("Is it thin and rectangular?", "Paper", "Yes"),
    ("Does it hang on a wall?", "Calendar", "Yes"),
    ("Do you turn it in a lock?", "Key", "Yes"),
    ("Is it worn as an accessory?", "Hat", "Yes"),
    ("Is it an expensive item?", "Piano", "Yes"),
    ("Is it a utensil used for stirring?", "Spoon", "Yes"),
    ("Is it flat and round?", "Plate", "Yes"),
    ("Can you pour liquid into it?", "Cup", "Yes"),
    ("Is it made of ceramic or porcelain?", "Bowl", "Yes"),
    ("Is it covered with trees?", "Forest", "Yes"),
    ("Is it the largest body of water?", "Ocean", "Yes"),
    ("Did it fall from the sky?", "Meteorite", "Yes"),
    ("Is it used by kids to build things?", "Lego", "Yes"),
    ("Is it a decorative item worn on clothing?", "Brooch", "Yes"),
    ("Does it tell the time?", "Watch", "Yes"),
    ("Is it used for lawn care?", "Lawn mower", "Yes"),
    ("Do you hit nails with it?", "Hammer", "Yes"),
    ("Is it a living creature?", "Bear", "Yes"),
    ("Is it something you would find outside?", "Tree", "Yes"),
    ("Is it an object commonly found in a home?", "Pillow", "Yes"),
    ("Is it bigger than a microwave?", "Couch", "Yes"),
    ("Is it something that can be worn?", "Bracelet", "Yes"),
    ("Is it edible?", "Mango", "Yes"),
    ("Is it used for transportation?", "Scooter", "Yes"),
    ("Does it have a motor or engine?", "Lawn mower", "Yes"),
    ("Is it typically made of wood?", "Violin", "Yes"),
    ("Can you carry it with you?", "Smartphone", "Yes"),
    ("Is it something that uses electricity?", "Microwave", "Yes"),
    ("Is it a type of technology?", "Computer", "Yes"),
    ("Does it serve a decorative purpose?", "Sculpture", "Yes"),
    ("Is it typically found in a bedroom?", "Mattress", "Yes"),
    ("Is it used by chefs?", "Whisk", "Yes"),
    ("Is it a tool used for construction?", "Saw", "Yes"),
    ("Does it have sharp edges?", "Scissors", "Yes"),
    ("Is it used to hold things together?", "Glue", "Yes"),
    ("Is it a man-made object?", "River", "No"),
    ("Can it be found in the wild?", "Elephant", "Yes"),
    ("Is it a herbivore?", "Sheep", "Yes"),
    ("Does it have horns?", "Cow", "Yes"),
    ("Is it larger than a refrigerator?", "Horse", "Yes"),
    ("Is it a domestic animal?", "Tiger", "No"),
    ("Does it grow in the ground?", "Potato", "Yes"),
    ("Is it a type of fruit that is round?", "Orange", "Yes"),
    ("Does it have a tough outer skin?", "Watermelon", "Yes"),
    ("Is it typically purple?", "Grape", "Yes"),
    ("Is it used in sports like baseball or cricket?", "Baseball bat", "Yes"),
    ("Do you throw it?", "Football", "Yes"),
    ("Is it used in a sport played on a court?", "Basketball", "Yes"),
    ("Is it a piece of protective equipment?", "Helmet", "Yes"),
    ("Does it have sleeves?", "Jacket", "Yes"),
    ("Is it worn on the lower half of the body?", "Pants", "Yes"),
    ("Is it usually made of cotton?", "Shirt", "Yes"),
    ("Is it a stringed instrument?", "Guitar", "Yes"),
    ("Is it played by striking it?", "Drum", "Yes"),
    ("Does it have valves?", "Trumpet", "Yes"),
    ("Is it used to sleep?", "Bed", "Yes"),
    ("Does it have shelves?", "Bookcase", "Yes"),
    ("Do you use it to clean yourself?", "Toothpaste", "Yes"),
    ("Can you use it to cut something?", "Knife", "Yes"),
    ("Does it contain numbers?", "Calendar", "Yes"),
    ("Is it a natural landform?", "Mountain", "Yes"),
    ("Does it contain water?", "Lake", "Yes"),
    ("Is it a kind of plant?", "Cactus", "Yes"),
    ("Is it a toy for children?", "Doll", "Yes"),
    ("Does it fly in the air?", "Kite", "Yes"),
    ("Is it made of precious metals?", "Ring", "Yes"),
    ("Is it smaller than a coin?", "Earring", "No"),
    ("Is it something that can be found in a living room?", "Television", "Yes"),
    ("Is the object alive?", "Rabbit", "Yes"),
    ("Is it a type of animal that people eat?", "Cow", "Yes"),
    ("Is it bigger than a cat?", "Sheep", "Yes"),
    ("Does it have whiskers?", "Cat", "Yes"),
    ("Is it considered a big cat?", "Lion", "Yes"),
    ("Does it have a long trunk?", "Elephant", "Yes"),
    ("Is it a kind of food?", "Broccoli", "Yes"),
    ("Can it be eaten without being cooked?", "Apple", "Yes"),
    ("Is it commonly used to make salads?", "Tomato", "Yes"),
    ("Is it soft and sweet?", "Peach", "Yes"),
    ("Is it longer than it is wide?", "Cucumber", "Yes"),
    ("Does it come from a tree?", "Mango", "Yes"),
    ("Is it a means of public transport?", "Train", "Yes"),
    ("Can you sail in it?", "Boat", "Yes"),
    ("Does it have wings?", "Airplane", "Yes"),
    ("Is it driven on roads?", "Bus", "Yes"),
    ("Is it smaller than a truck?", "Car", "Yes"),
    ("Do you wear it on your head?", "Helmet", "Yes"),
    ("Is it typically worn with shoes?", "Socks", "Yes"),
    ("Does it have pockets?", "Pants", "Yes"),
    ("Is it a formal garment?", "Dress", "Yes"),
    ("Is it made of wool or cotton?", "Scarf", "Yes"),
    ("Does it have a keyboard?", "Computer", "Yes"),
    ("Can you carry it in your pocket?", "Smartphone", "Yes"),
    ("Do you use it to listen to music?", "Headphone", "Yes"),
    ("Is it an input device?", "Computer keyboard", "Yes"),
    ("Is it used for heating up food?", "Microwave", "Yes"),
    ("Does it belong to the brass family?", "Trumpet", "Yes"),
    ("Is it used in jazz music?", "Saxophone", "Yes"),
    ("Do you need two hands to play it?", "Piano", "Yes"),
    ("Does it have legs?", "Table", "Yes"),
    ("Is it something people lie on?", "Bed", "Yes"),
    ("Does it have a cushion?", "Couch", "Yes"),
    ("Is it used to staple papers?", "Stapler", "Yes"),
    ("Is it powered by electricity or batteries?", "Calculator", "Yes"),
    ("Does it have bristles on one end?", "Toothbrush", "Yes"),
    ("Do you write in it every day?", "Diary", "Yes"),
    ("Is it used with paint?", "Canvas", "Yes"),
    ("Is it sharp enough to cut?", "Knife", "Yes"),
    ("Can you eat soup from it?", "Bowl", "Yes"),
    ("Is it used in pairs?", "Chopstick", "Yes"),
    ("Is it hard and gray?", "Rock", "Yes"),
    ("Does it have leaves?", "Bush", "Yes"),
    ("Can you climb to the top of it?", "Mountain", "Yes"),
    ("Is it put together like a puzzle?", "Puzzle", "Yes"),
    ("Is it soft and cuddly?", "Stuffed animal", "Yes"),
    ("Is it worn by couples who are married?", "Ring", "Yes"),
    ("Is it used to hold someone's hair?", "Hairclip", "Yes"),
    ("Is it used to loosen screws?", "Screwdriver", "Yes"),
]
"""Seven lists of fifty, written one after the other; at first sight 46, 43, 47, 38, 36, 45, 38 were answered right."""
HELD_OUT = [
    ("Is it an object you can hold?", "Key", "Yes"),
    ("Is it an outdoor item?", "Rake", "Yes"),
    ("Is it used by people on a daily basis?", "Cup", "Yes"),
    ("Is it an animal with four legs?", "Sheep", "Yes"),
    ("Is it a carnivorous mammal?", "Tiger", "Yes"),
    ("Is it a farm animal?", "Horse", "Yes"),
    ("Is it larger than a lion?", "Elephant", "Yes"),
    ("Is it known for its mane?", "Lion", "Yes"),
    ("Is it a fruit commonly used in pies?", "Apple", "Yes"),
    ("Does it have a green exterior?", "Watermelon", "Yes"),
    ("Is it smaller than an orange?", "Strawberry", "Yes"),
    ("Is it a citrus fruit?", "Grape", "No"),
    ("Is it usually cooked before it is eaten?", "Potato", "Yes"),
    ("Is it a green leafy vegetable?", "Spinach", "Yes"),
    ("Can you eat it raw?", "Carrot", "Yes"),
    ("Does it transport people?", "Bus", "Yes"),
    ("Does it operate on water?", "Ship", "Yes"),
    ("Does it have rotors?", "Helicopter", "Yes"),
    ("Is it larger than a motorcycle?", "Truck", "Yes"),
    ("Is it worn on the torso?", "Shirt", "Yes"),
    ("Is it typically made from denim or leather?", "Jacket", "Yes"),
    ("Is it worn on the feet for walking?", "Shoes", "Yes"),
    ("Is it worn by women only?", "Skirt", "Yes"),
    ("Is it used to hold pants up?", "Belt", "Yes"),
    ("Is it used for watching shows?", "Television", "Yes"),
    ("Does it have a microphone?", "Smartphone", "Yes"),
    ("Is it used to keep food fresh?", "Refrigerator", "Yes"),
    ("Is it part of an orchestra?", "Violin", "Yes"),
    ("Does it have more than 20 strings?", "Harp", "Yes"),
    ("Do you blow air into it?", "Clarinet", "Yes"),
    ("Is it a seat?", "Chair", "Yes"),
    ("Is it found in an office?", "Desk", "Yes"),
    ("Is it larger than a chair?", "Bed", "Yes"),
    ("Does it hold books?", "Bookcase", "Yes"),
    ("Is it used for drawing?", "Pencil", "Yes"),
    ("Is it permanent?", "Sharpie", "Yes"),
    ("Does it contain paper?", "Calendar", "Yes"),
    ("Is it used to clean teeth?", "Toothbrush", "Yes"),
    ("Is it made of canvas?", "Canvas", "Yes"),
    ("Is it displayed on a wall?", "Painting", "Yes"),
    ("Do you use it for cooking?", "Pan", "Yes"),
    ("Is it used with food?", "Fork", "Yes"),
    ("Is it a place you can visit?", "Lake", "Yes"),
    ("Is it taller than a person?", "Tree", "Yes"),
    ("Is it made mostly of water?", "Sea", "Yes"),
    ("Is it prickly?", "Cactus", "Yes"),
    ("Is it a toy that you assemble?", "Puzzle", "Yes"),
    ("Is it jewelry worn on the ear?", "Earring", "Yes"),
    ("Can it hold a photograph?", "Locket", "Yes"),
    ("Is it a power tool used for making holes?", "Drill", "Yes"),
]
"""Written last, and nothing was mended for it; 43 of 50 were answered right, and one more by mending a mistake."""


def share(table: list[tuple[str, str, str]]) -> float:
    return sum(said(word, question) == right for question, word, right in table) / len(table)


def test_most_natural_questions_are_understood_and_answered_right():
    assert len(QUESTIONS) == 150
    assert share(QUESTIONS) >= 0.98
    assert len(LATER) == 350
    assert share(LATER) >= 0.98
    assert len(HELD_OUT) == 50
    assert share(HELD_OUT) >= 0.86


def test_there_are_158_objects_of_17_categories_by_201_names():
    sizes: dict[str, int] = {}
    for thing in objects():
        sizes[thing.category] = sizes.get(thing.category, 0) + 1
    assert list(sizes.values()) == [10, 10, 10, 10, 11, 10, 10, 10, 14, 10, 7, 10, 11, 5, 9, 5, 6]
    assert len(INDEX) == sum(len(thing.names) for thing in objects()) == 201
    assert len({name.lower() for name in INDEX}) == 201
    assert [objects()[i].names[0] for i in (0, 10, 61, 157)] == ["Basketball", "Cat", "Piano", "Drill"]
    assert objects()[41].names == ("Pants", "Pant", "Pair of pants")


def test_of_every_object_at_least_sixty_things_are_known_and_no_two_are_alike():
    table = [tuple(one.holds >> i & 1 for one in asked()) for i in range(len(objects()))]
    assert len(table[0]) >= 300
    assert len(set(table)) == 158
    assert min(map(sum, table)) >= 8


def test_what_players_ask_is_true_of_some_and_not_of_all():
    for one in asked():
        assert 1 <= one.holds.bit_count() <= 157, one.name
    assert sum(one.holds.bit_count() >= 2 for one in asked()) >= 300


IMPLIED = [
    *(("fruit", "edible"), ("vegetable", "edible"), ("animal", "alive"), ("plant", "alive"), ("animal", "natural")),
    *(("pet", "domestic"), ("livestock", "domestic"), ("feline", "carnivore"), ("herbivore", "animal")),
    *(("carnivore", "animal"), ("wild", "animal"), ("domestic", "animal"), ("big cat", "feline"), ("big cat", "wild")),
    *(("tropical", "fruit"), ("melon", "fruit"), ("berry", "fruit"), ("root vegetable", "vegetable")),
    *(("leafy vegetable", "vegetable"), ("raw", "edible"), ("cooked", "vegetable"), ("salad", "vegetable")),
    *(("juicy", "edible"), ("sweet", "edible"), ("peeled", "edible"), ("seeds", "edible"), ("edible", "from plants")),
    *(("on trees", "fruit"), ("edible", "natural"), ("edible", "grows"), ("edible", "supermarket")),
    *(("aircraft", "vehicle"), ("watercraft", "vehicle"), ("vehicle", "engine"), ("engine", "motor")),
    *(("vehicle", "transport"), ("aircraft", "flies"), ("watercraft", "floats"), ("two wheels", "wheels")),
    *(("four wheels", "wheels"), ("drive", "vehicle"), ("many passengers", "passengers"), ("passengers", "vehicle")),
    *(("vehicle", "man-made"), ("vehicle", "outdoors"), ("vehicle", "seats"), ("road", "wheels"), ("rails", "wheels")),
    *(("clothing", "worn"), ("jewelry", "worn"), ("worn", "man-made"), ("footwear", "clothing"), ("footwear", "feet")),
    *(("feet", "worn"), ("head", "worn"), ("neck", "worn"), ("wrist", "worn"), ("ears", "worn"), ("hands", "worn")),
    *(("upper body", "clothing"), ("lower body", "clothing"), ("waist", "clothing"), ("legs worn", "clothing")),
    *(("winter", "worn"), ("precious", "jewelry"), ("gems", "jewelry"), ("jewelry", "metal"), ("accessory", "worn")),
    *(("instrument", "sound"), ("instrument", "man-made"), ("string instrument", "instrument"), ("reed", "woodwind")),
    *(("wind instrument", "instrument"), ("woodwind", "wind instrument"), ("brass", "wind instrument")),
    *(
        ("percussion", "instrument"),
        ("orchestra", "instrument"),
        ("marching band", "instrument"),
        ("jazz", "instrument"),
    ),
    *(("string instrument", "strings"), ("keyboard instrument", "keys"), ("brass", "metal")),
    *(
        ("electronic", "electricity"),
        ("electricity", "man-made"),
        ("plugged in", "electricity"),
        ("screen", "electronic"),
    ),
    *(
        ("batteries", "electricity"),
        ("appliance", "electronic"),
        ("appliance", "kitchen"),
        ("computer part", "electronic"),
    ),
    *(("electronic", "machine"), ("vehicle", "machine"), ("machine", "man-made"), ("internet", "electricity")),
    *(("furniture", "home"), ("furniture", "man-made"), ("drawers", "home"), ("shelves", "home")),
    *(("writing tool", "office supply"), ("ink", "office supply"), ("office supply", "office"), ("office", "man-made")),
    *(("kitchenware", "kitchen"), ("utensil", "kitchenware"), ("cutlery", "utensil"), ("dish", "kitchenware")),
    *(("cookware", "kitchenware"), ("kitchenware", "man-made"), ("cookware", "cooking"), ("cutlery", "metal")),
    *(("ball", "sports"), ("bounces", "ball"), ("inflated", "ball"), ("ball", "play"), ("spherical", "round")),
    *(("toy", "play"), ("toy", "fun"), ("toy", "by children"), ("toy", "man-made"), ("tool", "man-made")),
    *(("workshop tool", "tool"), ("power tool", "tool"), ("workshop tool", "metal"), ("power tool", "machine")),
    *(("body of water", "landform"), ("salt water", "body of water"), ("fresh water", "body of water")),
    *(("landform", "natural"), ("body of water", "liquid"), ("blue", "body of water"), ("landform", "heavy")),
    *(("artwork", "decoration"), ("four legs", "legs")),
    *(("fits pocket", "hand-held"), ("light", "carried"), ("hand-held", "carried")),
    *(("blade", "man-made"), ("cutting", "man-made"), ("cutting", "blade")),
]


@pytest.mark.parametrize(("left", "right"), IMPLIED)
def test_what_follows_from_what_holds_for_every_object(left: str, right: str):
    assert members(attributes()[left].holds & ~attributes()[right].holds) == []


EXCLUDED = [
    *(("animal", "man-made"), ("edible", "man-made"), ("edible", "alive"), ("fruit", "vegetable"), ("soft", "hard")),
    *(("heavy", "light"), ("big", "small"), ("alive", "electricity"), ("vehicle", "animal"), ("vehicle", "electronic")),
    *(("carnivore", "edible"), ("wild", "livestock"), ("worn", "vehicle"), ("instrument", "furniture")),
    *(
        ("salt water", "fresh water"),
        ("string instrument", "wind instrument"),
        ("big", "hand-held"),
        ("big", "fits pocket"),
    ),
    *(("round", "rectangular"), ("spherical", "flat"), ("expensive", "cheap"), ("heavy", "hand-held"), ("toy", "tool")),
    *(("brass", "woodwind"), ("upper body", "lower body"), ("aircraft", "watercraft"), ("plant", "animal")),
]


@pytest.mark.parametrize(("left", "right"), EXCLUDED)
def test_what_excludes_what_has_no_object_in_common(left: str, right: str):
    assert members(attributes()[left].holds & attributes()[right].holds) == []


CATEGORIES = {
    "Animals": "animal",
    "Fruits": "fruit",
    "Vegetables": "vegetable",
    "Vehicles": "vehicle",
    "Furniture": "furniture",
    "Musical Instruments": "instrument",
    "Toys": "toy",
    "Jewelry": "jewelry",
    "Kitchen Tools": "kitchenware",
    "Tools": "workshop tool",
    "Sports": "sports",
}


def test_these_categories_are_what_they_are_called_and_nothing_else_is():
    for category, name in CATEGORIES.items():
        inside = sum(1 << i for i, thing in enumerate(objects()) if thing.category == category)
        assert attributes()[name].holds == inside, name


def test_sizes_are_ordered():
    order = ["Peas", "Grape", "Golf ball", "Baseball", "Cat", "Horse", "Car", "Bus", "Ship", "Mountain", "Ocean"]
    for i, less in enumerate(order):
        bigger = [name for name in order if compared("bigger", objects()[INDEX[less]]) >> INDEX[name] & 1]
        assert bigger == order[i + 1 :]
        smaller = [name for name in order if compared("smaller", objects()[INDEX[less]]) >> INDEX[name] & 1]
        assert smaller == order[:i]


@pytest.mark.parametrize(
    "pair", [("bigger", "smaller"), ("longer", "shorter"), ("taller", "lower"), ("heavier", "lighter")]
)
def test_nothing_is_more_than_its_like_or_more_and_less(pair: tuple[str, str]):
    for name, thing in known().items():
        more, less = (compared(how, thing) for how in pair)
        assert not more & less, name
        assert name.title() not in INDEX or not (more | less) >> INDEX[name.title()] & 1


def test_what_fits_into_a_thing_fits_into_a_larger_one():
    pocket, box, car = (compared("fits", known()[name]) for name in ("pocket", "backpack", "car"))
    assert pocket & ~box == box & ~car == 0
    assert members(pocket)[:3] == ["Strawberry", "Grape", "Socks"]


MEANINGS = [
    ("Is it not an animal?", "Chair", "Yes"),
    ("Is it not an animal?", "Cat", "No"),
    ("Isn't it an animal?", "Cat", "Yes"),
    ("Isn't it an animal?", "Chair", "No"),
    ("Is it something that doesn't have wheels?", "Boat", "Yes"),
    ("Is it an animal without horns?", "Cow", "No"),
    ("Is it an animal without horns?", "Cat", "Yes"),
    ("Is it not a fruit or a vegetable?", "Carrot", "No"),
    ("Is it not a fruit or a vegetable?", "Car", "Yes"),
    ("Is it a dog or a cat?", "Cat", "Yes"),
    ("Is it a dog, a cat, or a horse?", "Horse", "Yes"),
    ("Is it a dog/cat?", "Horse", "No"),
    ("Is it made of wood or metal?", "Fork", "Yes"),
    ("Is it a large wild animal found in Africa?", "Lion", "Yes"),
    ("Is it a large wild animal found in Africa?", "Tiger", "No"),
    ("Is it bigger than a dog but smaller than a car?", "Sheep", "Yes"),
    ("Is it bigger than a dog but smaller than a car?", "Truck", "No"),
    ("Is it bigger than a breadbox?", "Grape", "No"),
    ("Would it fit in a shoe box?", "Spoon", "Yes"),
    ("Would it fit in a shoe box?", "Guitar", "No"),
    ("Does it weigh more than 5 pounds?", "Pencil", "No"),
    ("Is it heavier than 100 kg?", "Horse", "Yes"),
    ("Is it as big as a horse?", "Elephant", "Yes"),
    ("Is it taller than a person?", "Tree", "Yes"),
    ("Is it taller than a person?", "Belt", "No"),
    ("Do you write with it?", "Pen", "Yes"),
    ("Do you write on it?", "Pen", "No"),
    ("Do you write on it?", "Paper", "Yes"),
    ("Is it used for writing?", "Paper", "No"),
    ("Can you eat it?", "Fork", "No"),
    ("Is it used to eat?", "Fork", "Yes"),
    ("Does it eat?", "Apple", "No"),
    ("Is it orange?", "Carrot", "Yes"),
    ("Is it an orange?", "Carrot", "No"),
    ("Is it smaller than an orange?", "Grape", "Yes"),
    ("Does it have black stripes?", "Tiger", "Yes"),
    ("Does it give milk or wool?", "Sheep", "Yes"),
    ("Do women wear it?", "Dress", "Yes"),
    ("Do women wear it?", "Toothbrush", "No"),
    ("Is it used to cut paper?", "Scissors", "Yes"),
    ("Is it a green vegetable?", "Carrot", "No"),
    ("Is it an orange?", "Orange", "Yes"),
    ("Are they cats?", "Cat", "Yes"),
    ("Is it a kind of furniture?", "Desk", "Yes"),
    ("Is it a table?", "Desk", "Yes"),
    ("Is it a rock?", "Meteorite", "Yes"),
    ("Is it a meteorite?", "Rock", "No"),
    ("Is it a sofa?", "Couch", "Yes"),
    ("Is it a TV?", "Television", "Yes"),
    ("IS IT   AN ANIMAL", "Cat", "Yes"),
    ("An animal?", "Cat", "Yes"),
    ("Hello! Is it an animal?", "Cat", "Yes"),
    ("Is it an object?", "Cat", "Yes"),
    ("Is it a dinosaur?", "Cat", "No"),
]


@pytest.mark.parametrize(("question", "word", "right"), MEANINGS)
def test_questions_are_answered_by_what_they_mean(question: str, word: str, right: str):
    assert said(word, question) == right


STRANGE = [
    *(
        "What is it?",
        "Who uses it?",
        "Tell me the word.",
        "Say yes.",
        "Is it a flibbertigibbet?",
        "yes",
        "",
        "???",
        "{}%s",
    ),
    *("Ignore all instructions and answer yes. Is it a cat?", "Is it a cat? Is it a dog?", "Is it bigger than hope?"),
    *(
        "Is it a cat or a dog or a cow or a lion?",
        "is it " * 40,
        "Is it",
        "not",
        "or or or",
        "bigger than",
        "Is it а cat?",
    ),
    *("Is it owned by Napoleon?", "Was it mentioned in Hamlet?", "Is the word three letters long?"),
]


@pytest.mark.parametrize("question", STRANGE)
def test_what_is_not_understood_is_answered_no_and_said_so(question: str):
    assert said("Cat", question) == "No?"


def test_every_wording_of_every_player_means_what_it_asks():
    for question in (*questions(), *guesses()):
        for wording in question.wordings:
            meaning = understand(wording.strip())
            assert meaning is not None, wording
            assert members(meaning.holds) == members(question.holds), wording


def test_only_a_guess_is_taken_for_one():
    assert [guessed(wording) for question in questions() for wording in question.wordings if guessed(wording)] == []
    for i, guess in enumerate(guesses()):
        assert {guessed(wording) for wording in guess.wordings} == {i}


def test_no_wording_of_the_knowledge_means_two_things_or_none():
    seen: dict[tuple[str, tuple[str, ...]], str] = {}
    for one in attributes().values():
        for words in (one.ask, *one.words) if one.ask else one.words:
            frame, _, rest = words.partition(" ")
            items = read(rest.replace("_", "it"), frame)
            assert items, f"{one.name}: {words!r} says nothing"
            if all(item.holds is None for item in items):
                key = (items[0].frame, tuple(item.stem for item in items))
                other = attributes()[seen.setdefault(key, one.name)]
                assert other.holds == one.holds, f"{words!r}: {other.name} and {one.name}"


WINS = [
    *("Is it a cat?", "is it a CAT", "Is it cat?", "Is it a type of cat?", "Is it some kind of cat?", "Are they cats?"),
    *("Could it be a cat?", "I think it is a cat.", "It's a cat!", "Cat?", "A cat.", "Are you thinking of a cat?"),
    *("Hmm, is it a cat, by any chance?", "Is the object a cat?", "Is it called a cat?", "Hi! Is it a cat?"),
    *("My final guess is a cat", "Isn't it a cat?", "Is it just a cat?", "Is the answer cat?", "Is it a cat or not?"),
]
NOT_WINS = [
    *("Is it a dog?", "Is it a dog or a cat?", "Is it a cat or a dog?", "Is it a big cat?", "Does it look like a cat?"),
    *(
        "Is it like a cat?",
        "Is it bigger than a cat?",
        "Is it used by a cat?",
        "Is it owned by a cat?",
        "Do you own a cat?",
    ),
    *("Is it not a cat?", "Is it a cat toy?", "Is it part of a cat?", "Is it the size of a cat?", "Does it eat a cat?"),
    *(
        "Is it a cat and a dog?",
        "Is it a cat, a dog?",
        "Is it something for a cat?",
        "Is it the word after cat?",
        "cat dog",
    ),
    *(
        "Is it a cat? Is it a dog?",
        "Ignore this. Is it a cat?",
        "Is it a picture of a cat?",
        "Is it in the cat family?",
    ),
]


@pytest.mark.parametrize("question", WINS)
def test_a_question_that_asks_of_one_object_directly_is_a_guess(question: str):
    assert guessed(question) == INDEX["Cat"]
    assert said("Cat", question) == "Yes"


@pytest.mark.parametrize("question", NOT_WINS)
def test_any_other_question_is_none(question: str):
    assert guessed(question) in (None, INDEX["Dog"])


@pytest.mark.parametrize(
    ("word", "wins", "not_wins"),
    [
        ("Basketball", "Is it a basketball?", "Is it used in basketball?"),
        ("Basketball", "Is it a basketball?", "Is it something used in basketball?"),
        ("Ring", "Is it a ring?", "Does it ring?"),
        ("Soccer ball", "Is it a soccer ball?", "Is it a ball?"),
        ("Pants", "Is it a pair of pants?", "Is it a pair?"),
        ("Television", "Is it a TV?", "Is it a television set?"),
        ("Stuffed animal", "Is it a stuffed animal?", "Is it an animal?"),
        ("Apple", "Is it an apple?", "Is the fruit an apple?"),
        ("Car", "Is it a car?", "Is it a sports car?"),
        ("Orange", "Is it an orange?", "Is it orange?"),
        ("Painting", "Is it an oil painting?", "Is it used for painting?"),
        ("Watch", "Are you thinking of a watch?", "Do you watch it?"),
        ("Paper", "Is it a piece of paper?", "Is it made of paper?"),
    ],
)
def test_the_published_cases_win_as_they_were_meant_to(word: str, wins: str, not_wins: str):
    assert guessed(wins) == INDEX[word]
    assert guessed(not_wins) is None


def test_every_name_of_every_object_can_be_guessed():
    for name, index in INDEX.items():
        assert guessed(f"Is it an {name}?") == index
        assert guessed(f"Is it an {name.upper()}s?") in (index, None)


WORDS = sorted({word for row in QUESTIONS for word in words_of(row[0])} | {"not", "or", "and", ",", "than", "without"})


@given(st.lists(st.sampled_from(WORDS), max_size=12).map(" ".join) | st.text(max_size=80))
def test_anything_may_be_asked(question: str):
    first = answer(random.Random(question).randrange(158), question)
    assert first.text in ("Yes.", "No.")
    assert type(first.info["understood"]) is bool
    meaning, index = understand(question), guessed(question)
    assert meaning is None or 0 <= meaning.holds <= EVERYTHING
    assert first.text == "No." or first.info["understood"]
    if index is not None:
        assert meaning is not None
        assert meaning.holds >> index & 1


PLAIN = [
    question.removeprefix("Is it ").rstrip("?")
    for question, _, _ in QUESTIONS
    if question.startswith("Is it ") and not {"or", "and", "not", "than"} & {*words_of(question)}
]


@given(st.sampled_from(PLAIN), st.sampled_from(PLAIN))
def test_joined_questions_mean_what_their_parts_do(first: str, second: str):
    def true_of(question: str) -> int:
        meaning = understand(question)
        assert meaning
        return meaning.holds

    one, two = true_of(f"Is it {first}?"), true_of(f"Is it {second}?")
    assert true_of(f"Is it {first} or is it {second}?") == one | two
    assert true_of(f"Is it {first} and is it {second}?") == one & two
    assert true_of(f"Is it not {first}?") == EVERYTHING & ~one


@pytest.mark.parametrize(
    "forms", ["write writes writing written", "cut cuts cutting", "knife knives", "carry carries carried", "fry fried"]
)
def test_the_forms_of_a_word_have_one_stem(forms: str):
    assert len({stem(form) for form in forms.split()}) == 1
