"""Names for invented customers."""

_FIRST = """
Ada Aisha Alan Alice Amara Andrew Anna Arthur Beatriz Ben Bridget Carla Carlos Carmen Chloe Claire Clara
Daniel David Deborah Dora Edith Elena Eli Ella Emma Erik Esther Fatima Felix Fiona Frank Frida George
Grace Greta Hannah Harold Heidi Helen Henry Hugo Ida Ines Irene Isaac Iris Ivan Jack Jacob James Jana
Jasper Joan Johan John Jonas Joyce Julia June Karen Karl Katya Kenji Lars Laura Leah Lena Leo Lewis Lila
Linda Louis Lucia Luke Mabel Marcus Maria Martha Martin Mary Maya Meera Michael Mila Nadia Naomi Nina
Noah Nora Olga Oliver Omar Oscar Otto Pablo Paula Peter Petra Priya Rachel Ralph Rosa Ruth Samir Samuel
Sara Sofia Stella Susan Tara Theo Thomas Tilda Tomas Uma Ursula Vera Victor Violet Wanda Walter Wendy
William Yara Yusuf Zara
"""
_LAST = """
Abbott Adler Ahmed Andersen Baker Banerjee Barnes Becker Bell Bergman Blake Boyle Brandt Brennan Brooks
Burke Campbell Carter Castillo Chan Clarke Cohen Collins Cooper Costa Cruz Dale Dawson Delgado Diaz Doyle
Dubois Edwards Ellis Evans Farrell Fischer Fleming Flores Foster Fox Garcia Gibson Graham Grant Greene
Gruber Hale Hansen Harper Hayes Hoffman Holt Hughes Hunt Ibrahim Ito Jansen Jensen Johnson Jones Kaminski
Kaur Keller Kelly Khan Klein Kim Koch Larsen Lee Lind Lopez Mason Martin Mehta Meyer Miller Moore Morgan
Morris Murphy Nash Nelson Nguyen Novak Nowak Olsen Ortiz Osman Owens Park Patel Perry Petrov Pope Porter
Quinn Ramos Reid Reyes Rossi Rowe Russo Ryan Sato Schmidt Shah Shaw Silva Singh Smith Stone Suzuki Tan
Taylor Thomsen Torres Turner Vargas Vogel Walsh Ward Weber West White Wilson Winter Wolf Wood Wright Yang
Young Zimmer
"""
FIRST_NAMES = _FIRST.split()
LAST_NAMES = _LAST.split()

AWKWARD_NAMES = (  # as they come out of real shops
    ("Sinéad", "O'Brien"),
    ("Zoë", "Krüger"),
    ("<b>Bob</b>", "Tables"),
    ("Anne-Marie", "de la Cruz"),
    ("Robert, Jr.", "Miller"),
    ('Ed "Crumb"', "Baker"),
    ("Nguyễn", "Thị Ánh"),
    ("李", "雷"),
    ("{{ first_name }}", "Smith"),
    ("=HYPERLINK", "Jones"),
    ("Ørjan", "Åsen"),
    ("Mary & Tom", "Walsh"),
)
