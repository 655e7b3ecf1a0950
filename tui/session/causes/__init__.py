"""Why a value or a gradient is what it is: the path to the cause, in sentences."""
