"""The pages on which policies are found, configured, put in force, watched and taken back."""
