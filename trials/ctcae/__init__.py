"""NCI's Common Terminology Criteria for Adverse Events: its table is loaded from a file, never part of the product."""
