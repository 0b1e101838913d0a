"""What theory says of a memory test, and of cells that nobody has trained: sentences for the screen and the help."""

STATE_TRACKING = (
    "A linear recurrence h_t = a_t * h_(t-1) + b_t whose factors a_t are positive cannot do parity at every length "
    "(Merrill et al. 2024, Grazzi et al. 2024); signed factors, down to -1, can: compare min_gru with min_gru:signed."
)

THEORY = {
    "parity": STATE_TRACKING,
    "mod3": (
        "A sum modulo 3 turns a state through three values, for which a linear recurrence needs complex or matrix "
        "eigenvalues: real factors do not suffice, signed ones included (Grazzi et al. 2024). Cells whose gates read "
        "the state, such as lstm and gru, can do it."
    ),
    "selective_copy": (
        "What has to be kept is known only from the inputs, so the factors of a linear recurrence must depend on them "
        "(Gu and Dao 2023). Those of lru are fixed; gates and selective factors (lstm, gru, min_gru, rg_lru) do depend."
    ),
}
"""Memory test -> what cells can and cannot do. Tests without an entry have no such theory."""

UNTRAINED = (
    "These cells are untrained. A fresh GRU vanishes too: with biases of zero its update gate is about 0.5, "
    "so that half of the state and of its gradient is lost at every step; an LSTM's forget gate starts near "
    "0.73. Gates learn to stay open: --trained-on adding trains the cells first."
)
