"""From what a person types to what is stored, and back."""
