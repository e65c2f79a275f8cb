"""Networks trained on parts of a table, side by side."""
