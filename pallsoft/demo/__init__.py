"""Invented data for demonstration and training, made through the services like any other data. Nobody here exists."""
