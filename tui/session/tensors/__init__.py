"""Looking into a tensor of any size: slices, windows of numbers, health, heat maps, pictures."""
