"""The scenarios that come with bp-tui: files that a user can open, read, copy and change."""

LESSONS = (
    "first_graph",
    "diamond",
    "log_chain",
    "shared_parent",
    "broadcasting",
    "matmul_shapes",
    "relu_kink",
    "softmax_cross_entropy",
    "mlp",
    "mlp_adam",
    "cnn",
    "vanishing",
    "exploding",
    "dead_relu",
    "detached",
    "inplace",
    "nan",
    "deep",
)
"""Their names in the order in which they are listed: first how it goes, then what goes wrong."""
