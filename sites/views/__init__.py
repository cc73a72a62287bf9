"""Pages of places and people: load, bind, one service, message, respond."""
