"""What the policies that ask a judge have in common: what it is shown, and what is told of its answer. Pure."""
