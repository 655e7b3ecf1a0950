"""Finding a scenario file, running it, and saying what is wrong with one that cannot be used."""
