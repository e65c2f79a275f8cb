"""From what the user passes to the core's view of it: rows, targets, validation sets."""
