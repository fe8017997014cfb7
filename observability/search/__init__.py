"""Finding calls: the language of the search box, the index beside the record, and pages of what matches."""
