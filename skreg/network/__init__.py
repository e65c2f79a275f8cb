"""From parameters of a network to the compiled core: architecture, losses, weights, prediction."""
