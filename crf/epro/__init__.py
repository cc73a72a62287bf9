"""What participants answer on their own phones: personal links, and one question a page."""
