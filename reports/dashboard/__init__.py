# SPDX-License-Identifier: MIT
"""The dashboard: what the bench does now, what it found last night, what is wrong, what is qualified.

Owns pages about many runs, live and as files; a page about one run alone is ``reports/html.py``'s. It shows
what is stored and makes no verdict. Nothing of it can hold up a board: it reads stores and journals, and what
it may start is another process.
"""
