"""Reports: asked for on a page, built by a worker, taken away in a signed archive that anybody can verify."""
