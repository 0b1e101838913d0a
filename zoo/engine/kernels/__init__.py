"""The compiled loops: one file per family of cells, and what they share.

`simple_rnn`, `lstm`, `gru`, `min_gru`, `linear`, `maximum` and `conditional` (of decoders, with the attention in
`additive`) open with their equations and the equations of their gradients. `product` has the matrix product,
`activations` the sigmoid and the tanh, `rows` the order in which rows of a batch are read, `compiling` turns functions
into machine code and keeps it on disk. Only this package imports numba.
"""
