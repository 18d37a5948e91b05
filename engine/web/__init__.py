"""The room with a door to the internet: what providers report, and what readers of mails ask for.

Requests are hostile until proven otherwise. Each route is one file in `routes` and one line in its menu.
"""
