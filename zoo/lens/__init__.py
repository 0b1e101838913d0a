"""What a recurrent net does inside, drawn: gradients and Jacobians through time, gates, how long it remembers."""
