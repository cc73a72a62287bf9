"""Datasets: a pure function of what the database held at one seal (design §4)."""
