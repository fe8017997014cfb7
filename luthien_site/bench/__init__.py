"""The benchmark: real processes over loopback sockets, each beside the direct connection in the same run."""
