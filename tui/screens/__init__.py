"""One screen a file. A screen shows what the debugged process says and turns keys into commands."""
