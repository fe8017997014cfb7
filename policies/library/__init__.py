"""The policies that come with Luthien: one a module, registered under the module's name. Pure."""
