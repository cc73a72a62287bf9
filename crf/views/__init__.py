"""Pages of visits and forms: load through a guard, read, call one service, say what happened."""
