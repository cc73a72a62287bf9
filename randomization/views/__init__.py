"""Pages of randomisation: the act and its receipt, corrections, late entries, the lists."""
