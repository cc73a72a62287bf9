"""Reading: what pages and services look up about visits and forms."""
