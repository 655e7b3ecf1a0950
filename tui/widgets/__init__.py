"""What the screens are made of: widgets of lines that redraw only the cells that changed."""
