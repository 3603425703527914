"""Answers: what a question of a notebook comes to, and its chart as data."""
