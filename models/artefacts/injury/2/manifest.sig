{"key": "ab7e04651a6475ea", "signature": "izekY/nfXvxNWqpxictIqeGtGhgDbFXjYExZ+hOPVW9Yu+2DRfxV4/l8Wp7fWL2f2bXYHY/c7ip7UvXZTysrCQ=="}
