"""The epoch loop, and what follows it: the trainer, its listeners, learning rates, lbfgs."""
