"""The flow of participants through the trial as CONSORT 2025 draws it, live."""
